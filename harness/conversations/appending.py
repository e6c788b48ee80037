"""Appending: an agent whose history grows message by message, as ``BidiAgent`` lets it grow, without a script."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

from ..models import RestartableScriptedBidiModel
from ..sdk import (
    BidiAfterConnectionRestartEvent,
    BidiAgent,
    BidiMessageAddedEvent,
    Message,
    MessageUpdatedEvent,
    SdkFeature,
    SessionManager,
    need,
)
from ..timeline import Event, Timeline

E = TypeVar("E", bound=Event)

_SENTENCE = "I would like to book a table for four people tomorrow evening at half past seven, close to the window. "


def talk(number: int) -> Message:
    """Return message ``number`` of a conversation in which user and assistant take turns: some 250 bytes of text."""
    return {
        "role": "assistant" if number % 2 else "user",
        "content": [{"text": f"Message {number}. {_SENTENCE * 2}"}],
        "tracking_id": f"00000000-0000-4000-8000-{number:012d}",
        "metadata": {"custom": {"bidi": {"kind": "text", "status": "complete"}}},
    }


def placeholder_of(message: Message) -> Message:
    """Return what stands in the history for a streamed message while it is streamed."""
    pending: Message = {
        **message,
        "content": [],
        "metadata": {"custom": {"bidi": {"kind": "text", "status": "pending"}}},
    }
    return pending


class _Forgetful(Timeline):
    """A timeline that keeps nothing, so that recording takes no part in what is measured."""

    def record(self, event: E) -> E:
        return event


class Appender:
    """An agent with a session manager, which is told of messages as ``BidiAgent`` tells it.

    Args:
        manager: The agent's manager; None for an agent without one.
        messages: What the agent's constructor is given as its history.
    """

    def __init__(self, manager: SessionManager[Any] | None, messages: Sequence[Message] | None = None) -> None:
        self.model = RestartableScriptedBidiModel(_Forgetful())
        self.agent = BidiAgent(
            model=self.model,
            agent_id="default",
            messages=list(messages) if messages is not None else None,
            session_manager=manager,
        )
        self._restarted = asyncio.Event()
        self.agent.hooks.add_callback(BidiAfterConnectionRestartEvent, lambda _: self._restarted.set())
        self._receiver: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the agent."""
        await self.agent.start()
        self._receiver = asyncio.ensure_future(self._receive())
        await asyncio.sleep(0)

    async def _receive(self) -> None:
        async for _ in self.agent.receive():
            pass

    async def stop(self) -> None:
        """Stop the agent."""
        await self.agent.stop()
        if self._receiver is not None:
            self._receiver.cancel()
            await asyncio.gather(self._receiver, return_exceptions=True)

    async def append(self, message: Message) -> None:
        """Add a message to the history; returns when every hook was told of it."""
        self.agent.messages.append(message)
        event: Any = BidiMessageAddedEvent(agent=self.agent, message=message)
        await self.agent.hooks.invoke_callbacks_async(event)

    async def stream(self, message: Message) -> None:
        """Add the placeholder of a message, and replace it with the message.

        Raises:
            SdkLacks: A message in the history of this SDK never changes.
        """
        need(SdkFeature.MESSAGE_UPDATES)
        await self.append(placeholder_of(message))
        self.agent.messages[-1] = message
        event: MessageUpdatedEvent[Any] = MessageUpdatedEvent(
            agent=self.agent, tracking_id=message["tracking_id"], message=message
        )
        await self.agent.hooks.invoke_callbacks_async(event)

    async def time_out(self) -> None:
        """Let the connection time out; returns when a new one was given the history."""
        self._restarted.clear()
        await self.model.time_out()
        await self._restarted.wait()
