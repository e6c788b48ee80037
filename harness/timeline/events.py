"""Events: what can happen in a conversation, each a plain record with a summary and a JSON form."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field, fields
from typing import Any

from ..sdk import Message
from .frames import frames_of, keep
from .plain_data import from_json, to_json
from .reading import Reading
from .summaries import blocks, one_message, shape, short


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

    ``managed`` is the state of a text agent's conversation manager; ``team`` is ``graph`` or ``swarm`` where several
    agents open it.
    """

    number: int = 0
    fresh: bool = False
    memory: list[Message] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    managed: dict[str, Any] = field(default_factory=dict)
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

    For a text model, its answer number ``connection`` was asked for by ``stream``. ``tools`` has the names of the tools
    that it was told of, and ``tool_specs`` all that it was told of them.
    """

    call: str = "start"
    connection: int = 0
    system_prompt: str | None = None
    tools: list[str] = field(default_factory=list)
    tool_specs: list[Any] = field(default_factory=list)
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
        return f"model.send() gets {blocks(self.content)}{outcome}"


@dataclass(frozen=True)
class ModelEmitted(Event):
    """The model emitted an output event, or ended its stream (``timeout``, ``end_stream``)."""

    connection: int = 0
    type: str = ""
    text: str = ""

    @property
    def summary(self) -> str:  # noqa: D102
        return f"the model emits {self.type}" + (f" {short(self.text)}" if self.text else "")


@dataclass(frozen=True)
class UserSent(Event):
    """The user's message was handed to ``agent.send``."""

    content: Any = None

    @property
    def summary(self) -> str:  # noqa: D102
        return f"the user sends {short(self.content)}"


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


def _qualified(kind: builtins.type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@dataclass(frozen=True)
class Failed(Event):
    """Something raised: ``where`` names the call that surfaced it to the application.

    ``type`` is the exception's name for people. ``kinds`` are the qualified names of its class and of all classes that
    it is derived from. It is judged by them: an author's own ``class Conflict(SessionException)`` is a
    ``SessionException``. ``frames`` are the lines of the backend author's own code that it went through.
    """

    where: str = ""
    error: str = ""
    type: str = ""
    kinds: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list, compare=False)

    @classmethod
    def by(cls, where: str, error: BaseException) -> Failed:
        """Return the event for an exception that a call raised."""
        kinds = [_qualified(kind) for kind in builtins.type(error).__mro__]
        keep(error)
        name = builtins.type(error).__name__
        return cls(where=where, error=str(error), type=name, kinds=kinds, frames=frames_of(error))

    def is_a(self, *kinds: builtins.type[BaseException]) -> bool:
        """Whether the exception is of one of some classes, or of one derived from them, in whatever process it was."""
        return not {_qualified(kind) for kind in kinds}.isdisjoint(self.kinds)

    @property
    def summary(self) -> str:  # noqa: D102
        return f"{self.where} raises {self.type}: {short(self.error, 160)}"

    @property
    def told(self) -> str:
        """What was raised, as :attr:`summary` says it, with so much of its text that the answer is in it."""
        return f"{self.where} raises {self.type}: {short(self.error, 1_000)}"


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
        managed: The state of its conversation manager (``ConversationManager.get_state``).
    """

    why: str = ""
    managed: dict[str, Any] = field(default_factory=dict)

    @property
    def removed(self) -> int:
        """How many messages its conversation manager says were removed from the history."""
        return int(self.managed.get("removed_message_count", 0))

    @property
    def summary(self) -> str:  # noqa: D102
        return f"{self.why}, {shape(self.memory)} in memory"


@dataclass(frozen=True)
class Asked(Event):
    """An invocation ended with interrupts: their names, reasons and ids."""

    interrupts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def summary(self) -> str:  # noqa: D102
        return "the user is asked " + ", ".join(short(interrupt.get("reason")) for interrupt in self.interrupts)


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
    where the node is a team itself, and ``tokens`` how many the node says that its models used. ``all_tokens`` and
    ``executions`` are what the team counts itself; 0 where this release of the SDK keeps no such count in its state.
    """

    status: str = ""
    nodes: list[str] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    messages: dict[str, list[Message]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    all_tokens: int = 0
    executions: int = 0

    @property
    def summary(self) -> str:  # noqa: D102
        return f"the team ends ({self.status}) after {', '.join(self.nodes) or 'no node'}"


@dataclass(frozen=True)
class TeamKnows(Event):
    """What a team knows (``serialize_state()``) as its process invokes it first, or as an invocation has ended.

    Hooks see it: the first one ahead of all that the invocation does, behind a manager that restores it then; the
    other one behind a manager that stores it.

    Attributes:
        when: ``restored`` or ``left``.
        state: A copy of its state.
    """

    when: str = "left"
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:  # noqa: D102
        how = "begins with" if self.when == "restored" else "leaves"
        results = ", ".join(self.state.get("node_results", {})) or "no node"
        return f"the team {how} the results of {results}, and is {self.state.get('status', 'of no status')}"


REDACTS = "a guardrail redacts the latest message"
"""What happened just before a manager is called to redact the message, which the event has as it shall be."""

REDACTED = "redact_latest_message() returns"
"""What happened where a manager has redacted the latest message, which the event has: nobody may be told it again."""


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
        return f"[session {short(self.session_id)}, agent {short(self.agent_id)}] {self.event.summary}"

    @property
    def stored(self) -> Reading | None:
        """What a reader found stored there then."""
        return getattr(self.event, "stored", None)


_EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        ProcessStarted, ProcessEnded, ModelStarted, ModelStopped, ModelReceived, ModelEmitted, UserSent,
        HookCalled, ToolRan, Failed, AgentStarted, AgentStopped, AgentAtRest,
        Asked, NodeRan, TeamEnded, TeamKnows, Happened, HappenedElsewhere,
    )
}  # fmt: skip


def event_to_json(event: Event) -> dict[str, Any]:
    """Return an event as what JSON can hold."""
    data: dict[str, Any] = {"kind": type(event).__name__}
    for item in fields(event):
        value = getattr(event, item.name)
        if isinstance(value, Reading):
            data[item.name] = value.to_data()
        elif isinstance(value, Event):
            data[item.name] = event_to_json(value)
        else:
            data[item.name] = to_json(value)
    return data


def event_from_json(data: dict[str, Any]) -> Event:
    """Build an event from what :func:`event_to_json` returned."""
    values = {name: _field_from_json(name, value) for name, value in data.items() if name != "kind"}
    return _EVENTS[data["kind"]](**values)


def _field_from_json(name: str, value: Any) -> Any:
    if name == "event" and isinstance(value, dict):
        return event_from_json(value)
    if name == "stored" and value is not None:
        return Reading.from_data(value)
    return from_json(value)
