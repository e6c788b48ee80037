"""Scripts: what shall happen in a conversation, as plain steps with a JSON form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple

from ..timeline import from_json, to_json
from .steps import (
    Add,
    Answer,
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
    HookReads,
    Merge,
    ModelCall,
    NodeWill,
    ProcessEnd,
    Redact,
    Release,
    RestartProcess,
    ScheduledRestart,
    ScriptError,
    Send,
    SendAudio,
    SetState,
    Start,
    Step,
    Stop,
    StopHookSetsState,
    StorageFails,
    StorageFailsBehind,
    StorageWorks,
    Timeout,
    Together,
    ToolCall,
    all_steps,
    step_from_json,
    step_to_json,
)

Role = Literal["user", "assistant"]


class Segment(NamedTuple):
    """What one process of a script does, how it ends, and what is done to whole sessions before the next."""

    script: Script
    end: ProcessEnd
    meanwhile: tuple[Step, ...] = ()


def _in_pieces(text: str) -> list[str]:
    """Cut a text as a model streams it: word by word, nothing lost."""
    pieces = text.split(" ")
    return [piece + (" " if index < len(pieces) - 1 else "") for index, piece in enumerate(pieces)]


@dataclass(frozen=True)
class Script:
    """What shall happen in a conversation, in order. Each method returns a longer script.

    Each method is named after what somebody does, and adds a step, which is plain data::

        Script().user("My name is Alice").assistant("Hello Alice").timeout().user("What is my name?")

    Attributes:
        steps: The steps, in order.
        system_prompt: What the agent is told to be.
        auto_restart: Whether the agent restarts timed-out connections (``ConnectionConfig.auto_restart``).
        restart_after_s: Seconds after which the agent restarts a connection by itself, if set.
        restartable: Whether the model has ``restart()`` (``strands.bidi.models.Restartable``).
        messages: What the agents' constructors are given as their history, if anything.
    """

    steps: tuple[Step, ...] = ()
    system_prompt: str = "You are a patient assistant."
    auto_restart: bool = True
    restart_after_s: int | None = None
    restartable: bool = True
    messages: tuple[dict[str, Any], ...] = ()

    def then(self, *steps: Step) -> Script:
        """Return this script with more steps."""
        return self._with(steps=(*self.steps, *steps))

    def _with(self, **changes: Any) -> Script:
        return Script(**{field.name: getattr(self, field.name) for field in fields(self)} | changes)

    def settings(
        self,
        *,
        auto_restart: bool = True,
        restart_after_s: int | None = None,
        restartable: bool = True,
        system_prompt: str | None = None,
    ) -> Script:
        """Return this script for a model with another connection configuration, and maybe another system prompt."""
        prompt = {} if system_prompt is None else {"system_prompt": system_prompt}
        return self._with(auto_restart=auto_restart, restart_after_s=restart_after_s, restartable=restartable, **prompt)

    def given(self, *messages: Mapping[str, Any]) -> Script:
        """Return this script for agents whose constructors are given these messages."""
        return self._with(messages=tuple(dict(message) for message in messages))

    @property
    def _next_id(self) -> int:
        return sum(1 for _ in all_steps(self.steps))

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

    def answers(self, response: Any, *calls: ToolCall, to: tuple[str, ...] = ()) -> Script:
        """The user answers what the agent has asked, or what was asked for one of these reasons; ``calls`` go on."""
        return self.then(Answer(response, calls, to))

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

    def restarts_process(self, how: ProcessEnd = "stopped", *meanwhile: Step) -> Script:
        """The process ends; another goes on with the session. ``meanwhile`` is done to whole sessions in between."""
        return self.then(RestartProcess(how, meanwhile))

    def elsewhere(self, *steps: Step, session_id: str | None = None, agent_id: str | None = None) -> Script:
        """Another agent of the session, or an agent in another session, goes through these steps."""
        return self.then(Elsewhere(steps, session_id, agent_id))

    def sets_state(self, key: str, value: Any) -> Script:
        """The application sets a key of the agent's state."""
        return self.then(SetState(key, value))

    def deletes_state(self, key: str) -> Script:
        """The application deletes a key of the agent's state."""
        return self.then(DeleteState(key))

    def adds(self, message: Mapping[str, Any]) -> Script:
        """The agent adds a message to its history."""
        return self.then(Add(dict(message)))

    def redacts(self, text: str) -> Script:
        """A guardrail redacts the latest message."""
        return self.then(Redact(text))

    def together(self, *steps: Step) -> Script:
        """Several things happen at once."""
        return self.then(Together(steps))

    def segments(self) -> list[Segment]:
        """Return what each process does, how it ends, and what is done to whole sessions before the next."""
        segments: list[Segment] = []
        steps: list[Step] = []
        for step in self.steps:
            if isinstance(step, RestartProcess):
                segments.append(Segment(self._with(steps=tuple(steps)), step.how, step.meanwhile))
                steps = []
            else:
                steps.append(step)
        return [*segments, Segment(self._with(steps=tuple(steps)), "stopped")]

    def tool_calls(self) -> Iterator[ToolCall]:
        """Yield every tool call of the script."""
        for step in all_steps(self.steps):
            if isinstance(step, CallTools | Answer):
                yield from step.calls

    def to_json(self) -> str:
        """Return the script as JSON text, from which :meth:`from_json` builds it again."""
        settings = {field.name: to_json(getattr(self, field.name)) for field in fields(self) if field.name != "steps"}
        return json.dumps({**settings, "steps": [step_to_json(step) for step in self.steps]}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Script:
        """Build a script from its JSON text.

        Raises:
            ScriptError: The text is no script; the error says what is wrong.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ScriptError(f"not JSON: {error}") from error
        if not isinstance(data, dict) or not isinstance(data.get("steps"), list):
            raise ScriptError("expected an object with a list of steps under 'steps'")
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown:
            raise ScriptError(f"unknown settings {sorted(unknown)}")
        for name, kinds in _SETTINGS.items():
            if name in data and (type(data[name]) not in kinds):
                raise ScriptError(
                    f"{name!r} is {data[name]!r}: expected {' or '.join(kind.__name__ for kind in kinds)}"
                )
        if not all(isinstance(message, dict) for message in data.get("messages", ())):
            raise ScriptError("'messages' holds something that is no message")
        messages = tuple(from_json(message) for message in data.get("messages", ()))
        return cls(**{**data, "messages": messages, "steps": tuple(step_from_json(step) for step in data["steps"])})


_SETTINGS: dict[str, tuple[type, ...]] = {
    "system_prompt": (str,),
    "auto_restart": (bool,),
    "restart_after_s": (int, type(None)),
    "restartable": (bool,),
    "messages": (list,),
}
"""The types of a script's settings in its JSON form."""


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


__all__: Sequence[str] = [
    "Add", "Answer", "CallTools", "Cancel", "CleanUp", "DeleteSession", "DeleteState", "DirectToolCall", "Elsewhere",
    "Emit", "EndStream", "Fail", "HookRaises", "HookReads", "Merge", "ModelCall", "NodeWill", "ProcessEnd", "Redact",
    "Release", "RestartProcess", "ScheduledRestart", "Script", "ScriptError", "Segment", "Send", "SendAudio",
    "SetState", "Start", "Step", "Stop", "StopHookSetsState", "StorageFails", "StorageFailsBehind", "StorageWorks",
    "Timeout", "Together", "ToolCall", "stream",
]  # fmt: skip
