"""Message indexes: what is known of an agent's stored messages without their content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter, lt
from typing import Any

_TRACKING_ID = itemgetter("tracking_id")


@dataclass
class MessageIndex:
    """The ids and tracking ids of an agent's messages, and which of them are placeholders.

    Attributes:
        next_id: The id of a message that is added without one.
        pending: The tracking ids of messages that are stored as placeholders of a stream.
        redacted: By tracking id, the change that notes that a message was redacted.
    """

    next_id: int = 0
    pending: set[str] = field(default_factory=set)
    redacted: dict[str, dict[str, Any]] = field(default_factory=dict)
    _first: dict[str, int] = field(default_factory=dict)  # the id of the first message with a tracking id
    _more: dict[str, list[int]] = field(default_factory=dict)  # and those of others, where there are any

    def add(self, id: int | None, message: Any) -> int:
        """Note a message that is added, with the next free id where none is given, and return its id."""
        if id is None:
            id = self.next_id
        if id >= self.next_id:
            self.next_id = id + 1
        tracking_id = message.get("tracking_id")
        if tracking_id:
            if self._first.setdefault(tracking_id, id) != id:
                self._name(tracking_id, id)
            if "metadata" in message and is_pending(message):
                self.pending.add(tracking_id)
            elif self.pending:
                self.pending.discard(tracking_id)
        return id

    def add_many(self, ids: Sequence[int | None], messages: Sequence[Any]) -> Sequence[int] | None:
        """Note messages that are added one after another, as fast as that can be, and return their ids.

        None where they have to be added one by one, and nothing was noted: one has no tracking id, or one that another
        message has, or ids that do not ascend.
        """
        try:
            names = list(map(_TRACKING_ID, messages))
            numbers: Sequence[Any] = ids
            if {*ids} == {None}:
                numbers = range(self.next_id, self.next_id + len(names))
            elif ids[0] < self.next_id or not all(map(lt, ids, ids[1:])):  # type: ignore[operator,arg-type]
                return None
            first = dict(zip(names, numbers, strict=True))
        except (KeyError, TypeError):
            return None
        if not all(names) or len(first) < len(names) or not self._first.keys().isdisjoint(first):
            return None
        self.pending.update(
            message["tracking_id"] for message in messages if "metadata" in message and is_pending(message)
        )
        self._first = {**self._first, **first} if self._first else first
        self.next_id = numbers[-1] + 1
        return numbers

    def has_taken_over(self, change: Mapping[str, Any]) -> bool:
        """Whether a message is there that a change takes over (:func:`.history.message_taken_over`)."""
        copies: int = change.get("copy", 0)
        return len(self.ids(change["message"]["tracking_id"])) > copies

    def replace(self, id: int | None, message: Any) -> list[int]:
        """Note a message that is replaced: the one with an id, or those with its tracking id; add it where none has it.

        Returns:
            The ids of what is replaced or added.
        """
        tracking_id = message.get("tracking_id")
        ids = [id] if id is not None else self.ids(tracking_id)
        if not ids:
            return [self.add(None, message)]
        if tracking_id and id is not None:  # which may be another than it had, by which agents still know it
            self._name(tracking_id, id)
        if tracking_id and is_pending(message):
            self.pending.add(tracking_id)
        elif tracking_id:
            self.pending.discard(tracking_id)
        return ids

    def redact(self, note: dict[str, Any]) -> None:
        """Note that a message was redacted, and that its tracking id still stands for it, whatever replaced it."""
        tracking_id = note["tracking_id"]
        self.redacted[tracking_id] = note
        self.pending.discard(tracking_id)
        for id in note["ids"]:
            self._name(tracking_id, id)

    def _name(self, tracking_id: str, id: int) -> None:
        first = self._first.setdefault(tracking_id, id)
        if first != id and id not in (more := self._more.setdefault(tracking_id, [])):
            more.append(id)

    def has(self, tracking_id: str) -> bool:
        """Whether one of the messages has a tracking id."""
        return tracking_id in self._first

    def ids(self, tracking_id: str | None) -> list[int]:
        """Return the ids of the messages with a tracking id."""
        if not tracking_id or tracking_id not in self._first:
            return []
        return [self._first[tracking_id], *self._more.get(tracking_id, ())]

    def tracking_id(self, id: int) -> str | None:
        """Return the tracking id of the message with an id, if it has one."""
        return next(iter(self.tracking_ids(id)), None)

    def tracking_ids(self, id: int) -> list[str]:
        """Return the tracking id of the message with an id, and those that it had before, as far as they are known."""
        names = [name for name, at in reversed(self._first.items()) if at == id]
        return names + [name for name, ids in self._more.items() if id in ids]


def is_pending(message: Any) -> bool:
    """Whether a message is the placeholder of a stream (``BidiContentMetadata.status``)."""
    try:
        return bool(message["metadata"]["custom"]["bidi"]["status"] == "pending")
    except (KeyError, TypeError):  # most messages are none; a restore asks this of each
        return False
