"""Factories and lifespans: what opens something for a manager, or for a run, and closes it when that is over."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any, TypeAlias

from ..process import blocking, will_be_closed

Lifespan: TypeAlias = "Callable[[], AbstractContextManager[object] | AbstractAsyncContextManager[object]]"
"""Returns what is entered before a process opens the first manager, and left when it opens no more."""


def plain_factory(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a factory that can be called as a plain function.

    A coroutine function is run to its end. A generator function, also an asynchronous one, yields what it opens once,
    and what follows its ``yield`` runs when that is to be closed.
    """
    enter: Callable[..., Any]
    if inspect.isgeneratorfunction(function):
        enter = contextmanager(function)
    elif inspect.isasyncgenfunction(function):
        enter = asynccontextmanager(function)
    else:
        return blocking(function)

    @functools.wraps(function)
    def open(*arguments: Any) -> Any:
        context = _blocking_context(enter(*arguments))
        opened = context.__enter__()
        will_be_closed(opened, lambda: context.__exit__(None, None, None))
        return opened

    return open


@contextmanager
def living(lifespan: Lifespan | None) -> Iterator[None]:
    """Enter a backend's lifespan, and leave it at the end. An asynchronous one has an event loop of its own."""
    if lifespan is None:
        yield
    else:
        with _blocking_context(lifespan()):
            yield


def _blocking_context(context: Any) -> AbstractContextManager[Any]:
    return context if hasattr(context, "__enter__") else _in_own_loop(context)


@contextmanager
def _in_own_loop(context: AbstractAsyncContextManager[Any]) -> Iterator[Any]:
    """Enter and leave an asynchronous context manager in one event loop, which is idle in between."""
    loop = asyncio.new_event_loop()

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with ThreadPoolExecutor(1, thread_name_prefix="conformance: a coroutine") as threads:  # here, one may run
            return threads.submit(loop.run_until_complete, coroutine).result()

    try:
        opened = run(_awaited(context.__aenter__()))
        try:
            yield opened
        finally:
            run(_awaited(context.__aexit__(None, None, None)))
    finally:
        loop.close()


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result
