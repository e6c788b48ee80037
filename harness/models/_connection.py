"""Connections: the queue of what a scripted model emits, and how much of that the agent has handled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from ..timeline import ModelEmitted, Timeline

_Item = tuple[ModelEmitted, Any]


class Connection:
    """One connection of a bidirectional model, or one streamed answer of a text model.

    Args:
        number: Its number, counted from 1.
        timeline: Where what it emits is recorded, when the agent takes it.
    """

    def __init__(self, number: int, timeline: Timeline) -> None:
        self.number = number
        self._timeline = timeline
        self._queue: asyncio.Queue[_Item | None] = asyncio.Queue()
        self._put = 0
        self._handled = 0
        self._moved = asyncio.Event()
        self.closed = False

    def put(self, type: str, what: Any, text: str = "") -> None:
        """Let it emit an event, raise an exception, or end where ``what`` is None.

        Args:
            type: What the timeline calls it; nothing is recorded where it is "".
            what: The event, an exception, or None.
            text: The text in it, for the timeline.
        """
        self._queue.put_nowait((ModelEmitted(connection=self.number, type=type, text=text), what))
        self._put += 1

    def close(self) -> None:
        """End it: nothing more is emitted, and nobody waits for it any more."""
        self.closed = True
        self._moved.set()
        self._queue.put_nowait(None)

    async def receive(self) -> AsyncIterator[Any]:
        """Yield what is emitted, until it ends."""
        while True:
            item = await self._queue.get()
            if self.closed or item is None:
                return
            emitted, what = item
            if emitted.type:
                self._timeline.record(emitted)
            if what is None:
                self._count()
                return
            if isinstance(what, BaseException):
                raise what
            yield what
            # The agent asks for the next event only when it has handled this one, hooks included.
            self._count()

    def _count(self) -> None:
        self._handled += 1
        self._moved.set()

    async def handled_all(self) -> None:
        """Return when the agent has handled all that was put into it, or it is closed."""
        while not self.closed and self._handled < self._put:
            self._moved.clear()
            await self._moved.wait()
