"""Scripts: what shall happen in a conversation, as plain steps with a JSON form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from .plain_data import from_json, to_json

Role = Literal["user", "assistant"]
ModelCall = Literal["start", "restart", "send", "stream", "overflow"]
ProcessEnd = Literal["stopped", "killed"]


@dataclass(frozen=True)
class Step:
    """One thing that happens in a conversation. ``op`` is its name in a script's JSON form."""

    op: ClassVar[str] = ""


@dataclass(frozen=True)
class Send(Step):
    """The user sends one message: text, or content blocks as the agent takes them.

    Attributes:
        content: The message.
        structured: Whether the application asks a text agent for structured output with it, a
            :class:`~session_conformance.harness.text_agent.Booking`.
    """

    op: ClassVar[str] = "send"
    content: Any = ""
    structured: bool = False


@dataclass(frozen=True)
class SendAudio(Step):
    """The user sends a delta of live audio, which is never part of the history."""

    op: ClassVar[str] = "send_audio"
    data: bytes = b"\0\0"


@dataclass(frozen=True)
class Emit(Step):
    """The model emits output events in this order; the step ends when the agent has handled them all.

    Each event is a dict with ``type`` (an SDK event's name without its ``Bidi`` and ``Event``, in snake case:
    ``text_start``, ``transcript_delta``, ``barge_in``, ...) and the arguments of that event's class.
    """

    op: ClassVar[str] = "emit"
    events: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class ToolCall:
    """A call that the scripted model requests, and what the tool then does.

    Attributes:
        name: The tool's name.
        input: The arguments the model gives it.
        id: The tool use id; unique in a script.
        result: The text, or the list of tool result content blocks, that the tool gives back.
        error: If set, the tool raises with this text.
        state: Keys and values the tool sets in the agent's state.
        held: Whether the tool runs until the script lets it go on (:class:`Release`).
        asks: If set, the user is asked this by an interrupt before the tool does anything (text agents).
        asked_by: Who asks: the ``tool`` itself, or a ``hook`` ahead of it.
    """

    name: str
    input: dict[str, Any]
    id: str
    result: Any = "done"
    error: str | None = None
    state: dict[str, Any] | None = None
    held: bool = False
    asks: str | None = None
    asked_by: Literal["tool", "hook"] = "tool"


@dataclass(frozen=True)
class CallTools(Step):
    """The model requests a group of tool calls; the step ends when their results reached the model.

    With a held call in the group it ends when the tools have begun.
    """

    op: ClassVar[str] = "call_tools"
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class Release(Step):
    """Lets a held tool go on; the step ends when the result of its group reached the model, or failed to."""

    op: ClassVar[str] = "release"
    tool_use_id: str = ""


@dataclass(frozen=True)
class Answer(Step):
    """The user answers all that the agent has asked by interrupts; the step ends as that of a group of calls does.

    Attributes:
        response: The answer.
        calls: What the tools do that were interrupted, for a process that is another than that in which they were.
    """

    op: ClassVar[str] = "answer"
    response: Any = "yes"
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class NodeWill(Step):
    """From now on in this process, a node of a team will fail once, wait for ever, or have the user asked before it.

    Attributes:
        node: The node's name.
        what: ``fail``: its model raises at its next call. ``wait``: its model does not answer, so that the process can
            be killed while it is at work. ``ask``: a hook ahead of it asks the user by an interrupt.
        after: The nodes beside it that have ended when it is alone at work, for one that waits.
    """

    op: ClassVar[str] = "node_will"
    node: str = ""
    what: Literal["fail", "wait", "ask"] = "fail"
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Timeout(Step):
    """The provider ends the connection; the step ends when the agent has restarted it, or could not.

    Attributes:
        options: The provider's ``restart_config``, handed to the restart.
        during: Steps that happen while the restart is under way.
    """

    op: ClassVar[str] = "timeout"
    options: dict[str, Any] | None = None
    during: tuple[Step, ...] = ()


