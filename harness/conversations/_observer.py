"""User hooks, registered wherever users register them, that record what is stored when they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..sdk import (
    Agent,
    BidiAfterConnectionRestartEvent,
    BidiAgent,
    BidiAgentStopEvent,
    BidiBargeInEvent,
    BidiBeforeConnectionRestartEvent,
    BidiMessageAddedEvent,
    BidiResponseStopEvent,
    HookOrder,
    HookRegistry,
    Message,
    MessageAddedEvent,
    MessageUpdatedEvent,
)
from ..timeline import HookCalled, Reading, Timeline

_BIDI_EVENTS: list[tuple[type[Any] | None, str]] = [
    (BidiMessageAddedEvent, "message_added"),
    (MessageUpdatedEvent, "message_updated"),
    (BidiBeforeConnectionRestartEvent, "before_connection_restart"),
    (BidiAfterConnectionRestartEvent, "after_connection_restart"),
    (BidiResponseStopEvent, "response_stop"),
    (BidiBargeInEvent, "barge_in"),
    (BidiAgentStopEvent, "agent_stop"),
]

BIDI_EVENTS: dict[type[Any], str] = {kind: name for kind, name in _BIDI_EVENTS if kind is not None}
"""The events of a voice agent, those that the installed SDK has."""

TEXT_EVENTS: dict[type[Any], str] = {MessageAddedEvent: "message_added"}
"""The events of an ``Agent``, which replaces no message that it has added. Ends of invocations are recorded anyway."""

_WITH_MEMORY = ("before_connection_restart", "after_connection_restart", "agent_stop")
"""The events at which the agent's history is recorded: those of each message or turn would copy it again and again."""

EARLY_ORDER = HookOrder.SDK_FIRST + 1
"""The earliest order that the SDK leaves to users: ``SDK_FIRST`` is its own."""


LATEST_ORDER = HookOrder.SDK_LAST - 1
"""The latest order that the SDK leaves to users."""


class HookError(Exception):
    """What an observing hook raises where the script says that it does."""


class Observer:
    """A user's hooks, at four places, each of which records its calls in the timeline.

    Reading the stored session costs a restore, so only the earliest hook of an event reads always; a later one reads
    only while the earlier ones did not find the message stored.

    Args:
        timeline: Where calls are recorded.
        read_stored: Says what is stored at that moment.
        events: The events to listen to, each with the name that the timeline gives it.
        read_when_asked: The same, where :meth:`read_once` asked for it.
    """

    def __init__(
        self,
        timeline: Timeline,
        read_stored: Callable[[], Reading | None],
        events: dict[type[Any], str] = BIDI_EVENTS,
        read_when_asked: Callable[[], Reading | None] | None = None,
    ) -> None:
        self._events = events
        self._timeline = timeline
        self._read_stored = read_stored
        self._read_when_asked = read_when_asked or read_stored
        self._reading: set[str] = set()
        self._found: dict[int, Any] = {}  # by id; holding the event keeps its id from being used again
        self._raising: set[str] = set()
        self._set_on_stop: list[tuple[str, Any]] = []

    def register_hooks(self, registry: HookRegistry, **_: Any) -> None:
        """Register what a user gives the agent's constructor: hooks of an early and of the default order."""
        for kind in self._events:
            registry.add_callback(kind, self._hook("early"), order=EARLY_ORDER)
            registry.add_callback(kind, self._hook("constructor"))

    def register_on(self, agent: BidiAgent | Agent) -> None:
        """Register what a user adds to an agent that exists: hooks of the default and of the last order."""
        for kind in self._events:
            agent.add_hook(self._hook("added"), kind)
            agent.add_hook(self._hook("last"), kind, order=HookOrder.SDK_LAST)

    def raise_once(self, event: str) -> None:
        """Let the hook that the constructor was given raise at its next call for the event."""
        self._raising.add(event)

    def read_once(self, event: str) -> None:
        """Let the earliest hook look at what is stored at its next call for the event."""
        self._reading.add(event)

    def set_state_on_stop(self, key: str, value: Any) -> None:
        """Let the hook that was added to the agent set the agent's state at its next stop."""
        self._set_on_stop.append((key, value))

    def _hook(self, position: str) -> Callable[[Any], None]:
        def hook(event: Any) -> None:
            self._called(position, event)

        return hook

    def _called(self, position: str, event: Any) -> None:
        name = self._events[type(event)]
        message: Message | None = getattr(event, "message", None)
        stored = None
        if id(event) not in self._found:
            asked = position == "early" and name in self._reading
            if asked:
                self._reading.discard(name)
            stored = self._read_when_asked() if asked else self._read_stored()
            if stored is not None and _is_stored(message, stored):
                self._found[id(event)] = event
        raises = position == "constructor" and name in self._raising
        self._timeline.record(
            HookCalled(
                event=name,
                position=position,
                message=message,
                memory=event.agent.messages if name in _WITH_MEMORY else None,  # copied as all that is recorded is
                stored=stored,
                raises=raises,
            )
        )
        if position == "last":
            self._found.pop(id(event), None)
        if position == "added" and name == "agent_stop":
            for key, value in self._set_on_stop:
                event.agent.state.set(key, value)
            self._set_on_stop.clear()
        if raises:
            self._raising.discard(name)
            raise HookError(f"the script says that the hook on {name} raises")


def _is_stored(message: Message | None, stored: Reading) -> bool:
    return message is None or message in stored.messages
