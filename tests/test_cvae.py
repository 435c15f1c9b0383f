"""The CVAE's network and every equation of its losses (arXiv 2512.04694, Eqs. 2 to 5), by hand-computed numbers."""

import numpy as np
import pytest
import torch

from obspy_tng.models import cvae
from obspy_tng.training_cvae import Objective

SMALL = cvae.CvaeConfig(6, 16, 32, (4, 8, 8, 8), 12, 3)


def small(**changes):
    """Return a small untrained network for phases in ±1 rad and amplitudes in 0 to 1."""
    torch.manual_seed(0)
    return cvae.Cvae(cvae.CvaeConfig(**{**SMALL.to_dict(), "widths": SMALL.widths, **changes})).eval()


def test_network_is_the_papers():
    """Four convolutions each way around 510 numbers: 10.2 million parameters; output in 0 to 1."""
    network = cvae.Cvae()
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(10.2e6, rel=0.01)
    with torch.no_grad():
        mean, ln_variance = network.encode(torch.rand(2, 6, 64, 96))
        y = network.decode(mean)
    assert mean.shape == ln_variance.shape == (2, 510) and y.shape == (2, 6, 64, 96)
    assert float(y.min()) >= 0 and float(y.max()) <= 1


@pytest.mark.parametrize(("classes", "size"), [(5, 510), (2, 510), (4, 512), (7, 511), (11, 517)])
def test_size_of_the_code(classes, size):
    """S·ceil(510/S): one-hot labels tile it evenly, each station has size / S ones and shares none."""
    assert cvae.latent_size(classes) == size
    priors = cvae.priors(classes, size)
    assert priors.shape == (classes, size)
    assert torch.equal(priors @ priors.T, torch.eye(classes) * (size // classes))
    assert torch.equal(priors[0, : classes + 1], torch.eye(classes + 1)[0] + torch.eye(classes + 1)[-1])


def test_equation_2_by_hand():
    """½[1 + 1 − 1 − ln 1] + ½[4 + 0 − 1 − ln 4] = 0.5 + 0.806853.

    With σ_p² = 2: ½[½ + ½ − 1 + ln 2] + ½[2 + 0 − 1 − ln 2] = 0.346574 + 0.153426.
    """
    mean, ln_variance = torch.tensor([[1.0, 0.5]]), torch.tensor([[0.0, np.log(4.0)]], dtype=torch.float32)
    prior = torch.tensor([[0.0, 0.5]])
    assert float(cvae.kl_to_prior(mean, ln_variance, prior)) == pytest.approx(0.5 + 0.806853, abs=1e-5)
    assert float(cvae.kl_to_prior(mean, ln_variance, prior, 2.0)) == pytest.approx(0.346574 + 0.153426, abs=1e-5)
    assert float(cvae.kl_to_prior(prior, torch.zeros(1, 2), prior)) == 0


def test_equation_2_is_the_monte_carlo_estimate():
    """Mean of ln q(z) − ln p(z) over 200 000 draws from q: within four standard errors, for each of three priors."""
    generator = torch.Generator().manual_seed(0)
    mean, ln_variance = (torch.randn(3, 15, generator=generator, dtype=torch.float64) for _ in range(2))
    prior = cvae.priors(3, 15).double()
    q = torch.distributions.Normal(mean, (0.5 * ln_variance).exp())
    z = mean + (0.5 * ln_variance).exp() * torch.randn(200_000, 3, 15, generator=generator, dtype=torch.float64)
    ratio = (q.log_prob(z) - torch.distributions.Normal(prior, 1.0).log_prob(z)).sum(-1)
    error = ratio.std(0) / np.sqrt(len(ratio))
    assert ((ratio.mean(0) - cvae.kl_to_prior(mean, ln_variance, prior)).abs() < 4 * error).all()
    assert (error < 0.03).all()


def test_equation_3_by_hand():
    """A code at distances 0, 1 and 3 from three centres: 1, 1/2 and 1/10, over their sum 1.6."""
    q = cvae.assignments(torch.zeros(1, 1), torch.tensor([[0.0], [1.0], [3.0]]))
    assert q[0].tolist() == pytest.approx([0.625, 0.3125, 0.0625])


def test_equation_4_by_hand():
    """q = (.8 .2 | .4 .6), column sums 1.2 and 0.8: p = (.914286 .085714 | .228571 .771429)."""
    p = cvae.sharpened(torch.tensor([[0.8, 0.2], [0.4, 0.6]]))
    assert p.flatten().tolist() == pytest.approx([0.914286, 0.085714, 0.228571, 0.771429], abs=1e-6)


def test_cluster_loss_by_hand():
    """KL of (¾, ¼) to (½, ½): ¾ ln 1.5 + ¼ ln 0.5 = 0.130812; the mean over records."""
    q = torch.full((2, 2), 0.5)
    assert float(cvae.cluster_loss(torch.tensor([[0.75, 0.25], [0.5, 0.5]]), q)) == pytest.approx(0.065406, abs=1e-6)


def test_equation_5():
    """Phase 1b adds 100 KL(p ‖ q) to the loss of phase 1a, taken in nats per number of the code."""
    network = small()
    with torch.no_grad():
        network.to_mean.weight.mul_(1000)  # untrained codes lie too close together to tell centres apart
        batch = torch.rand(6, 6, 16, 32), torch.eye(3)[[0, 0, 1, 1, 2, 2]]
        network.centres.copy_(network.encode(batch[0])[0][::2] + 1)
    with torch.no_grad():
        a, b = (Objective(phase)(network, batch, train=False) for phase in ("1a", "1b"))
        q = cvae.assignments(network.encode(network.scale(batch[0]))[0], network.centres)
    assert "cluster" not in a
    assert float(b["cluster"]) == pytest.approx(float(cvae.cluster_loss(cvae.sharpened(q), q)), rel=1e-5)
    assert float(b["cluster"]) > 1e-4
    assert float(b["total"] - a["total"]) * 6 * 16 * 32 / 12 == pytest.approx(100 * float(b["cluster"]), rel=1e-2)


def test_sharpening_draws_codes_to_their_centres():
    """A step down the gradient of L_c leaves each code nearer to its centre, relative to the others."""
    centres = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
    z = torch.tensor([[0.5, 1.0], [3.0, -1.0], [1.0, 0.0], [3.6, 0.4]], requires_grad=True)
    q = cvae.assignments(z, centres)
    cvae.cluster_loss(cvae.sharpened(q).detach(), q).backward()
    after = cvae.assignments(z.detach() - 0.5 * z.grad, centres)
    own = [0, 1, 0, 1]
    assert (after[range(4), own] > q.detach()[range(4), own]).all()


def test_misfit_is_a_gaussian_likelihood():
    """Up to ½ n (1 + ln 2π) the negative ln likelihood of residuals 0.1 and 0.5 under variances 0.01 and 0.25."""
    x = torch.zeros(3, 6, 4, 5)
    y = x.clone()
    y[:, :3], y[:, 3:] = 0.1, -0.5
    value, squares = cvae.misfit(y, x, 2)
    assert squares.tolist() == pytest.approx([0.01, 0.25])
    likelihood = sum(-60 * torch.distributions.Normal(0.0, s).log_prob(torch.tensor(s)).item() for s in (0.1, 0.5))
    assert float(value) + 0.5 * 120 * (1 + np.log(2 * np.pi)) == pytest.approx(likelihood, rel=1e-5)


def test_the_prior_separates_stations():
    """With the label of another station the KL of a code at its own prior is ½ · 2 · size / S."""
    priors = cvae.priors(3, 12)
    assert float(cvae.kl_to_prior(priors[:1], torch.zeros(1, 12), priors[1:2])) == pytest.approx(4.0)


def test_scaling_there_and_back():
    """Spectrograms inside the range of the training records come back; beyond it they stop at its ends."""
    network = small()
    network.low.fill_(-90.0)
    network.high.fill_(10.0)
    x = torch.tensor([-100.0, -90.0, -40.0, 10.0, 30.0]).reshape(1, 1, 1, 5).expand(1, 6, 1, 5)
    assert network.unscale(network.scale(x))[0, 0, 0].tolist() == pytest.approx([-90, -90, -40, 10, 10])
