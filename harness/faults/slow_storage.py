"""Slow storage: how long the event loop stands still while a backend waits for it, and what a message asks of files."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ..conversations import Appender, Die, Session, talk
from ..process import tolerating_warnings
from .tracing import traced

_TICK_S = 0.001
_WRITES = "write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync"


async def longest_stall(work: Callable[[], Awaitable[Any]]) -> float:
    """Return the longest time in seconds for which the event loop did not turn while ``work`` ran."""
    loop = asyncio.get_running_loop()
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = loop.time()
            await asyncio.sleep(_TICK_S)
            longest = max(longest, loop.time() - before - _TICK_S)

    ticking = asyncio.ensure_future(tick())
    await asyncio.sleep(_TICK_S)
    try:
        await work()
        await asyncio.sleep(_TICK_S)
    finally:
        ticking.cancel()
    return longest


def stall_on_files(session: Session, messages: int, delay_s: float) -> float:
    """Append messages in a new process whose writes and syncs each take ``delay_s`` longer; return the longest stall.

    Raises:
        TracerMissing: Nothing can be traced here.
    """
    slow = f"{_WRITES}:delay_enter={int(delay_s * 1e6)}"
    answer, _ = traced(_append_in_child, session, messages, inject=[slow])
    return float(json.loads(answer))


def stall_on_s3(session: Session, messages: int, delay_s: float, seam: Any) -> float:
    """Append messages while each request takes ``delay_s`` longer, and return the longest stall in seconds."""
    with seam.holding(session.workspace.values["bucket"], lambda _: time.sleep(delay_s)), tolerating_warnings():
        return asyncio.run(_append(session, messages))


def file_calls(session: Session, messages: int) -> int:
    """Return how many system calls that concern files a new process makes to open a session and append messages.

    Raises:
        TracerMissing: Nothing can be traced here.
    """
    lines: list[str] = traced(_append_in_child, session, messages)[1]
    return sum("resumed>" not in line and "+++" not in line and "---" not in line for line in lines)


def _append_in_child(session: Session, _: Die, messages: int) -> str:
    with tolerating_warnings():
        return json.dumps(asyncio.run(_append(session, messages)))


async def _append(session: Session, messages: int) -> float:
    appender = Appender(session.open())
    await appender.start()

    async def work() -> None:
        for number in range(messages):
            await appender.append(talk(number))

    stall = await longest_stall(work)
    await appender.stop()
    return stall
