"""Processes that train together, as torchrun starts them: who works on which rows, and what they tell each other.

All processes draw the same random numbers and go through the same batches in the same order; each works on its rows
of every batch. Losses are put together so that each process holds the loss of the whole batch, with the gradient of
its own rows alone: the sum of the gradients over processes is that of one process.
"""

from __future__ import annotations

import os
import signal
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from obspy_tng.errors import ModelError

_VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # which torchrun sets
_GONE = ("connection closed", "reset by peer", "connection refused", "timed out", "nccl", "gloo", "broken pipe")


@dataclass(frozen=True)
class Part:
    """The rows of a batch that one process works on.

    Attributes
    ----------
    start, stop, total : int
        Rows ``start`` to ``stop`` of `total`.
    size : int
        Processes.
    weight : float
        Of this process in means over the batch; 0 where there are fewer rows than processes and it repeats one.
    """

    start: int
    stop: int
    total: int
    size: int
    weight: float

    @property
    def rows(self) -> slice:
        """Return the rows of the batch this process works on."""
        return slice(self.start, self.stop)

    def mean(self, x):
        """Return the mean over the batch of a mean over own rows; its gradient is that of the own rows."""
        return x if self.size == 1 else _Sum.apply(x * self.weight)

    def every(self, step: int, x):
        """Return rows 0, step, 2 step … of the batch as far as they are own ones, and the `Part` they are."""
        if self.size == 1:
            return x[::step], self
        chosen = x[-self.start % step :: step]
        n, weight = len(chosen), len(chosen) / -(-self.total // step)
        if not n or not self.weight:
            return x[:1], Part(0, 1, 1, self.size, 0.0)
        return chosen, Part(0, n, n, self.size, weight)

    def normal(self, x, generator=None):
        """Return Gaussian noise like `x`, the own rows of that of the batch."""
        if self.size == 1 and generator is None:
            return torch.randn_like(x)
        shape = (self.total, *x.shape[1:])
        return torch.randn(shape, dtype=x.dtype, device=x.device, generator=generator)[self.rows]

    def uniform(self, x, generator=None):
        """Return a number from 0 to 1 for each row of `x`, the own ones of those of the batch."""
        return torch.rand(self.total, device=x.device, generator=generator)[self.rows]

    def gather(self, x):
        """Return the rows of `x` of all processes, without gradient."""
        x = x.detach()
        if self.size == 1:
            return x
        out = torch.zeros((self.total, *x.shape[1:]), dtype=x.dtype, device=x.device)
        if self.weight:
            out[self.rows] = x
        dist.all_reduce(out)
        return out

    def join(self, x):
        """Return the rows of `x` of all processes; its gradient is that of the own rows."""
        every = self.gather(x)
        return torch.cat([every[: self.start], x, every[self.stop :]]) if self.weight else every + 0 * x.sum()


@dataclass(frozen=True)
class Team:
    """The processes of a training: number of this one, and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Return whether this process is the one that writes and tells."""
        return self.rank == 0

    def part(self, total: int) -> Part:
        """Return the rows of a batch of `total` that this process works on."""
        start, stop = (total * k // self.size for k in (self.rank, self.rank + 1))
        if start == stop:  # fewer rows than processes: it works, for nothing, on a row of another
            return Part(0, 1, total, self.size, 0.0)
        return Part(start, stop, total, self.size, (stop - start) / total)

    def agree(self, numbers, what: str) -> None:
        """Raise where the processes do not hold the same whole numbers.

        Raises
        ------
        ModelError
            They differ: the processes read different files.
        """
        if self.size == 1:
            return
        own = torch.tensor(list(numbers), dtype=torch.int64, device=_device())
        least, most = own.clone(), own.clone()
        dist.all_reduce(least, dist.ReduceOp.MIN)
        dist.all_reduce(most, dist.ReduceOp.MAX)
        if not torch.equal(least, most):
            raise ModelError(f"the processes do not read the same {what}; all must see the same folders")

    def wait(self) -> None:
        """Return when all processes have come here."""
        if self.size > 1:
            dist.barrier()


ALONE = Team()


@contextmanager
def gathered(device: str):
    """Yield the `Team` this process belongs to and its device; `ALONE` without torchrun.

    Raises
    ------
    ModelError
        Another process ended, or torchrun ends this one.
    """
    if not all(name in os.environ for name in _VARIABLES) or int(os.environ["WORLD_SIZE"]) == 1:
        yield ALONE, device
        return
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    ours = not dist.is_initialized()
    with _ended_in_one_line():
        if ours:
            # torch loads it sooner or later, and it keeps the group there is by then: threads as the process ends
            from torch.distributed import nn  # noqa: F401

            dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
        yield Team(dist.get_rank(), dist.get_world_size()), device
    if ours:
        dist.destroy_process_group()


@contextmanager
def _ended_in_one_line():
    """Turn a lost process, and torchrun's signal to end, into a `ModelError`."""
    message = "another process of this training ended; go on from the last checkpoint with --resume"

    def end(number, frame):
        raise ModelError(message)

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, end) if main else None
    try:
        yield
    except (RuntimeError, ValueError) as err:
        if isinstance(err, ModelError) or not any(word in str(err).lower() for word in _GONE):
            raise
        raise ModelError(f"{message} ({str(err).splitlines()[0][:120]})") from err
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def _device():
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")


class _Sum(torch.autograd.Function):
    """The sum over processes; backwards the identity, so that each holds the gradient of its own rows."""

    @staticmethod
    def forward(ctx, x):
        """Return the sum."""
        total = x.detach().clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, gradient):
        """Return the gradient as it is."""
        return gradient


class Step(torch.nn.Module):
    """Network and objective as one module, whose backward pass shares gradients (`DistributedDataParallel`)."""

    def __init__(self, network, objective, device: str, half: bool):
        super().__init__()
        self.network, self.objective = network, objective
        self.kind, self.half = str(device).split(":")[0], half

    def forward(self, batch, part):
        """Return the terms of the loss of a batch, of which `batch` holds the rows of `part`."""
        with torch.autocast(self.kind, dtype=torch.bfloat16, enabled=self.half):
            return self.objective(self.network, batch, train=True, part=part)


def shared(step: Step, team: Team):
    """Return `step`, wrapped so that backward passes add up over the processes."""
    if team.size == 1:
        return step
    from torch.nn.parallel import DistributedDataParallel

    warnings.filterwarnings("ignore", "Grad strides do not match")  # of 1 x 1 kernels, whose strides mean nothing
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*broadcast_buffers.*")  # its successor is not in all versions of torch
        wrapped = DistributedDataParallel(step, broadcast_buffers=False)  # they are constants
    wrapped.register_comm_hook(None, _add_up)
    return wrapped


def _add_up(state, bucket):
    """Sum gradients over processes, where DistributedDataParallel itself would take the mean."""
    return dist.all_reduce(bucket.buffer(), async_op=True).get_future().then(lambda done: done.value()[0])
