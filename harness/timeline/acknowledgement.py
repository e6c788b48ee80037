"""Acknowledgement: what a manager has vouched for by a moment, and whether a restored history holds it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..sdk import Message
from .events import REDACTED, AgentStopped, Event, Happened, HookCalled
from .history import answers, essence, is_pending, same
from .reading import Reading
from .summaries import one_message, shape
from .timeline import Timeline

_NEVER = sys.maxsize
"""The number of no event: what has it may come back, and was not acknowledged."""


def acknowledged_by(event: Event) -> Message | None:
    """Return the message that is acknowledged by a hook's being told of it, or by a redaction's return; else None."""
    told = isinstance(event, HookCalled) and event.position == "early"
    redacted = isinstance(event, Happened) and event.what == REDACTED
    message: Message | None = getattr(event, "message", None)
    return message if told or redacted else None


@dataclass
class _Told:
    """A message, in all the versions that it had, each with the number of the event that told of it."""

    versions: list[tuple[int, Message]] = field(default_factory=list)

    def by(self, event: int) -> list[Message]:
        return [message for at, message in self.versions if at <= event]


class Acknowledged:
    """What was acknowledged in a conversation, and when.

    A message is acknowledged when the first hook that a user can register is told of it (``D``: persistence before
    hooks), when ``stop()`` has returned all that memory holds is, and what is put in place of the latest message when
    ``redact_latest_message()`` has returned (``A``: changes are persisted immediately after they are made).

    Args:
        timeline: What happened. Its script must be one in which only one message at a time is under way.
        at_stop: Whether ``stop()`` acknowledges, too. Where faults were made, somebody was told that a message could
            not be stored, and need not have it stored at a stop; it may be.
    """

    def __init__(self, timeline: Timeline, *, at_stop: bool = True) -> None:
        self._told: dict[str, _Told] = {}
        in_memory: list[Message] = []
        for event in timeline:
            message = acknowledged_by(event)
            if message is not None:
                self._note(event.at, message)
            elif isinstance(event, AgentStopped) and at_stop:
                for message in event.memory:
                    self._note(event.at, message)
            elif isinstance(event, AgentStopped):
                in_memory += event.memory
        for message in in_memory:
            self._note(_NEVER, message)

    def _note(self, at: int, message: Message) -> None:
        told = self._told.setdefault(message.get("tracking_id") or "", _Told())
        if not told.versions or not same(essence(told.versions[-1][1]), essence(message)):
            told.versions.append((at, message))

    def allow(self, message: Message) -> None:
        """Note what a message would have become next, had nothing been killed: it may come back, and need not."""
        self._note(_NEVER, message)

    def problem(self, reading: Reading, event: int) -> str | None:
        """Say what is wrong with a history that was restored after a crash, or return None.

        Args:
            reading: What a reader restored.
            event: The number of the timeline's last event before the crash; -1 if there was none.
        """
        if reading.error is not None:
            return f"it cannot be restored: {reading.error}"
        return self._missing(reading.messages, event) or self._beside(reading.messages, event)

    def missing(self, reading: Reading, event: int) -> str | None:
        """Say what of all that was acknowledged by an event did not come back, or return None.

        Args:
            reading: What a reader restored, which may hold what came later as well.
            event: The number of an event; -1 for none.
        """
        if reading.error is not None:
            return f"it cannot be restored: {reading.error}"
        return self._missing(reading.messages, event)

    def lost(self, reading: Reading, event: int) -> int:
        """Return how many messages that were acknowledged by an event did not come back as they were.

        Args:
            reading: What a reader restored.
            event: The number of an event.
        """
        by_id = {message.get("tracking_id"): message for message in reading.messages}
        lost = 0
        for id, told in self._told.items():
            versions = told.by(event)
            kept = [number for number, message in enumerate(versions) if not is_pending(message)]
            found = by_id.get(id)
            later = [version for _, version in told.versions[kept[-1] :]] if kept else []
            came_back = found is not None and any(same(essence(found), essence(version)) for version in later)
            lost += bool(kept) and not came_back
        return lost

    def _missing(self, found: Sequence[Message], event: int) -> str | None:
        by_id = {message.get("tracking_id"): message for message in found}
        for id, told in self._told.items():
            versions = told.by(event)
            kept = [number for number, message in enumerate(versions) if not is_pending(message)]
            message = by_id.get(id)
            if message is None:
                if kept:
                    return f"{one_message(versions[kept[-1]])} is missing, and {shape(list(found))} came back"
                continue
            allowed = told.versions[kept[-1] if kept else 0 :]
            if not any(same(essence(message), essence(version)) for _, version in allowed) and not (
                not kept and message["content"] == told.versions[0][1]["content"]
            ):
                expected = versions[-1] if versions else told.versions[0][1]
                return f"{one_message(message)} came back instead of {one_message(expected)}"
        return None

    def _beside(self, found: Sequence[Message], event: int) -> str | None:
        order = list(self._told)
        known = [message.get("tracking_id") or "" for message in found if message.get("tracking_id") in self._told]
        if known != sorted(known, key=order.index) or len(set(known)) != len(known):
            return "the messages came back in another order, or twice"
        unacknowledged = 0
        for index, message in enumerate(found):
            told = self._told.get(message.get("tracking_id") or "")
            if told is not None and told.by(event):
                continue
            if index and answers(message, found[index - 1]):
                continue  # with the tool use, or made up by a restore that answers tool uses
            if told is None:
                return f"{one_message(message)} came back, which nobody ever said"
            unacknowledged += 1
        if unacknowledged > 1:
            return f"{unacknowledged} messages came back that were not acknowledged, where only one was under way"
        return None

    def no_prefix(self, reading: Reading) -> str | None:
        """Say why a history that was read while another process wrote is no prefix of what was said, or return None."""
        if reading.error is not None:
            return f"it cannot be read: {reading.error}"
        for index, (id, told) in enumerate(self._told.items()):
            if index == len(reading.messages):
                return None
            message = reading.messages[index]
            if message.get("tracking_id") != id:
                return f"message {index} is {one_message(message)} instead of {one_message(told.versions[0][1])}"
            if not any(same(essence(message), essence(version)) for _, version in told.versions):
                return f"message {index} is {one_message(message)}, which it never was"
        return (
            f"it has {len(reading.messages)} messages where {len(self._told)} were ever said"
            * (len(reading.messages) > len(self._told))
            or None
        )
