"""Timelines: what did happen in a conversation, in order, as plain records with a JSON form."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from ..sdk import Message
from .plain_data import from_json, to_json


@dataclass(frozen=True)
class Reading:
    """What an independent reader found stored at one moment.

    Attributes:
        messages: The restored history.
        state: The restored agent state.
        error: The exception's type and text where the session could not be read, else None.
        is_clear: Whether that exception is one of the SDK's for sessions (``SessionException``, ...).
        removed: How many messages a text agent's conversation manager says were removed from the history.
    """

    messages: list[Message] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    is_clear: bool = False
    removed: int = 0

    def find(self, tracking_id: str) -> Message | None:
        """Return the stored message with this tracking id, or None."""
        return next((m for m in self.messages if m.get("tracking_id") == tracking_id), None)

    def to_json(self) -> str:
        """Return the reading as JSON text, from which :meth:`from_json` builds it again."""
        return json.dumps(_reading_to_json(self))

    @classmethod
    def from_json(cls, text: str) -> Reading:
        """Build a reading from its JSON text."""
        return cls(**from_json(json.loads(text)))


@dataclass(frozen=True)
class Event:
    """One thing that happened. ``at`` is its place in the timeline, counted from 0."""

    at: int = -1

    @property
    def summary(self) -> str:
        """What happened, in one line."""
        return type(self).__name__


@dataclass(frozen=True)
class ProcessStarted(Event):
    """A process opened the session. ``fresh`` is True for a process of its own.

    ``removed`` is how many messages a text agent's conversation manager says were removed from the history; ``team`` is
    ``graph`` or ``swarm`` where several agents open it.
    """

    number: int = 0
    fresh: bool = False
    memory: list[Message] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    removed: int = 0
    team: str = ""

    @property
    def summary(self) -> str:  # noqa: D102
        kind = "a new process" if self.fresh else "a new manager"
        if self.team:
            return f"{kind} opens the session with a {self.team}"
        return f"{kind} opens the session, restores {shape(self.memory)}"


@dataclass(frozen=True)
class ProcessEnded(Event):
    """A process ended: ``how`` is ``stopped`` or ``killed``."""

    how: str = "stopped"

    @property
    def summary(self) -> str:  # noqa: D102
        return f"the process ends ({self.how})"


@dataclass(frozen=True)
class ModelStarted(Event):
    """The model's connection ``connection`` was opened, by ``start`` or ``restart``, and given ``messages``.

    For a text model, its answer number ``connection`` was asked for by ``stream``.
    """

    call: str = "start"
    connection: int = 0
    system_prompt: str | None = None
    tools: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    failed: bool = False
    stored: Reading | None = None

    @property
    def summary(self) -> str:  # noqa: D102
        outcome = ", and fails as scripted" if self.failed else ""
        if self.call == "stream":
            return f"model.stream() is asked for answer {self.connection} with {shape(self.messages)}{outcome}"
        return f"model.{self.call}() opens connection {self.connection} with {shape(self.messages)}{outcome}"


@dataclass(frozen=True)
class ModelStopped(Event):
    """The model's connection was closed by the agent."""

    connection: int = 0

    @property
    def summary(self) -> str:  # noqa: D102
        return f"model.stop() closes connection {self.connection}"


@dataclass(frozen=True)
class ModelReceived(Event):
    """The model was sent something: user content or tool results, as content blocks."""

    connection: int = 0
    content: list[dict[str, Any]] = field(default_factory=list)
    failed: bool = False
    stored: Reading | None = None

    @property
    def summary(self) -> str:  # noqa: D102
        outcome = ", and fails as scripted" if self.failed else ""
        return f"model.send() gets {_blocks(self.content)}{outcome}"


@dataclass(frozen=True)
class ModelEmitted(Event):
    """The model emitted an output event, or ended its stream (``timeout``, ``end_stream``)."""

    connection: int = 0
    type: str = ""
    text: str = ""

    @property
    def summary(self) -> str:  # noqa: D102
        return f"the model emits {self.type}" + (f" {_short(self.text)}" if self.text else "")


@dataclass(frozen=True)
class UserSent(Event):
    """The user's message was handed to ``agent.send``."""

    content: Any = None

    @property
    def summary(self) -> str:  # noqa: D102
        return f"the user sends {_short(self.content)}"


@dataclass(frozen=True)
class HookCalled(Event):
    """A user's hook was called.

    Attributes:
        event: The hook event, in snake case: ``message_added``, ``before_connection_restart``, ...
        position: Where the hook was registered: ``early`` (an order just above ``SDK_FIRST``), ``constructor``,
            ``added`` (``agent.add_hook`` after the agent was made) or ``last`` (``SDK_LAST``).
        message: The message that the event tells of, if any.
        memory: The agent's history, for the events of connections and of stopping.
        stored: What a reader found at that moment; None at later positions once the earliest found it stored.
        raises: Whether the hook then raised, as scripted.
    """

    event: str = ""
    position: str = ""
    message: Message | None = None
    memory: list[Message] | None = None
    stored: Reading | None = None
    raises: bool = False

    @property
    def summary(self) -> str:  # noqa: D102
        told = f" {one_message(self.message)}" if self.message is not None else ""
        return f"hook {self.event} ({self.position}){told}" + (", and raises as scripted" if self.raises else "")