@dataclass(frozen=True)
class ScheduledRestart(Step):
    """Time passes until the agent restarts the connection by itself, ahead of the provider's limit."""

    op: ClassVar[str] = "scheduled_restart"


@dataclass(frozen=True)
class Fail(Step):
    """The model's next calls of a kind fail: ``times`` of them, or every one from now on where it is None.

    A text model has one call, ``stream``; it fails by ``overflow`` where the history is too long for it.
    """

    op: ClassVar[str] = "fail"
    call: ModelCall = "restart"
    times: int | None = 1


@dataclass(frozen=True)
class EndStream(Step):
    """The model's stream ends without an error and without a stop event."""

    op: ClassVar[str] = "end_stream"


@dataclass(frozen=True)
class Cancel(Step):
    """Somebody calls ``agent.cancel()``: it takes effect after the next tool group."""

    op: ClassVar[str] = "cancel"


@dataclass(frozen=True)
class Start(Step):
    """The agent starts (again). A script that does not begin with it starts by itself."""

    op: ClassVar[str] = "start"


@dataclass(frozen=True)
class Stop(Step):
    """The agent stops. A script that does not end with it stops by itself."""

    op: ClassVar[str] = "stop"


@dataclass(frozen=True)
class RestartProcess(Step):
    """The process ends and another goes on with the session, with a new manager and a new agent.

    Attributes:
        how: ``stopped``: the agent is stopped first. ``killed``: the process just ends, which only a run in
            processes of its own can play.
    """

    op: ClassVar[str] = "restart_process"
    how: ProcessEnd = "stopped"


@dataclass(frozen=True)
class SetState(Step):
    """The application sets a key of the agent's state."""

    op: ClassVar[str] = "set_state"
    key: str = ""
    value: Any = None


@dataclass(frozen=True)
class Add(Step):
    """The agent adds a message to its history, as ``BidiAgent`` does, with the hooks that belong to it."""

    op: ClassVar[str] = "add"
    message: Any = None


@dataclass(frozen=True)
class Merge(Step):
    """A text agent merges more input into its last message, as ``Agent`` does where both are of one role.

    The message gets another content block, keeps its tracking id, and is told to the hooks of an addition.
    """

    op: ClassVar[str] = "merge"
    text: str = ""


@dataclass(frozen=True)
class Redact(Step):
    """A guardrail redacts the latest message, as ``Agent`` does: in memory, then through the manager."""

    op: ClassVar[str] = "redact"
    text: str = ""


@dataclass(frozen=True)
class DirectToolCall(Step):
    """The application calls a tool by itself, ``agent.tool.name(...)``, while the agent is stopped."""

    op: ClassVar[str] = "direct_tool_call"
    name: str = ""
    input: dict[str, Any] | None = None


@dataclass(frozen=True)
class HookRaises(Step):
    """A user's hook raises, once, the next time the named event (``message_added``, ...) is told to it."""

    op: ClassVar[str] = "hook_raises"
    event: str = "message_added"


@dataclass(frozen=True)
class StopHookSetsState(Step):
    """A user's stop hook sets a key of the agent's state when the agent stops next."""

    op: ClassVar[str] = "stop_hook_sets_state"
    key: str = ""
    value: Any = None


@dataclass(frozen=True)
class StorageFails(Step):
    """From now on this process can write to no file, until :class:`StorageWorks`.

    Only a run in processes of its own can play it.
    """

    op: ClassVar[str] = "storage_fails"


@dataclass(frozen=True)
class StorageWorks(Step):
    """Files can be written again."""

    op: ClassVar[str] = "storage_works"


@dataclass(frozen=True)
class Together(Step):
    """The steps happen at once."""

    op: ClassVar[str] = "together"
    steps: tuple[Step, ...] = ()


