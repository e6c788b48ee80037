"""Collecting: the changes of several calls, made durable at once.

The SDK calls ``append_message()``, which calls ``create_message()``, then ``sync_agent()``, which calls
``update_agent()``; a subclass may override any of them. They are called here the same way, and what they store is
collected and committed together, in one write, by whoever began to collect.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from .history import Change
from .redactions import Redaction


@dataclass(frozen=True)
class Place:
    """Where a message is to be stored, that an agent's memory holds.

    Attributes:
        tracking_id: The message's tracking id, also where a subclass stores another message in its place.
        replaces: Whether it takes the place of what has that tracking id.
        id: The id of the one message that it takes the place of, where that has no tracking id in storage, or is one of
            several copies.
        is_copy: Whether it is one of several.
    """

    tracking_id: str
    replaces: bool
    id: int | None = None
    is_copy: bool = False


@dataclass
class Collected:
    """What was collected.

    Attributes:
        owner: The repository that collects.
        only_record: Whether ``sync_agent()`` is to look at the agent's state alone: its history is known to be stored.
        changes: By session, the changes that are to be committed together.
        places: By agent and message id, where ``create_message()`` is to store what it is given next.
        told_of: The tracking id of the message that ``append_message()`` is called for: a subclass may hand on another
            one, without it.
        replaces: Whether ``append_message()`` is given what replaces a message.
        replaced: The id of the one that it replaces, where several copies of it are stored.
        is_left_over: Whether it is given what the agent told nobody of.
        redaction: The redaction that ``update_message()`` is to make.
    """

    owner: Any
    only_record: bool = False
    told_of: str | None = None
    replaces: bool = False
    replaced: int | None = None
    is_left_over: bool = False
    changes: dict[str, list[Change]] = field(default_factory=dict)
    places: dict[tuple[str, int], Place] = field(default_factory=dict)
    redaction: Redaction | None = None


_current: ContextVar[weakref.ref[Collected] | None] = ContextVar("collected", default=None)
"""What is collected, as long as somebody does: what the handler of a signal breaks off, between any two steps, collects
nothing for ever. What was collected after that would be acknowledged, and never stored.
"""


def collected_by(owner: Any) -> Collected | None:
    """Return what a repository collects in the running task or thread, if it does."""
    current = _current.get()
    found = current() if current is not None else None
    return found if found is not None and found.owner is owner else None


@contextmanager
def collecting(collected: Collected) -> Iterator[Collected]:
    """Collect what a repository is to store, within the running task or thread."""
    before = _current.get()
    try:
        _current.set(weakref.ref(collected))
        yield collected
    finally:
        _current.set(before)
