"""The oracle: the history that a script makes, kept in plain lists, by the SDK's contract and no session manager."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from ..sdk import Message
from ..timeline import (
    AgentStopped,
    Event,
    Happened,
    ModelStarted,
    ProcessStarted,
    bidi_metadata,
    one_message,
    same,
    shape,
)
from .script import (
    Add,
    CallTools,
    Cancel,
    CleanUp,
    DeleteSession,
    DeleteState,
    DirectToolCall,
    Elsewhere,
    Emit,
    EndStream,
    Fail,
    HookRaises,
    Redact,
    Release,
    RestartProcess,
    ScheduledRestart,
    Script,
    Send,
    SetState,
    Start,
    Step,
    Stop,
    StopHookSetsState,
    StorageFails,
    StorageWorks,
    Timeout,
    ToolCall,
)
from .steps import WITHOUT_START

Place = tuple[str | None, str | None]
"""A session's id and an agent's id, each None for the conversation's own."""

OWN: Place = (None, None)
"""The conversation's own session and agent."""

_UNAVAILABLE = "[Transcript unavailable.]"
"""What the SDK writes for a transcript that never completed."""


@dataclass
class Expected:
    """A message of the history, as far as the script determines it.

    Attributes:
        message: Its role, content and metadata. Content that is None may be anything.
        optional: Whether it may be missing: storage failed when it was added.
        was: Another form that it may still have, just now.
    """

    message: dict[str, Any]
    optional: bool = False
    was: dict[str, Any] | None = None

    def fits(self, found: Message) -> bool:
        """Whether a message is this one."""
        return any(_fits(form, found) for form in (self.message, self.was) if form is not None)


def _fits(form: dict[str, Any], found: Message) -> bool:
    if form["content"] is None:
        return bool(form["role"] == found.get("role"))
    return same(gist(form), gist(found))


def gist(message: Any) -> dict[str, Any]:
    """Return what a script determines of a message: role, content, kind and status.

    What the SDK itself words is left out: the announcement of a tool's result, and the text of a tool's error.
    """
    about = bidi_metadata(message)
    content = []
    for block in message.get("content") or []:
        result = block.get("toolResult")
        if result is not None and (about.get("kind") == "tool_dispatch" or result.get("status") == "error"):
            block = {"toolResult": {key: value for key, value in result.items() if key != "content"}}
        content.append(block)
    return {"role": message.get("role"), "content": content, "kind": about.get("kind"), "status": about.get("status")}


def mismatch(expected: Sequence[Expected], found: Sequence[Message]) -> str | None:
    """Say where a history is not the expected one, or return None where it is."""
    optional = [place for place, one in enumerate(expected) if one.optional]
    first: str | None = None
    for count in range(len(optional) + 1):
        for missing in combinations(optional, count):
            here = [one for place, one in enumerate(expected) if place not in missing]
            differs = _first_mismatch(here, found)
            if differs is None:
                return None
            first = first or differs
    return first


def _first_mismatch(expected: Sequence[Expected], found: Sequence[Message]) -> str | None:
    for index, (want, have) in enumerate(zip(expected, found, strict=False)):
        if not want.fits(have):
            return f"message {index} is {one_message(have)} instead of {_shown(want)}"
    if len(found) < len(expected):
        gone = f"message {len(found)} is missing, {_shown(expected[len(found)])}"
        return f"{shape(list(found))} instead of {len(expected)}: {gone}"
    if len(found) > len(expected):
        extra = f"message {len(expected)} is too many, {one_message(found[len(expected)])}"
        return f"{shape(list(found))} instead of {len(expected)}: {extra}"
    return None


def _shown(expected: Expected) -> str:
    message: Any = expected.message
    return one_message(message) if message["content"] is not None else f"a message of the {message['role']}"


@dataclass(frozen=True)
class Checkpoint:
    """A moment at which the oracle knows a history: the timeline has an event of this kind for it, in this order.

    Attributes:
        kind: The kind of the event.
        place: Whose history it is.
        history: The history at that moment.
        state: The agent's state at that moment.
        new: Whether nothing was stored there before.
    """

    kind: type[Event]
    place: Place
    history: tuple[Expected, ...]
    state: dict[str, Any]
    new: bool = False


