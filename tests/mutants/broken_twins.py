"""Managers that come back with almost what was said, and one that keeps it in its own order, which is right."""

from __future__ import annotations

from typing import Any

from tests.conforming.snapshot_manager import SnapshotFileManager


class DropsAnUnknownKey(SnapshotFileManager):
    """Keeps of a text block its text alone."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [
            {**m, "content": [{"text": b["text"]} if "text" in b else b for b in m["content"]]} for m in agent.messages
        ]


class ReordersKeys(SnapshotFileManager):
    """Keeps every key, in the order of the alphabet from its end."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [_reordered(message) for message in agent.messages]


def _reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reordered(value[key]) for key in sorted(value, reverse=True)}
    return [_reordered(item) for item in value] if isinstance(value, list) else value
