"""Processes that share work: one that dies while another is being started costs nothing."""

import os

from obspy_tng import crew


def nothing(context):
    """Begin without work."""


def test_killed_while_the_next_is_started(monkeypatch):
    """CPython closes the queue of a broken executor under the hands of who submits: such a task is done alone."""
    submit, asked = crew.ProcessPoolExecutor.submit, []

    def closing(self, *task):
        """Submit, but for the second task, which finds the queue closed."""
        asked.append(task)
        if len(asked) == 2:
            raise OSError("handle is closed")
        return submit(self, *task)

    monkeypatch.setattr(crew.ProcessPoolExecutor, "submit", closing)
    with crew.Crew(2, nothing, None) as hands:
        futures = [hands.submit(abs, -k) for k in (1, 2)]
        assert [hands.result(f, abs, -k) for f, k in zip(futures, (1, 2), strict=True)] == [1, 2]
        assert hands.lost and hands.able
        assert hands.result(hands.submit(os.getpid), os.getpid) != os.getpid()