@dataclass
class _Stream:
    expected: Expected
    kind: str
    text: str = ""

    def finish(self, status: str) -> dict[str, Any]:
        text = self.text if status == "complete" or self.kind != "transcript" else _UNAVAILABLE
        block = {"reasoningContent": {"reasoningText": {"text": text}}} if self.kind == "reasoning" else {"text": text}
        return _message(self.expected.message["role"], [block], kind=self.kind, status=status)


def _message(role: str, content: list[Any] | None, **about: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": role, "content": content}
    return message | {"metadata": {"custom": {"bidi": about}}} if about else message


@dataclass
class Talk:
    """One agent in one process: what it has in memory, and what is under way.

    Attributes:
        history: The messages in memory.
        state: The agent's state.
        started: Whether it is started.
        stopped: Whether it was stopped before, in this process.
        over: Whether its connection came to an end that nothing but a stop can follow.
        silent: Whether the model's stream has ended.
        cancelled: Whether the next group of tools ends the conversation.
        streams: What the model streams just now, by content id.
        held: The groups of calls that wait for their tools, by the id of the held call.
        raising: The hook events at whose next call a hook raises.
        added: Whether the last message was added since it was started.
    """

    history: list[Expected] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    started: bool = False
    stopped: bool = False
    over: bool = False
    silent: bool = False
    cancelled: bool = False
    streams: dict[str, _Stream] = field(default_factory=dict)
    held: dict[str, tuple[ToolCall, ...]] = field(default_factory=dict)
    raising: set[str] = field(default_factory=set)
    added: bool = False
    failing: dict[str, int | None] = field(default_factory=dict)
    set_on_stop: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def listens(self) -> bool:
        """Whether the user can be heard: it is started, or starts by itself, and its connection is not over."""
        return not self.over if self.started else not self.stopped

    @property
    def speaks(self) -> bool:
        """Whether the model can emit something."""
        return self.listens and not self.silent

    def add(self, message: dict[str, Any], *, optional: bool = False) -> Expected:
        """Add a message to the history."""
        expected = Expected(message, optional)
        self.history.append(expected)
        self.added = True
        return expected

    def fails(self, call: str) -> bool:
        """Whether a call of the model fails now, as the script said."""
        times = self.failing.get(call, 0)
        if times is not None and times > 0:
            self.failing[call] = times - 1
        return times is None or times > 0

    def end_streams(self, *, unsettled: bool = False) -> None:
        """Let what was streamed stay incomplete.

        Args:
            unsettled: Whether it may be seen as pending for a moment: the SDK updates it beside what it does next.
        """
        for stream in self.streams.values():
            stream.expected.was = stream.expected.message if unsettled else None
            stream.expected.message = stream.finish("incomplete")
        self.streams.clear()


@dataclass
class _Stored:
    """What is stored of an agent: what it had in memory when it was last there."""

    history: list[Expected]
    state: dict[str, Any]


class Oracle:
    """Goes through a script's steps and knows, at every moment, the history that each agent should have.

    Args:
        script: The settings of the conversation. Its steps are not gone through by themselves.
        acknowledged: For each message sent while storage failed, whether the caller was not told of a failure.
        refused: The places that the backend refused to open.
    """

    def __init__(self, script: Script, *, acknowledged: Iterable[bool] = (), refused: Iterable[Place] = ()) -> None:
        self._script = script
        self._acknowledged = iter(acknowledged)
        self.refused = set(refused)
        self._stored: dict[Place, _Stored] = {}
        self._given: list[dict[str, Any]] = list(script.messages)
        self.talks: dict[Place, Talk] = {}
        self.checkpoints: list[Checkpoint] = []
        self.storage_fails = False
        self.places: set[Place] = {OWN}
        self._open(OWN)

    @classmethod
    def of(cls, script: Script, **known: Any) -> Oracle:
        """Return an oracle that has gone through a whole script."""
        oracle = cls(script, **known)
        for step in script.steps:
            oracle.apply(step)
        oracle.end_process()
        return oracle

    @property
    def own(self) -> Talk:
        """The conversation's own agent, in its present process."""
        return self.talks[OWN]

    @property
    def sessions(self) -> set[str | None]:
        """The ids of the sessions that are stored, None for the conversation's own."""
        return {session_id for session_id, _ in self._stored}

    def stored(self, place: Place) -> tuple[Expected, ...]:
        """Return the history that is to be found at a place after all."""
        kept = self._stored.get(place)
        return tuple(copy.copy(one) for one in kept.history) if kept is not None else ()

    def apply(self, step: Step, place: Place = OWN) -> None:
        """Go through one step."""
        if isinstance(step, RestartProcess):
            self.end_process()
            for care in step.meanwhile:
                self._care(care)
            self._open(OWN)
        elif isinstance(step, Elsewhere):
            self._elsewhere(step)
        else:
            talk = self.talks[place]
            if not isinstance(step, WITHOUT_START) and not talk.started and not talk.stopped:
                self.apply(Start(), place)
            self._effects(talk, step, place)

    def end_process(self) -> None:
        """Let the process end: agents that are started are stopped."""
        for place, talk in [*self.talks.items()][1:]:
            if talk.started:
                self.apply(Stop(), place)
        if not self.own.started and not self.own.stopped:
            self.apply(Start())
        if self.own.started:
            self.apply(Stop())
        self.talks.clear()

    # -- places --------------------------------------------------------------------------------------------

    def _open(self, place: Place) -> None:
        new = place not in self._stored
        if new:
            given = self._given if place == OWN else []
            self._stored[place] = _Stored([Expected(copy.deepcopy(message)) for message in given], {})
        stored = self._stored[place]
        self.places.add(place)
        # A process shares the list with what is stored, since each message is to be stored at once; a state is stored
        # when its agent stops.
        self.talks[place] = Talk(stored.history, dict(stored.state))
        self._check(ProcessStarted, place, self.talks[place], new=new)

    def _elsewhere(self, step: Elsewhere) -> None:
        place = (step.session_id, step.agent_id)
        if place in self.refused:
            return
        if place not in self.talks:
            self._open(place)
        for inner in step.steps:
            self.apply(inner, place)

    def _care(self, step: Step) -> None:
        for place in [*self._stored]:
            deleted = isinstance(step, DeleteSession) and place[0] == step.session_id
            if deleted or (isinstance(step, CleanUp) and step.days_later > 0):
                del self._stored[place]

    def _check(self, kind: type[Event], place: Place, talk: Talk, *, new: bool = False) -> None:
        history = tuple(copy.copy(expected) for expected in talk.history)
        self.checkpoints.append(Checkpoint(kind, place, history, dict(talk.state), new))

    # -- what steps do -------------------------------------------------------------------------------------

    def _effects(self, talk: Talk, step: Step, place: Place) -> None:
        if isinstance(step, Start):
            talk.started = not talk.fails("start")
            self._check(ModelStarted, place, talk)
        elif isinstance(step, Stop):
            self._stop(talk, place)
        elif isinstance(step, Send):
            self._send(talk, step)
        elif isinstance(step, Emit):
            for event in step.events:
                if talk.speaks:
                    _emit(talk, event)
        elif isinstance(step, CallTools):
            _call_tools(talk, step)
        elif isinstance(step, Release):
            _end_tools(talk, talk.held.pop(step.tool_use_id))
        elif isinstance(step, Timeout | ScheduledRestart):
            self._restart(talk, step, place)
        elif isinstance(step, Add):
            talk.add(copy.deepcopy(step.message))
        elif isinstance(step, Redact):
            talk.history[-1].message = {**talk.history[-1].message, "content": [{"text": step.text}]}
        elif isinstance(step, DirectToolCall):
            for role in ("user", "assistant", "user", "assistant"):
                talk.add(_message(role, None))
        elif isinstance(step, StorageFails | StorageWorks):
            self.storage_fails = isinstance(step, StorageFails)
            if not self.storage_fails:
                self._check(Happened, place, talk)
        elif isinstance(step, Fail):
            talk.failing[step.call] = step.times
        elif isinstance(step, EndStream):
            talk.end_streams()
            talk.silent = True
        elif isinstance(step, Cancel):
            talk.cancelled = True
        elif isinstance(step, SetState):
            talk.state[step.key] = step.value
        elif isinstance(step, DeleteState):
            talk.state.pop(step.key, None)
        elif isinstance(step, StopHookSetsState):
            talk.set_on_stop.append((step.key, step.value))
        elif isinstance(step, HookRaises):
            talk.raising.add(step.event)

    def _stop(self, talk: Talk, place: Place) -> None:
        talk.end_streams()
        talk.held.clear()
        talk.state.update(talk.set_on_stop)
        talk.set_on_stop.clear()
        talk.started = talk.over = talk.silent = talk.cancelled = talk.added = False
        talk.stopped = True
        self._stored[place].state = dict(talk.state)
        self._check(AgentStopped, place, talk)

    def _send(self, talk: Talk, step: Send) -> None:
        content = [{"text": step.content}] if isinstance(step.content, str) else copy.deepcopy(step.content)
        optional = self.storage_fails and not next(self._acknowledged, False)
        talk.add(_message("user", content), optional=optional)
        talk.raising.discard("message_added")
        talk.fails("send")

    def _restart(self, talk: Talk, step: Timeout | ScheduledRestart, place: Place) -> None:
        talk.end_streams(unsettled=True)
        if isinstance(step, Timeout) and not self._script.auto_restart:
            talk.over = True
            return
        self._check(ModelStarted, place, talk)
        for expected in talk.history:
            expected.was = None
        if talk.fails("restart" if self._script.restartable else "start"):
            talk.over = True
            return
        talk.silent = False
        for inner in step.during if isinstance(step, Timeout) else ():
            self.apply(inner, place)
        self._check(Happened, place, talk)


def _emit(talk: Talk, event: dict[str, Any]) -> None:
    kind, _, part = str(event["type"]).rpartition("_")
    if kind not in ("text", "reasoning", "transcript"):
        return
    content_id = event["content_id"]
    if part == "start":
        role = event.get("role", "assistant")
        pending = talk.add(_message(role, [], kind=kind, status="pending"))
        talk.streams[content_id] = _Stream(pending, kind)
    elif part == "delta":
        talk.streams[content_id].text += event["delta"]
    elif part == "stop":
        stream = talk.streams.pop(content_id)
        stream.expected.message = stream.finish("complete")
        if "message_updated" in talk.raising:
            talk.raising.discard("message_updated")
            talk.end_streams()
            talk.over = True


def _call_tools(talk: Talk, step: CallTools) -> None:
    announced = [{"toolResult": {"toolUseId": call.id, "status": "success", "content": []}} for call in step.calls]
    talk.add(_message("assistant", _uses(step.calls)))
    talk.add(_message("user", announced, kind="tool_dispatch"))
    held = [call for call in step.calls if call.held]
    if held:
        talk.held[held[0].id] = step.calls
        for call in step.calls:
            if not call.held:
                talk.state.update(call.state or {})
    else:
        _end_tools(talk, step.calls)


def _end_tools(talk: Talk, calls: tuple[ToolCall, ...]) -> None:
    for call in calls:
        talk.state.update(call.state or {})
    talk.add(_message("assistant", _uses(calls)))
    talk.add(_message("user", [_result(call) for call in calls], kind="tool_result"))
    if talk.cancelled:
        talk.over = True


def _uses(calls: Iterable[ToolCall]) -> list[dict[str, Any]]:
    return [{"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.input}} for call in calls]


def _result(call: ToolCall) -> dict[str, Any]:
    content = [{"text": call.result}] if isinstance(call.result, str) else copy.deepcopy(call.result)
    status = "success" if call.error is None else "error"
    return {"toolResult": {"toolUseId": call.id, "status": status, "content": content}}


__all__ = ["OWN", "Checkpoint", "Expected", "Oracle", "Place", "Talk", "gist", "mismatch"]
