"""Agents for the tests of the reference managers: a model that says nothing, and messages to add."""

import asyncio
import copy
import uuid
from pathlib import Path
from typing import Any

from session_conformance.harness import ScriptedBidiModel, Timeline
from session_conformance.reference_impl import FileSessionManager
from strands.bidi import BidiAgent
from strands.hooks import MessageAddedEvent, MessageUpdatedEvent


def text_message(text: str, role: str = "user", **more: Any) -> Any:
    return {"role": role, "content": [{"text": text}], "tracking_id": str(uuid.uuid4()), **more}


def open_agent(folder: Path, session_id: str = "s", *, manager: Any = None, **arguments: Any) -> BidiAgent:
    manager = manager or FileSessionManager(session_id, storage_dir=str(folder))
    return BidiAgent(model=ScriptedBidiModel(Timeline()), session_manager=manager, **arguments)


async def add(agent: BidiAgent, *messages: Any) -> None:
    """Add messages as the agent itself does."""
    for message in messages:
        agent.messages.append(message)
        await agent.hooks.invoke_callbacks_async(MessageAddedEvent(agent=agent, message=message))


async def update(agent: BidiAgent, message: Any) -> None:
    """Replace the message with the same tracking id, as the agent itself does."""
    index = next(i for i, old in enumerate(agent.messages) if old["tracking_id"] == message["tracking_id"])
    agent.messages[index] = message
    event = MessageUpdatedEvent(agent=agent, tracking_id=message["tracking_id"], message=message)
    await agent.hooks.invoke_callbacks_async(event)


def say(folder: Path, *texts: str, session_id: str = "s") -> list[Any]:
    """Add texts to a session and return the agent's history."""
    agent = open_agent(folder, session_id)
    asyncio.run(add(agent, *(text_message(text) for text in texts)))
    return copy.deepcopy(agent.messages)


def texts_of(folder: Path, session_id: str = "s") -> list[str]:
    """Return the texts that a new manager restores."""
    return [block["text"] for message in open_agent(folder, session_id).messages for block in message["content"]]