@dataclass(frozen=True)
class ToolRan(Event):
    """A scripted tool began (``begins``) or ended (``ends``, ``raises``)."""

    name: str = ""
    tool_use_id: str = ""
    what: str = "begins"

    @property
    def summary(self) -> str:  # noqa: D102
        return f"tool {self.name} ({self.tool_use_id}) {self.what}"


@dataclass(frozen=True)
class Failed(Event):
    """Something raised: ``where`` names the call that surfaced it to the application."""

    where: str = ""
    error: str = ""
    type: str = ""

    @property
    def summary(self) -> str:  # noqa: D102
        return f"{self.where} raises {self.type}: {_short(self.error, 160)}"


@dataclass(frozen=True)
class AgentStarted(Event):
    """``agent.start()`` returned. ``stored`` is what a reader found then."""

    stored: Reading | None = None
    bytes_stored: int | None = None

    @property
    def summary(self) -> str:  # noqa: D102
        return "agent.start() returns"


@dataclass(frozen=True)
class AgentStopped(Event):
    """``agent.stop()`` returned, or raised: what was in memory then, and what was stored."""

    memory: list[Message] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    stored: Reading | None = None

    @property
    def summary(self) -> str:  # noqa: D102
        return f"agent.stop() returns, {shape(self.memory)} in memory"


@dataclass(frozen=True)
class AgentAtRest(AgentStopped):
    """A text agent's invocation ended, or its process is about to: nothing is under way.

    Attributes:
        why: Why it is at rest, in words.
        removed: How many messages its conversation manager says were removed from the history.
    """

    why: str = ""
    removed: int = 0

    @property
    def summary(self) -> str:  # noqa: D102
        return f"{self.why}, {shape(self.memory)} in memory"


@dataclass(frozen=True)
class Asked(Event):
    """An invocation ended with interrupts: their names, reasons and ids."""

    interrupts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def summary(self) -> str:  # noqa: D102
        return "the user is asked " + ", ".join(_short(interrupt.get("reason")) for interrupt in self.interrupts)


@dataclass(frozen=True)
class NodeRan(Event):
    """A node of a team began or ended: hooks were told of it."""

    node: str = ""
    what: str = "begins"

    @property
    def summary(self) -> str:  # noqa: D102
        return f"node {self.node} {self.what}"


@dataclass(frozen=True)
class TeamEnded(Event):
    """A team's invocation ended: its status, the nodes that it says ran, in order, and what came of each.

    ``results`` has the text of each node's result, ``messages`` the messages of its agents' results: of several agents
    where the node is a team itself.
    """

    status: str = ""
    nodes: list[str] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    messages: dict[str, list[Message]] = field(default_factory=dict)

    @property
    def summary(self) -> str:  # noqa: D102
        return f"the team ends ({self.status}) after {', '.join(self.nodes) or 'no node'}"


@dataclass(frozen=True)
class Happened(Event):
    """Something the application, a guardrail or the harness did, in words."""

    what: str = ""
    message: Message | None = None
    memory: list[Message] | None = None
    stored: Reading | None = None

    @property
    def summary(self) -> str:  # noqa: D102
        return self.what


@dataclass(frozen=True)
class HappenedElsewhere(Event):
    """Something happened to another agent of the session, or in another session of the workspace."""

    session_id: str = ""
    agent_id: str = ""
    event: Event = field(default_factory=Event)

    @property
    def summary(self) -> str:  # noqa: D102
        return f"[session {_short(self.session_id)}, agent {_short(self.agent_id)}] {self.event.summary}"

    @property
    def stored(self) -> Reading | None:
        """What a reader found stored there then."""
        return getattr(self.event, "stored", None)


_EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        ProcessStarted, ProcessEnded, ModelStarted, ModelStopped, ModelReceived, ModelEmitted, UserSent,
        HookCalled, ToolRan, Failed, AgentStarted, AgentStopped, AgentAtRest,
        Asked, NodeRan, TeamEnded, Happened, HappenedElsewhere,
    )
}  # fmt: skip

E = TypeVar("E", bound=Event)


