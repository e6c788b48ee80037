"""An agent's memory: what of its history is stored, what it let go of, and how a restore puts it together again.

The SDK restores what follows the first N stored messages, N being what the conversation manager counted. That is not
what memory holds where messages are pinned, where a snapshot was loaded, where an application cleared, shortened or
reordered the history, or where something was counted that was never stored. So what memory let go of is noted with the
agent, as ranges of message ids, wherever the count does not say it. What others stored meanwhile is not gone: this
memory never held it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise, repeat
from operator import itemgetter
from typing import Any

from .codec import quick_bytes
from .messages import AsBytes, fingerprint, fingerprints, marshalled
from .ranges import Ranges

HELD = "held_messages"
"""The key of an agent's internal state under which :meth:`Memory.mark` is stored."""

_TRACKING_ID = itemgetter("tracking_id")

_NEAR_THE_END = 8
"""How far from the end of a history a message is looked for that was just added: others may have followed it."""


class Own:
    """The messages of a history that its conversation manager stores itself, with its own state.

    An application may add copies of them, under the same tracking ids: those are messages as all others. So is what
    memory holds in their place and says something else, as after a snapshot was loaded and edited.

    Args:
        messages: What the conversation manager stores; each has a tracking id.
        history: What memory holds.
    """

    def __init__(self, messages: Iterable[Any] = (), history: Iterable[Any] = ()) -> None:
        own = {message["tracking_id"]: message for message in messages}
        self._held: dict[str, Any] = dict.fromkeys(own)
        for message in history if own else ():
            name = message.get("tracking_id")
            if name in own and (message is own[name] or (self._held[name] is None and message == own[name])):
                self._held[name] = message

    def __bool__(self) -> bool:
        """Whether there are any, in memory or not."""
        return bool(self._held)

    def __contains__(self, message: Any) -> bool:
        """Whether a message of the history is one of them, and not a copy."""
        return self._held.get(message.get("tracking_id")) is message


@dataclass
class Memory:
    """What is known of an agent's history in memory.

    Attributes:
        offered: By tracking id, the fingerprints of messages as they were when they were given to be stored, of copies
            one of all of them; None where that is not known, and what memory holds is taken for it.
        held: How often the history held each of them, by tracking id, when it was looked at last.
        gone: The ids of stored messages that it held once and holds no more.
        made_up: The tracking ids of messages that a restore made up, which are not to be stored.
        next_id: The id that the next message is expected to get.
        latest: The tracking id of the message that was added or restored last; its id once it was redacted, which
            may have taken the tracking id from it. Others' messages may be stored behind it.
    """

    offered: dict[str, int | None] = field(default_factory=dict)
    held: Counter[str] = field(default_factory=Counter)
    gone: Ranges = field(default_factory=Ranges)
    made_up: set[str] = field(default_factory=set)
    next_id: int = 0
    latest: str | int | None = None
    _as_bytes: AsBytes = marshalled  # by which all of its fingerprints are made
    _order: list[Any] | None = None  # None before the first look: a history may be cleared before it
    _items: list[int | str] = field(default_factory=list)
    _own_at: int | None = None
    _own_gone: bool = False

    def begin(self, messages: list[Any], *, editable: bool) -> None:
        """Note what storage and memory both hold at the beginning; each message has a tracking id.

        Args:
            messages: The history.
            editable: Whether edits of these messages are to be told apart later, which costs their fingerprints now.
        """
        order = list(map(_TRACKING_ID, messages))
        self._as_bytes = quick_bytes() or marshalled
        prints = fingerprints(messages, self._as_bytes) if editable else repeat(None)
        self.offered.update(zip(order, prints, strict=False))
        self.held = Counter(dict.fromkeys(order, 1))
        if len(self.held) < len(order):
            self.held = Counter(order)
        if editable and len(self.held) < len(order):
            self.offered.update(_of_copies(messages, self._as_bytes))
        self.latest = order[-1] if order else None

    def told(self, message: Any, tracking_id: str, messages: list[Any]) -> None:
        """Note that the agent told of a message, which its history holds now, or did."""
        self.note(message, tracking_id)
        if not self.held[tracking_id] and any(other is message for other in islice(reversed(messages), _NEAR_THE_END)):
            self.held[tracking_id] = 1

    def note(self, message: Any, tracking_id: str) -> None:
        """Note that a message of the history is given to be stored."""
        self.offered[tracking_id] = fingerprint(message, self._as_bytes)

    def changed(self, messages: list[Any]) -> tuple[list[tuple[Any, int]], Collection[str]]:
        """Return the messages that are not stored as they are, in order, each with what :attr:`offered` is to note.

        Of copies under one tracking id either all are returned or none. Beside them, the tracking ids of which
        there are several.

        Args:
            messages: The history, but for messages that the conversation manager stores itself; each has a tracking id.
        """
        found = []
        as_bytes = self._as_bytes
        copies = _of_copies(messages, as_bytes) if len(set(map(_TRACKING_ID, messages))) < len(messages) else {}
        for message in messages:
            id = message["tracking_id"]
            if id in self.made_up:
                continue
            print = copies[id] if id in copies else fingerprint(message, as_bytes)
            if id in self.offered and self.offered[id] is None:
                self.offered[id] = print
            elif self.offered.get(id) != print:
                found.append((message, print))
        return found, copies.keys()

    def look(self, messages: list[Any], own: Own, ids_of: Callable[[str], list[int]]) -> None:
        """Note what the history holds, and what it holds no more.

        Args:
            messages: The history.
            own: What the conversation manager stores itself.
            ids_of: Returns the ids under which a tracking id is stored.
        """
        order = list(map(_TRACKING_ID, messages))
        if own:
            order = [None if message in own else name for message, name in zip(messages, order, strict=True)]
        if order == self._order and not any(isinstance(item, str) for item in self._items):
            return
        holds = Counter(name for name in order if name is not None)
        unused = {id: self.ids_of_copies(copies, ids_of(id)) for id, copies in holds.items()}
        for id, copies in list(self.held.items()):
            if holds[id] < copies:
                for stored in self._there(ids_of(id))[: copies - holds[id]]:
                    self.gone.add(stored)
        items: list[int | str] = []
        own_at = None
        for name in order:
            if name is None:
                own_at = len(items) if own_at is None else own_at
            elif unused[name]:
                items.append(unused[name].pop(0))
            elif name not in self.made_up:
                items.append(name)
        self._items = items
        self._own_at = own_at
        self._own_gone = bool(own) and own_at is None
        for item in self._items:
            if isinstance(item, int):
                self.gone.discard(item)
        self.held, self._order = holds, order
        self.offered = {id: print for id, print in list(self.offered.items()) if id in holds}

    def ids_of_copies(self, copies: int, ids: Sequence[int]) -> list[int]:
        """Return the ids of the copies of a message that the history holds, in the order in which it has them.

        Of those that it held before the first have gone; those that it had let go of come back where there are too few.

        Args:
            copies: How many the history holds; there may be fewer ids.
            ids: The ids under which their tracking id is stored.
        """
        there = self._there(ids)[-copies:]
        missing = copies - len(there)
        if missing <= 0:
            return there
        return sorted([*there, *[id for id in ids if id not in there][-missing:]])

    def _there(self, ids: Iterable[int]) -> list[int]:
        return [id for id in ids if id not in self.gone]

    def mark(self, counted: int) -> dict[str, Any] | None:
        """Return what a restore needs to put the history together; None where the SDK's way of counting does.

        Returns:
            ``gone``: ranges of message ids that it does not hold; ``held``, where its order is another than theirs:
            ranges of ids and tracking ids, in order; ``own_at``: how many messages stand ahead of those that the
            conversation manager restores itself; ``own_gone``: whether it does not hold those.

        Args:
            counted: How many messages the conversation manager counted as removed.
        """
        mark: dict[str, Any] = {}
        if self.gone.pairs() != ([[0, counted - 1]] if counted else []):
            mark["gone"] = self.gone.pairs()
        if not _ascend(self._items):
            mark["held"] = _as_ranges(self._items)
        if self._own_at:
            mark["own_at"] = self._own_at
        if self._own_gone:
            mark["own_gone"] = True
        return {"gone": self.gone.pairs(), **mark} if mark else None


