"""Off the loop: work that waits for storage, done on threads, while the task that needs it waits without being torn.

The threads are this package's own. The event loop's default executor is shared with synchronous tools and with model
clients that stream for seconds: a message would wait until one of them has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import Thread
from typing import Any
from weakref import WeakSet

_MOST_THREADS = 32
"""How many sessions of a process can wait for storage at once. Threads are made when they are needed."""

PATIENCE = 5.0
"""How many seconds a task that was cancelled waits for storage that does not answer."""


_cancelled: WeakSet[asyncio.Task[Any]] = WeakSet()
"""The tasks that were cancelled while they waited here, and may not have been told."""


class _Threads:
    """The executor: made when it is needed first, and anew in a process that was forked, which has no threads."""

    executor: ThreadPoolExecutor | None = None

    @classmethod
    def get(cls) -> ThreadPoolExecutor:
        if cls.executor is None:
            cls.executor = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="session-storage")
        return cls.executor

    @classmethod
    def forget(cls) -> None:
        cls.executor = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Threads.forget)


async def off_loop(do: Callable[..., object], *arguments: Any) -> None:
    """Do something on a thread, and return when it is done.

    A task that is cancelled meanwhile still waits for it, and is cancelled at the next place where it waits for
    something: as if storage had taken no time. Else it would be torn between what it told of and what it does next, and
    the SDK expects none of its tasks to be: a stream that was announced would never be noted as one that is open.

    Only where storage takes longer than :data:`PATIENCE`, since somebody holds its lock or a disk hangs, is the task
    let go: the work goes on, and what is to be stored is stored when it can be.

    Raises:
        Exception: What ``do`` raised.
        asyncio.CancelledError: The task was cancelled, and storage hangs.
    """
    work = _begin(partial(copy_context().run, do, *arguments))
    try:
        await asyncio.wait({work})
    except asyncio.CancelledError:
        if not await _ended(work):
            work.add_done_callback(_take_notice)
            raise
        _cancel_again()
    work.result()


def _begin(call: Callable[[], object]) -> asyncio.Future[Any]:
    loop = asyncio.get_running_loop()
    try:
        return loop.run_in_executor(_Threads.get(), call)
    except RuntimeError:  # the main thread has ended, and executors take no more work, while this thread goes on
        result: Future[object] = Future()
        work = partial(_do, call, result)
        try:
            Thread(target=work, name="session-storage-at-exit").start()
        except RuntimeError:  # no thread is to be had any more
            work()
        return asyncio.wrap_future(result)


def _do(call: Callable[[], object], result: Future[object]) -> None:
    try:
        result.set_result(call())
    except BaseException as error:
        result.set_exception(error)


async def _ended(work: asyncio.Future[Any]) -> bool:
    """Wait for work, however often the task is cancelled meanwhile; return whether it ended in time."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + PATIENCE
    while not work.done() and (left := limit - loop.time()) > 0:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({work}, timeout=left)
    return work.done()


def _take_notice(work: asyncio.Future[Any]) -> None:
    """Look at how work ended that nobody waits for any more: a failure is told with the next change."""
    if not work.cancelled():
        work.exception()


def _cancel_again() -> None:
    """Cancel the current task at its next await; how often it was asked to end (``Task.cancelling``) stays the same."""
    task = asyncio.current_task()
    if task is not None:
        if hasattr(task, "uncancel"):  # Python 3.11; timeouts count by it
            task.uncancel()
        task.cancel()
        _cancelled.add(task)


async def end_if_cancelled() -> None:
    """End a task here that was cancelled while it waited for storage, if it has awaited nothing since.

    For the last that an agent does: whoever put a timeout around its work would be cancelled behind it.

    Raises:
        asyncio.CancelledError: It was.
    """
    task = asyncio.current_task()
    if task is not None and task in _cancelled:
        _cancelled.discard(task)
        await asyncio.sleep(0)
