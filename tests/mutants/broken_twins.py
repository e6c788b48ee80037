"""Managers that come back with almost what was said, and two that are right, each in a way of its own."""

from __future__ import annotations

from typing import Any

from strands import tool
from strands.session import FileSessionManager

from tests.conforming.snapshot_manager import SnapshotFileManager


class DropsAnUnknownKey(SnapshotFileManager):
    """Keeps of a text block its text alone."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [
            {**m, "content": [{"text": b["text"]} if "text" in b else b for b in m["content"]]} for m in agent.messages
        ]


class DropsASignature(SnapshotFileManager):
    """Keeps all but one key of one kind of block."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [
            {**m, "content": [{k: b[k] for k in b if k != "signature" or "text" not in b} for b in m["content"]]}
            for m in agent.messages
        ]


class DropsAnUnknownKeyOverTheSdks(FileSessionManager):
    """Has all that the SDK's class does wrong, and drops a key by itself."""

    def create_message(self, session_id: str, agent_id: str, session_message: Any, **kwargs: Any) -> None:
        message = session_message.message
        content = [{key: block[key] for key in block if key != "aKeyToCome"} for block in message["content"]]
        session_message.message = {**message, "content": content}
        super().create_message(session_id, agent_id, session_message, **kwargs)


@tool
def recall(about: str) -> str:
    """Recall what was said."""
    return about


class BringsAToolOfItsOwn(SnapshotFileManager):
    """Once there is something to recall, the agent has a tool that recalls it."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        if self.read(self.path(agent.agent_id)) is not None:
            agent.tool_registry.process_tools([recall])
        super().initialize(agent, **kwargs)


class ReordersKeys(SnapshotFileManager):
    """Keeps every key, in the order of the alphabet from its end."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [_reordered(message) for message in agent.messages]


class KeepsOneMessageATrackingId(SnapshotFileManager):
    """Knows messages by their tracking ids, which the SDK says are unique within a conversation."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [*{message["tracking_id"]: message for message in agent.messages}.values()]


def _reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reordered(value[key]) for key in sorted(value, reverse=True)}
    return [_reordered(item) for item in value] if isinstance(value, list) else value