_STEPS: dict[str, type[Step]] = {
    step.op: step
    for step in (
        Send, SendAudio, Emit, CallTools, Release, Answer, NodeWill, Timeout, ScheduledRestart, Fail, EndStream, Cancel,
        Start, Stop, RestartProcess, SetState, Add, Merge, Redact, DirectToolCall, HookRaises,
        StopHookSetsState,        StorageFails, StorageWorks, Together,
    )
}  # fmt: skip


class ScriptError(ValueError):
    """A script's JSON form that cannot be read."""


def _in_pieces(text: str) -> list[str]:
    """Cut a text as a model streams it: word by word, nothing lost."""
    pieces = text.split(" ")
    return [piece + (" " if index < len(pieces) - 1 else "") for index, piece in enumerate(pieces)]


@dataclass(frozen=True)
class Script:
    """What shall happen in a conversation, in order. Each method returns a longer script.

    The builder speaks of what people do; the steps it makes are plain data::

        Script().user("My name is Alice").assistant("Hello Alice").timeout().user("What is my name?")

    Attributes:
        steps: The steps, in order.
        system_prompt: What the agent is told to be.
        auto_restart: Whether the agent restarts timed-out connections (``ConnectionConfig.auto_restart``).
        restart_after_s: Seconds after which the agent restarts a connection by itself, if set.
        restartable: Whether the model has ``restart()`` (``strands.bidi.models.Restartable``).
    """

    steps: tuple[Step, ...] = ()
    system_prompt: str = "You are a patient assistant."
    auto_restart: bool = True
    restart_after_s: int | None = None
    restartable: bool = True

    def then(self, *steps: Step) -> Script:
        """Return this script with more steps."""
        return self._with(steps=(*self.steps, *steps))

    def _with(self, **changes: Any) -> Script:
        return Script(**{field.name: getattr(self, field.name) for field in fields(self)} | changes)

    def settings(
        self, *, auto_restart: bool = True, restart_after_s: int | None = None, restartable: bool = True
    ) -> Script:
        """Return this script for a model with another connection configuration."""
        return self._with(auto_restart=auto_restart, restart_after_s=restart_after_s, restartable=restartable)

    @property
    def _next_id(self) -> int:
        return sum(1 for _ in _all_steps(self.steps))

    def user(self, content: Any, *, structured: bool = False) -> Script:
        """The user sends a message: a text, or a list of content blocks."""
        return self.then(Send(content, structured))

    def assistant(self, text: str) -> Script:
        """The model answers with streamed text."""
        return self.then(Emit(tuple(_response(f"text-{self._next_id}", "text", text))))

    def reasons(self, text: str) -> Script:
        """The model streams reasoning."""
        return self.then(Emit(tuple(stream(f"reasoning-{self._next_id}", "reasoning", text))))

    def hears(self, text: str) -> Script:
        """The model transcribes what the user said."""
        return self.then(Emit(tuple(stream(f"heard-{self._next_id}", "transcript", text, role="user"))))

    def says(self, text: str) -> Script:
        """The model answers aloud: audio, with its transcript."""
        number = self._next_id
        spoken = stream(f"said-{number}", "transcript", text, role="assistant")
        audio: list[dict[str, Any]] = [
            {"type": "audio_start", "content_id": f"audio-{number}"},
            {
                "type": "audio_delta", "content_id": f"audio-{number}", "audio": "AAAA", "format": "pcm",
                "sample_rate": 16000, "channels": 1,
            },
            {"type": "audio_stop", "content_id": f"audio-{number}"},
        ]  # fmt: skip
        response = f"response-{number}"
        return self.then(
            Emit(
                (
                    {"type": "response_start", "response_id": response},
                    *audio,
                    *spoken,
                    {"type": "usage", "input_tokens": 8, "output_tokens": 5, "total_tokens": 13},
                    {"type": "response_stop", "response_id": response},
                )
            )
        )

    def emits(self, *events: Mapping[str, Any]) -> Script:
        """The model emits these output events, whatever they are."""
        return self.then(Emit(tuple(dict(event) for event in events)))

    def barges_in(self, said: str) -> Script:
        """The user speaks while the model answers: the transcript of the answer ends where it was cut."""
        number = self._next_id
        cut, *_ = _in_pieces(said)
        content_id = f"cut-{number}"
        return self.emits(
            {"type": "response_start", "response_id": f"response-{number}"},
            {"type": "transcript_start", "role": "assistant", "content_id": content_id},
            {"type": "transcript_delta", "role": "assistant", "content_id": content_id, "delta": cut},
            {"type": "barge_in"},
            {"type": "transcript_stop", "role": "assistant", "content_id": content_id},
            {"type": "response_stop", "response_id": f"response-{number}"},
        )

    def calls(self, name: str, *, returns: Any = "done", raises: str | None = None, **input: Any) -> Script:
        """The model calls one tool, and is given its result."""
        call = ToolCall(name, input, f"tool-{self._next_id}", result=returns, error=raises)
        return self.then(CallTools((call,)))

    def calls_together(self, *calls: ToolCall) -> Script:
        """The model calls a group of tools at once."""
        return self.then(CallTools(calls))

    def releases(self, tool_use_id: str) -> Script:
        """A held tool ends."""
        return self.then(Release(tool_use_id))

    def answers(self, response: Any, *calls: ToolCall) -> Script:
        """The user answers what the agent has asked; ``calls`` go on with that."""
        return self.then(Answer(response, calls))

    def timeout(self, *during: Step, options: Mapping[str, Any] | None = None) -> Script:
        """The provider ends the connection: the agent restarts it. ``during`` happens while it does."""
        return self.then(Timeout(dict(options) if options else None, during))

    def scheduled_restart(self) -> Script:
        """The agent restarts the connection ahead of the provider's limit."""
        return self.then(ScheduledRestart())

    def fails(self, call: ModelCall, *, times: int | None = 1) -> Script:
        """The model's next calls of a kind fail."""
        return self.then(Fail(call, times))

    def cancels(self) -> Script:
        """The application cancels the conversation."""
        return self.then(Cancel())

    def starts(self) -> Script:
        """The agent starts."""
        return self.then(Start())

    def stops(self) -> Script:
        """The agent stops."""
        return self.then(Stop())

    def restarts_process(self, how: ProcessEnd = "stopped") -> Script:
        """The process ends; another goes on with the session."""
        return self.then(RestartProcess(how))

    def sets_state(self, key: str, value: Any) -> Script:
        """The application sets a key of the agent's state."""
        return self.then(SetState(key, value))

    def adds(self, message: Mapping[str, Any]) -> Script:
        """The agent adds a message to its history."""
        return self.then(Add(dict(message)))

    def redacts(self, text: str) -> Script:
        """A guardrail redacts the latest message."""
        return self.then(Redact(text))

    def together(self, *steps: Step) -> Script:
        """Several things happen at once."""
        return self.then(Together(steps))

    def segments(self) -> list[tuple[Script, ProcessEnd]]:
        """Return the script of each process, and how that process ends."""
        segments: list[tuple[Script, ProcessEnd]] = []
        steps: list[Step] = []
        for step in self.steps:
            if isinstance(step, RestartProcess):
                segments.append((self._with(steps=tuple(steps)), step.how))
                steps = []
            else:
                steps.append(step)
        return [*segments, (self._with(steps=tuple(steps)), "stopped")]

    def tool_calls(self) -> Iterator[ToolCall]:
        """Yield every tool call of the script."""
        for step in _all_steps(self.steps):
            if isinstance(step, CallTools | Answer):
                yield from step.calls

    def to_json(self) -> str:
        """Return the script as JSON text, from which :meth:`from_json` builds it again."""
        settings = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "steps"}
        return json.dumps({**settings, "steps": [_step_to_json(step) for step in self.steps]}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Script:
        """Build a script from its JSON text.

        Raises:
            ScriptError: The text is no script; the error says what is wrong.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise ScriptError(f"not JSON: {error}") from error
        if not isinstance(data, dict) or not isinstance(data.get("steps"), list):
            raise ScriptError("expected an object with a list of steps under 'steps'")
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown:
            raise ScriptError(f"unknown settings {sorted(unknown)}")
        return cls(**{**data, "steps": tuple(_step_from_json(step) for step in data["steps"])})


def _all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _all_steps([*getattr(step, "steps", ()), *getattr(step, "during", ())])


def stream(content_id: str, kind: Literal["text", "reasoning", "transcript"], text: str, *, role: Role | None = None
           ) -> list[dict[str, Any]]:  # fmt: skip
    """Return the start, delta and stop events of one streamed block, for :meth:`Script.emits`.

    Args:
        content_id: The stream's id, unique in its connection.
        kind: ``text`` and ``reasoning`` are the assistant's; a ``transcript`` needs a role.
        text: What is streamed, a word a delta.
        role: Who speaks in a transcript.
    """
    about = {"content_id": content_id} | ({"role": role} if role else {})
    deltas = [{"type": f"{kind}_delta", **about, "delta": piece} for piece in _in_pieces(text)]
    return [{"type": f"{kind}_start", **about}, *deltas, {"type": f"{kind}_stop", **about}]


def _response(content_id: str, kind: Literal["text"], text: str) -> list[dict[str, Any]]:
    response = f"response-{content_id}"
    return [
        {"type": "response_start", "response_id": response},
        *stream(content_id, kind, text),
        {"type": "response_stop", "response_id": response},
    ]


def _step_to_json(step: Step) -> dict[str, Any]:
    data: dict[str, Any] = {"op": step.op}
    for field in fields(step):
        value = getattr(step, field.name)
        if field.name in ("steps", "during"):
            data[field.name] = [_step_to_json(inner) for inner in value]
        elif field.name == "calls":
            data[field.name] = [{f.name: to_json(getattr(call, f.name)) for f in fields(call)} for call in value]
        else:
            data[field.name] = to_json(value)
    return data


def _step_from_json(data: Any) -> Step:
    op = data.get("op") if isinstance(data, dict) else None
    if op not in _STEPS:
        raise ScriptError(f"unknown step {op!r}: expected one of {', '.join(sorted(_STEPS))}")
    kind = _STEPS[op]
    known = {field.name for field in fields(kind)}
    given: dict[str, Any] = {}
    for name, value in data.items():
        if name == "op":
            continue
        if name not in known:
            raise ScriptError(f"step {op!r} has no {name!r}: expected {sorted(known)}")
        try:
            given[name] = _field_from_json(name, value)
        except (TypeError, AttributeError) as error:
            raise ScriptError(f"step {op!r} has a {name!r} that cannot be read: {error}") from None
    return kind(**given)


def _field_from_json(name: str, value: Any) -> Any:
    if name in ("steps", "during"):
        return tuple(_step_from_json(inner) for inner in value)
    if name == "calls":
        return tuple(ToolCall(**{key: from_json(item) for key, item in call.items()}) for call in value)
    plain = from_json(value)
    return tuple(plain) if name in ("events", "after") else plain


__all__: Sequence[str] = [
    "Add", "Answer", "CallTools", "Cancel", "DirectToolCall", "Emit", "EndStream", "Fail", "HookRaises", "Merge",
    "NodeWill", "Redact", "Release", "RestartProcess", "ScheduledRestart", "Script", "ScriptError", "Send", "SendAudio",
    "SetState", "Start", "Step", "Stop", "StopHookSetsState", "StorageFails", "StorageWorks", "Timeout", "Together",
    "ToolCall", "stream",
]  # fmt: skip
