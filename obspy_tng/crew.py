"""Processes of this machine that share work; what is lost with one that is killed is done again."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from multiprocessing.context import SpawnContext


class Crew:
    """Processes to be given tasks, a context manager.

    One that is killed (by hand, or for want of memory) ends all of them, and nobody knows whose task it was. What
    they had in hand is tried once more, task by task in one process with no other beside it: there is more memory
    then, and a task that kills its process takes no other along. Then they begin anew.

    Parameters
    ----------
    workers : int
    begin : callable
        ``begin(context)`` is called first in every process.
    context
        Sent to each process once.

    Attributes
    ----------
    lost : bool
        Whether results of tasks in hand must be asked for before others are submitted; set back by the caller.
    """

    def __init__(self, workers: int, begin: Callable, context):
        self.workers, self.begin, self.context, self.spawn = workers, begin, context, _Spawn()
        self.many = self.one = None  # executors
        self.lost = self.worked = False
        self.able = True  # to start a process

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._end()

    def submit(self, *task) -> Future:
        """Return the future of a task, a function and its arguments."""
        if self.one:
            self._end()
        failed = Future()
        failed.set_exception(BrokenExecutor())
        try:
            self.many = self.many or self._start(self.workers)
            return self.many.submit(*task) if self.able else failed
        except (BrokenExecutor, OSError):  # "handle is closed": one was killed while the next was being started
            return failed

    def result(self, future: Future, *task):
        """Return what comes of a task.

        Raises
        ------
        BrokenExecutor
            With the reason: it was lost, and cannot be done alone either.
        """
        try:
            done = future.result()
            self.worked = True
            return done
        except BrokenExecutor:
            self.lost = True
        if self.able and self.one is None:
            self.spawn.end()
            self._end()
            self.one = self._start(1)
            self.able = self.worked or self._begins(self.one)
        if not self.able:
            raise BrokenExecutor("worker processes die at once: no memory, or a script without `if __name__ ==`")
        try:
            return self.one.submit(*task).result()
        except BrokenExecutor:
            self._end()
            reason = "killed its worker process twice, the second time as the only one: perhaps out of memory"
            raise BrokenExecutor(reason) from None

    def _start(self, workers):
        return ProcessPoolExecutor(workers, self.spawn, initializer=self.begin, initargs=(self.context,))

    def _begins(self, executor):
        """Tell whether a process comes as far as its first task; otherwise none needs be started for each task."""
        try:
            return executor.submit(os.getpid).result() > 0
        except BrokenExecutor:
            return False

    def _end(self):
        for executor in (self.many, self.one):
            if executor:
                executor.shutdown(cancel_futures=True)
        self.many = self.one = None


class _Spawn(SpawnContext):
    """Starts fresh Pythons: a fork would copy the locks of whatever threads the caller runs."""

    def __init__(self):
        super().__init__()
        self.started = []

    def Process(self, *args, **how):  # noqa: N802  the name is multiprocessing's
        """Return a process that can be started."""
        self.started.append(super().Process(*args, **how))
        return self.started[-1]

    def end(self):
        """End what an executor has left: it waits without end for a process it starts while another one is killed."""
        for process in self.started:
            if process.is_alive():
                process.terminate()
        self.started.clear()
