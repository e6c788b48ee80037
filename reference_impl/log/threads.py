"""Off the loop: work that waits for storage, done on threads, while the task that needs it waits without being torn.

The threads are this package's own. The event loop's default executor is shared with synchronous tools and with model
clients that stream for seconds: a message would wait until one of them has ended.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

_MOST_THREADS = 32
"""How many sessions of a process can wait for storage at once. Threads are made when they are needed."""


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

    Raises:
        Exception: What ``do`` raised.
    """
    work = asyncio.get_running_loop().run_in_executor(_Threads.get(), copy_context().run, do, *arguments)
    cancelled = False
    while not work.done():
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            cancelled = True
        except Exception:
            break  # it is raised below
    if cancelled:
        _cancel_again()
    work.result()


def _cancel_again() -> None:
    """Cancel the current task at its next await; how often it was asked to end (``Task.cancelling``) stays the same."""
    task = asyncio.current_task()
    if task is not None:
        if hasattr(task, "uncancel"):  # Python 3.11; timeouts count by it
            task.uncancel()
        task.cancel()
