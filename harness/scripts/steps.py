"""Steps: the things that can happen in a conversation, each plain data with a JSON form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from ..timeline import from_json, to_json

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
            :class:`~session_conformance.harness.conversations.Booking`.
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
        asked_by: What asks the user: the ``tool`` itself, or a ``hook`` before it.
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
    """The user answers what the agent has asked by interrupts; the step ends as that of a group of calls does.

    Attributes:
        response: The answer.
        calls: What the tools do that were interrupted, for a process that is another than that in which they were.
        to: The reasons of the interrupts that are answered; by default all are.
    """

    op: ClassVar[str] = "answer"
    response: Any = "yes"
    calls: tuple[ToolCall, ...] = ()
    to: tuple[str, ...] = ()


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
        meanwhile: What is done to whole sessions while no process has one open: :class:`DeleteSession` and
            :class:`CleanUp` steps.
    """

    op: ClassVar[str] = "restart_process"
    how: ProcessEnd = "stopped"
    meanwhile: tuple[Step, ...] = ()


@dataclass(frozen=True)
class DeleteSession(Step):
    """A session of the workspace is deleted: the conversation's own where ``session_id`` is None."""

    op: ClassVar[str] = "delete_session"
    session_id: str | None = None


@dataclass(frozen=True)
class CleanUp(Step):
    """Sessions that were not written for an hour are removed, as seen ``days_later`` days from now."""

    op: ClassVar[str] = "clean_up"
    days_later: int = 0


@dataclass(frozen=True)
class Elsewhere(Step):
    """Another agent of the session, or an agent in another session of the workspace, goes through these steps.

    It is made when it is first needed, and stays open beside the others until it stops, or the process ends. Agents of
    one session share its manager. No connection there is restarted on schedule.

    Attributes:
        steps: What happens there.
        session_id: Its session; the conversation's own where it is None.
        agent_id: Its agent; the same id as the conversation's where it is None.
    """

    op: ClassVar[str] = "elsewhere"
    steps: tuple[Step, ...] = ()
    session_id: str | None = None
    agent_id: str | None = None


@dataclass(frozen=True)
class SetState(Step):
    """The application sets a key of the agent's state."""

    op: ClassVar[str] = "set_state"
    key: str = ""
    value: Any = None


@dataclass(frozen=True)
class DeleteState(Step):
    """The application deletes a key of the agent's state."""

    op: ClassVar[str] = "delete_state"
    key: str = ""


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
class HookReads(Step):
    """A user's early hook looks at what is stored, once, the next time the named event is told to it."""

    op: ClassVar[str] = "hook_reads"
    event: str = "message_added"


@dataclass(frozen=True)
class StopHookSetsState(Step):
    """A user's stop hook sets a key of the agent's state when the agent stops next."""

    op: ClassVar[str] = "stop_hook_sets_state"
    key: str = ""
    value: Any = None


@dataclass(frozen=True)
class StorageFails(Step):
    """From now on nothing can be stored, until :class:`StorageWorks`.

    How, is for :func:`~session_conformance.harness.play` to say: by default, this process can write to no file.
    """

    op: ClassVar[str] = "storage_fails"


@dataclass(frozen=True)
class StorageFailsBehind(Step):
    """Behind the next message: a user's last hook on it sets a key of the state, and from then on nothing is stored."""

    op: ClassVar[str] = "storage_fails_behind"
    key: str = ""
    value: Any = None


@dataclass(frozen=True)
class StorageWorks(Step):
    """Everything can be stored again."""

    op: ClassVar[str] = "storage_works"


@dataclass(frozen=True)
class Together(Step):
    """The steps happen at once."""

    op: ClassVar[str] = "together"
    steps: tuple[Step, ...] = ()


_STEPS: dict[str, type[Step]] = {
    step.op: step
    for step in (
        Send, SendAudio, Emit, CallTools, Release, Answer, NodeWill, Timeout, ScheduledRestart, Fail, EndStream,
        Cancel, Start, Stop, RestartProcess, DeleteSession, CleanUp, Elsewhere, SetState, DeleteState, Add, Merge,
        Redact, DirectToolCall, HookRaises, HookReads, StopHookSetsState, StorageFails, StorageFailsBehind,
        StorageWorks, Together,
    )
}  # fmt: skip


WITHOUT_START: tuple[type[Step], ...] = (
    Start, Stop, SetState, DeleteState, Add, Redact, DirectToolCall, Fail, HookRaises, HookReads, StopHookSetsState,
    StorageFails, StorageWorks, Elsewhere,
)  # fmt: skip
"""The steps that need no agent that is started. Before any other, one that was never started starts by itself."""


class ScriptError(ValueError):
    """A script's JSON form that cannot be read."""


_NESTED = ("steps", "during", "meanwhile")
"""The fields of steps that hold steps."""


def all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps and the steps within them, in order."""
    for step in steps:
        yield step
        for name in _NESTED:
            yield from all_steps(getattr(step, name, ()))


def step_to_json(step: Step) -> dict[str, Any]:
    """Return a step as plain data, from which :func:`step_from_json` builds it again."""
    data: dict[str, Any] = {"op": step.op}
    for field in fields(step):
        value = getattr(step, field.name)
        if field.name in _NESTED:
            data[field.name] = [step_to_json(inner) for inner in value]
        elif field.name == "calls":
            data[field.name] = [{f.name: to_json(getattr(call, f.name)) for f in fields(call)} for call in value]
        else:
            data[field.name] = to_json(value)
    return data


def step_from_json(data: Any) -> Step:
    """Build a step from its plain data.

    Raises:
        ScriptError: It is no step; the error says what is wrong.
    """
    op = data.get("op") if isinstance(data, dict) else None
    if not isinstance(op, str) or op not in _STEPS:
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
        except ScriptError:
            raise
        except (TypeError, AttributeError, ValueError) as error:
            raise ScriptError(f"step {op!r} has a {name!r} that cannot be read: {error}") from None
    return kind(**given)


def _field_from_json(name: str, value: Any) -> Any:
    if name in _NESTED:
        return tuple(step_from_json(inner) for inner in value)
    if name == "calls":
        return tuple(ToolCall(**{key: from_json(item) for key, item in call.items()}) for call in value)
    plain = from_json(value)
    return tuple(plain) if name in ("events", "after", "to") else plain
