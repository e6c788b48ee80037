"""An event loop whose clock can be moved ahead, so that minutes of scripted time pass at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from .opened import close_opened_by_loop, moment

T = TypeVar("T")


class MovableClockLoop(asyncio.SelectorEventLoop):
    """A selector event loop with a clock that :meth:`advance` moves ahead.

    Time otherwise runs as it does for anybody, so a manager that waits for a worker thread, or that backs off
    before it tries again, behaves as in production.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0

    def time(self) -> float:
        """Return the loop's time in seconds: the monotonic clock and all that it was moved ahead."""
        return super().time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` of scripted time have passed: timers that were due in between fire next."""
        self._ahead += seconds


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` on a new :class:`MovableClockLoop` to its end, and clean up what it left behind."""
    with running() as loop:
        return loop.run_until_complete(main)


@contextmanager
def running() -> Iterator[MovableClockLoop]:
    """Give out a new :class:`MovableClockLoop` and clean up what is left behind in it at the end.

    What was opened meanwhile, in this thread, is closed.

    Like ``asyncio.Runner``, but with this loop (``loop_factory`` came with Python 3.12 only), and it leaves the
    thread's current event loop as it was: the caller may be a test of somebody else's project.
    """
    loop, begun = MovableClockLoop(), moment()
    try:
        yield loop
    finally:
        try:
            loop.run_until_complete(close_opened_by_loop(begun))
            leftover = asyncio.all_tasks(loop)
            for task in leftover:
                task.cancel()
            if leftover:
                loop.run_until_complete(asyncio.gather(*leftover, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()
