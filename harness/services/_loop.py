"""The thread in which every seam of this process works, so that none waits for the code that it stands in front of."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_ANSWER_LIMIT_S = 30.0
"""In seconds: what the thread is asked for takes microseconds, so one that does not answer has failed."""

_lock = threading.Lock()
_loops: list[asyncio.AbstractEventLoop] = []


def wire_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of the seams, started with the first of them."""
    with _lock:
        if not _loops:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="conformance: wire", daemon=True).start()
            _loops.append(loop)
        return _loops[0]


def on_wire(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns, run in the thread of the seams."""
    return asyncio.run_coroutine_threadsafe(work, wire_loop()).result(_ANSWER_LIMIT_S)


def call_on_wire(work: Callable[[], T]) -> T:
    """Return what a function returns, called in the thread of the seams."""

    async def call() -> T:
        return work()

    return on_wire(call())
