"""Readings: what an independent reader found stored at one moment."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

from ..sdk import Message
from .plain_data import from_json, to_json
from .summaries import one_message, shape, short


@dataclass(frozen=True)
class Reading:
    """What an independent reader found stored at one moment.

    Attributes:
        messages: The restored history.
        state: The restored agent state.
        error: The exception's type and text where the session could not be read, else None.
        is_clear: Whether that exception is one of the SDK's for sessions (``SessionException``, ...).
        managed: The state of a text agent's conversation manager (``ConversationManager.get_state``).
    """

    messages: list[Message] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    is_clear: bool = False
    managed: dict[str, Any] = field(default_factory=dict)

    def __deepcopy__(self, _: dict[int, Any]) -> Reading:
        """Return the reading itself: its reader has made it of copies, and nobody changes it."""
        return self

    @property
    def removed(self) -> int:
        """How many messages a text agent's conversation manager says were removed from the history."""
        said = self.managed.get("removed_message_count", 0)
        return said if isinstance(said, int) else 0

    def find(self, tracking_id: str) -> Message | None:
        """Return the stored message with this tracking id, or None."""
        return next((m for m in self.messages if m.get("tracking_id") == tracking_id), None)

    def to_json(self) -> str:
        """Return the reading as JSON text, from which :meth:`from_json` builds it again."""
        return json.dumps(self.to_data())

    @classmethod
    def from_json(cls, text: str) -> Reading:
        """Build a reading from its JSON text."""
        return cls.from_data(json.loads(text))

    def to_data(self) -> dict[str, Any]:
        """Return the reading as what JSON can hold."""
        return {item.name: to_json(getattr(self, item.name)) for item in fields(self)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Reading:
        """Build a reading from what :meth:`to_data` returned."""
        return cls(**{name: from_json(value) for name, value in data.items()})


def one_reading(reading: Reading) -> str:
    """Show what a reader found in a few words: how many messages, and the last of them."""
    if reading.error is not None:
        return f"cannot be read: {short(reading.error, 160)}"
    if not reading.messages:
        return "no message"
    last = "; last: " + one_message(reading.messages[-1])
    return shape(reading.messages) + last
