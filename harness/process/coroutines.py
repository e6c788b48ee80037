"""Coroutines where a plain call is made: they are run to their end in a loop of the harness's."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from . import clock

F = TypeVar("F", bound=Callable[..., Any])


def wait_for(result: Any) -> Any:
    """Return a call's result; if it is awaitable, wait for it first.

    It is awaited in a loop of its own: in this thread, or in another one where this thread runs a loop already. What it
    returns must therefore not belong to that loop.
    """
    if not inspect.isawaitable(result):
        return result
    if not _in_loop():
        return clock.run(_awaited(result))
    with ThreadPoolExecutor(1, thread_name_prefix="conformance: a coroutine") as threads:
        return threads.submit(clock.run, _awaited(result)).result()


def blocking(function: F) -> F:
    """Return a function that runs a coroutine function to its end; any other function is returned as it is."""
    if not inspect.iscoroutinefunction(function):
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return wait_for(function(*args, **kwargs))

    return call  # type: ignore[return-value]


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