class Timeline:
    """The events of one conversation, in the order in which they happened.

    Iterating yields the events; :meth:`of` those of a kind.
    """

    def __init__(self, events: list[Event] | None = None) -> None:
        self._events: list[Event] = []
        self._listeners: list[Callable[[Event], object]] = []
        for event in events or []:
            self.record(event)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def record(self, event: E) -> E:
        """Append a copy of ``event`` that nothing can change any more, and return it."""
        recorded = replace(copy.deepcopy(event), at=len(self._events))
        self._events.append(recorded)
        for listener in self._listeners:
            listener(recorded)
        return recorded

    def listen(self, listener: Callable[[Event], object]) -> None:
        """Let ``listener`` be given each event after it was recorded, in the thread that recorded it."""
        self._listeners.append(listener)

    def extend(self, other: Timeline) -> None:
        """Append the events of a later process."""
        for event in other:
            self._events.append(replace(event, at=len(self._events)))

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind, in order."""
        return [event for event in self._events if isinstance(event, kind)]

    def hooks(self, event: str) -> list[HookCalled]:
        """Return the calls of users' hooks for one hook event, in order."""
        return [call for call in self.of(HookCalled) if call.event == event]

    def around(self, *places: int, before: int = 4, after: int = 2) -> str:
        """Draw the timeline around some events, one line an event, the events themselves marked with ``>``."""
        wanted = {at for place in places for at in range(place - before, place + after + 1)}
        lines: list[str] = []
        previous = -1
        for event in self._events:
            if event.at not in wanted:
                continue
            if event.at != previous + 1:
                lines.append("        ...")
            previous = event.at
            mark = ">" if event.at in places else " "
            lines.append(f"  {mark} {event.at:>3}  {event.summary}")
            stored = getattr(event, "stored", None)
            if stored is not None:
                lines.append(f"           stored: {one_reading(stored)}")
        if previous < len(self._events) - 1:
            lines.append("        ...")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.around(*(), before=0) if not self._events else "\n".join(
            f"    {event.at:>3}  {event.summary}" for event in self._events
        )  # fmt: skip

    def to_json(self) -> str:
        """Return the timeline as JSON text, from which :meth:`from_json` builds it again."""
        return json.dumps([_event_to_json(event) for event in self._events])

    @classmethod
    def from_json(cls, text: str) -> Timeline:
        """Build a timeline from its JSON text."""
        timeline = cls()
        timeline._events.extend(map(_event_from_json, json.loads(text)))
        return timeline


def _reading_to_json(reading: Reading) -> dict[str, Any]:
    return {item.name: to_json(getattr(reading, item.name)) for item in fields(reading)}


def _event_to_json(event: Event) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": type(event).__name__}
    for item in fields(event):
        value = getattr(event, item.name)
        if isinstance(value, Reading):
            data[item.name] = _reading_to_json(value)
        elif isinstance(value, Event):
            data[item.name] = _event_to_json(value)
        else:
            data[item.name] = to_json(value)
    return data


def _event_from_json(data: dict[str, Any]) -> Event:
    values = {name: _field_from_json(name, value) for name, value in data.items() if name != "kind"}
    return _EVENTS[data["kind"]](**values)


def _field_from_json(name: str, value: Any) -> Any:
    if name == "event" and isinstance(value, dict):
        return _event_from_json(value)
    if name == "stored" and value is not None:
        return Reading(**{key: from_json(item) for key, item in value.items()})
    return from_json(value)


def _short(value: Any, width: int = 60) -> str:
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, str):
        text = f'"{text}"' if text.isprintable() else repr(text)
    return text if len(text) <= width else f"{text[: width - 2]}…" + text[-1]


def _blocks(content: list[dict[str, Any]] | list[Any]) -> str:
    shown = []
    for block in content:
        kind = next(iter(block), "nothing") if isinstance(block, dict) else "?"
        if kind == "text":
            shown.append(_short(block["text"]))
        elif kind == "toolUse":
            shown.append(f"toolUse {block['toolUse'].get('toolUseId')}")
        elif kind == "toolResult":
            result = block["toolResult"]
            shown.append(f"toolResult {result.get('toolUseId')} {result.get('status')}")
        elif kind == "reasoningContent":
            shown.append("reasoning")
        else:
            shown.append(kind)
    return f"[{', '.join(shown)}]"


def one_message(message: Message | None) -> str:
    """Show a message in a few words: role, content, tracking id, and a stream's status."""
    if message is None:
        return "nothing"
    bidi = ((message.get("metadata") or {}).get("custom") or {}).get("bidi") or {}
    status = f" {bidi['status']}" if "status" in bidi else ""
    tracking_id = message.get("tracking_id")
    short_id = f" #{tracking_id[:8]}" if tracking_id else ""
    return f"{message.get('role')} {_blocks(list(message.get('content') or []))}{status}{short_id}"


def shape(messages: list[Message]) -> str:
    """Say how many messages a history has."""
    return "an empty history" if not messages else f"{len(messages)} message{'s' * (len(messages) > 1)}"


def one_reading(reading: Reading) -> str:
    """Show what a reader found in a few words: how many messages, and the last of them."""
    if reading.error is not None:
        return f"cannot be read: {_short(reading.error, 160)}"
    if not reading.messages:
        return "no message"
    last = "; last: " + one_message(reading.messages[-1])
    return shape(reading.messages) + last