def put_together(
    mark: Mapping[str, Any],
    stored: Mapping[int, Any],
    own: list[Any],
    *,
    name: Callable[[Any], str | None] = lambda message: message.get("tracking_id"),
) -> list[Any]:
    """Return the history that :meth:`Memory.mark` described.

    Args:
        mark: The description.
        stored: The stored messages by id, in ascending order.
        own: What the conversation manager restored itself.
        name: Returns the tracking id of what is stored.
    """
    gone = Ranges(mark["gone"])
    left = {id: message for id, message in stored.items() if id not in gone}
    ids_by_name: dict[str, list[int]] = {}
    if any(isinstance(item, str) for item in mark.get("held", ())):
        for id, message in left.items():
            ids_by_name.setdefault(name(message) or "", []).append(id)
    numbered = {id for item in mark.get("held", ()) if not isinstance(item, str) for id in range(item[0], item[1] + 1)}
    ahead: list[int] = []
    for item in mark.get("held", ()):
        if not isinstance(item, str):
            ahead += range(item[0], item[1] + 1)
        elif further := [id for id in ids_by_name.get(item, []) if id not in numbered]:
            ahead.append(further[0])
            numbered.add(further[0])
    messages = [left.pop(id) for id in dict.fromkeys(ahead) if id in left]
    messages += left.values()
    own_at = mark.get("own_at", 0)
    if mark.get("own_gone"):
        return messages
    return [*messages[:own_at], *own, *messages[own_at:]]


def _of_copies(messages: list[Any], as_bytes: AsBytes) -> dict[str, int]:
    """Return a fingerprint of all copies of each message that a history holds several times, by tracking id.

    Of copies that are alike, it is that of each.
    """
    prints: dict[str, list[int]] = {}
    copies = {id for id, count in Counter(map(_TRACKING_ID, messages)).items() if count > 1}
    for message in messages:
        if message["tracking_id"] in copies:
            prints.setdefault(message["tracking_id"], []).append(fingerprint(message, as_bytes))
    return {id: found[0] if len(set(found)) == 1 else hash(tuple(found)) for id, found in prints.items()}


def _ascend(items: list[int | str]) -> bool:
    """Whether ids ascend, with those that are not known yet behind them: they get higher ones."""
    known = [item for item in items if isinstance(item, int)]
    return items[: len(known)] == known and all(one < other for one, other in pairwise(known))


def _as_ranges(items: list[int | str]) -> list[Any]:
    ranges: list[Any] = []
    for item in items:
        if isinstance(item, int) and ranges and isinstance(ranges[-1], list) and ranges[-1][1] == item - 1:
            ranges[-1][1] = item
        else:
            ranges.append([item, item] if isinstance(item, int) else item)
    return ranges
