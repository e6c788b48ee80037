"""At once: many waits for storage, on some threads and on the caller's, also where no thread is to be had any more.

Executors take no work once the main thread has ended, while the application's other threads may go on for long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

Given = TypeVar("Given")
Done = TypeVar("Done")

_MOST_THREADS = 8
"""How many waits there are at once."""


def at_once(do: Callable[[Given], Done], items: Iterable[Given]) -> list[Done]:
    """Do something with each item, and return the results in the order of the items.

    All of it is done, also where something of it fails.

    Raises:
        Exception: What was raised for the first of the items for which it failed.
    """
    given = list(items)
    due = deque(range(len(given)))
    done: dict[int, Done] = {}
    failures: dict[int, BaseException] = {}

    def work() -> None:
        while True:
            try:
                index = due.popleft()
            except IndexError:
                return
            try:
                done[index] = do(given[index])
            except BaseException as failure:
                failures[index] = failure

    with _working(work, min(_MOST_THREADS, len(given)) - 1):
        work()
    if failures:
        raise failures[min(failures)]
    return [done[index] for index in range(len(given))]


@contextmanager
def beside(do: Callable[[], Done]) -> Iterator[Callable[[], Done]]:
    """Do something while the caller does something else; give what waits for the result and returns it.

    Where no thread is to be had, it is done when its result is asked for.
    """
    done: list[Done] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            done.append(do())
        except BaseException as failure:
            failures.append(failure)

    def result() -> Done:
        for thread in threads:
            thread.join()
        if not done and not failures:
            work()
        if failures:
            raise failures[0]
        return done[0]

    with _working(work, 1) as threads:
        yield result


@contextmanager
def _working(work: Callable[[], object], count: int) -> Iterator[list[Thread]]:
    """Have threads work, as many as are to be had, and return when they have ended."""
    threads: list[Thread] = []
    with suppress(RuntimeError):  # the process is ending, or has too many
        for _ in range(count):
            # The caller waits for it. Where the handler of a signal broke off the caller, no end of the process does.
            thread = Thread(target=copy_context().run, args=(work,), name="session-storage-at-once", daemon=True)
            thread.start()
            threads.append(thread)
    try:
        yield threads
    finally:
        for thread in threads:
            thread.join()
