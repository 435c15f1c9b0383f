"""A small convolutional network that tells real from generated records by their spectrograms."""

from __future__ import annotations

import numpy as np

from obspy_tng.evaluation.c2st_features import PAIRS, spectrogram
from obspy_tng.preprocessing import TAPER_END_S, TAPER_START_S

EPOCHS, LEAST_STEPS, BATCH = 15, 60, 30
LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 4e-3, 0.05, 0.3
CHANNELS = (16, 24, 32)
_CELL = 2  # frames and lines averaged to one pixel
_FLOOR = 1e-14  # of power over the record's mean power
_BATCH = 16


def images(data: np.ndarray, sampling_rate: float) -> np.ndarray:
    """Return what the network sees of records: ln power and coherence of components over time and frequency.

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts), m/s²
        E, N, Z, the ramps of conditioning at the ends, which are cut away.
    sampling_rate : float
        In Hz.

    Returns
    -------
    numpy.ndarray, shape (n, 6, frame, frequency), float32
        ln power of E, N, Z over the record's mean power, then Fisher's z of the coherence of E-N, E-Z, N-Z; pixels of
        1.28 s by 1.6 Hz at 100 Hz.
    """
    first, last = int(TAPER_START_S * sampling_rate), data.shape[2] - int(TAPER_END_S * sampling_rate)
    parts = []
    for i in range(0, len(data), _BATCH):
        x = np.asarray(data[i : i + _BATCH, :, first:last], dtype=np.float32)
        x = x / np.sqrt((x**2).mean(axis=(1, 2), keepdims=True))
        short = spectrogram(x, sampling_rate)[0][..., 1:]
        power = np.maximum(_pixels(short.real**2 + short.imag**2), _FLOOR)
        pairs = [
            np.abs(_pixels(short[:, a] * short[:, b].conj())) / np.sqrt(power[:, a] * power[:, b]) for a, b in PAIRS
        ]
        parts.append(np.concatenate([np.log(power), np.arctanh(np.minimum(np.stack(pairs, axis=1), 0.99))], axis=1))
    return np.concatenate(parts).astype(np.float32)


def _pixels(x):
    """Return means over cells of the last two axes; what does not fill a cell is left out."""
    frames, lines = (n // _CELL for n in x.shape[-2:])
    x = x[..., : frames * _CELL, : lines * _CELL]
    return x.reshape(*x.shape[:-2], frames, _CELL, lines, _CELL).mean(axis=(-3, -1))


def network_scores(train: np.ndarray, label: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Train a small convolutional network and return its scores of other records.

    Three 3×3 convolutions of stride 2 with batch normalisation, dropout and one linear layer on all remaining pixels
    (where energy stands in time and frequency matters, so nothing is pooled away): about 23,000 numbers.

    Parameters
    ----------
    train, test : numpy.ndarray, shape (n, 6, frame, frequency) and (m, 6, frame, frequency)
        Standardised images.
    label : numpy.ndarray, shape (n,)
        0 or 1.
    seed : int
        Of first weights, order of records and dropout. One thread is used: the result is the same every time.

    Returns
    -------
    numpy.ndarray, shape (m,)
        ln odds of label 1.
    """
    import torch
    from torch import nn

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layers, before = [], train.shape[1]
            for width in CHANNELS:
                layers += [nn.Conv2d(before, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                before = width
            net = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(DROPOUT), nn.LazyLinear(1))
            x, y, z = (torch.as_tensor(np.asarray(a, dtype=np.float32)) for a in (train, label, test))
            with torch.no_grad():
                net.eval()(x[:2])  # tells the last layer its size
            _fit(net, x, y)
            net.eval()
            with torch.no_grad():
                return net(z)[:, 0].double().numpy()
    finally:
        torch.set_num_threads(threads)


def _fit(net, x, y):
    """Train with AdamW and a one-cycle learning rate."""
    import torch

    n_batches = max(1, len(x) // BATCH)  # equal shares: a last batch of one record would break the normalisation
    epochs = max(EPOCHS, -(-LEAST_STEPS // n_batches))
    optimiser = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=epochs * n_batches)
    net.train()
    for _ in range(epochs):
        for rows in torch.tensor_split(torch.randperm(len(x)), n_batches):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(net(x[rows])[:, 0], y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
