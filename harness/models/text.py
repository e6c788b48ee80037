"""A real text ``Model`` that streams what it is told to and records all that it is given."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from ..sdk import ContextWindowOverflowException, Message, Model, StreamEvent
from ..timeline import ModelStarted, Reading, Timeline
from ._connection import Connection
from .bidi import ScriptedFailure

FailingCall = Literal["stream", "overflow"]
"""How a call of a text model can fail: with any error, or because the history is too long for it."""

Event = Mapping[str, Any]
"""An event in its plain form, as in :class:`~session_conformance.harness.scripts.Emit`."""

Answering = Callable[[Sequence[Message]], Iterable[Event]]
"""Gives the events of an answer to some messages."""

BLOCK_START: StreamEvent = {"contentBlockStart": {"start": {}}}
BLOCK_STOP: StreamEvent = {"contentBlockStop": {}}


def stream_events(event: Event) -> list[StreamEvent]:
    """Build the SDK's stream events from an event's plain form.

    The vocabulary is that of bidirectional scripts, as far as text models have it: ``response_start``, ``text_start``,
    ``text_delta``, ``text_stop``, the same for ``reasoning``, ``tool_use_blocks`` and ``usage``. Whatever else there is
    comes as it is: ``{"type": "chunk", "chunk": {"redactContent": ...}}``.

    Raises:
        ValueError: Text models have no such event.
    """
    kind = str(event.get("type"))
    if kind == "response_start":
        return [{"messageStart": {"role": "assistant"}}]
    if kind in ("text_start", "reasoning_start"):
        return [BLOCK_START]
    if kind in ("text_stop", "reasoning_stop"):
        return [BLOCK_STOP]
    if kind == "text_delta":
        return [{"contentBlockDelta": {"delta": {"text": event["delta"]}}}]
    if kind == "reasoning_delta":
        return [{"contentBlockDelta": {"delta": {"reasoningContent": {"text": event["delta"]}}}}]
    if kind == "tool_use_blocks":
        return [part for use in event["tool_uses"] for part in _tool_use(use)]
    if kind == "usage":
        usage = {f"{name}Tokens": event[f"{name}_tokens"] for name in ("input", "output", "total")}
        return [{"metadata": {"usage": usage, "metrics": {"latencyMs": 0}}}]  # type: ignore[typeddict-item]
    if kind == "chunk":
        return [copy.deepcopy(event["chunk"])]
    raise ValueError(f"a text model emits no {kind!r}")


def _tool_use(use: Mapping[str, Any]) -> list[StreamEvent]:
    about = {"name": use["name"], "toolUseId": use["toolUseId"]}
    begins: StreamEvent = {"contentBlockStart": {"start": {"toolUse": about}}}  # type: ignore[typeddict-item]
    return [begins, {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps(use["input"])}}}}, BLOCK_STOP]


def chunk(**parts: Any) -> dict[str, Any]:
    """Return one of the SDK's stream events in its plain form, for :meth:`Script.emits`: ``chunk(messageStop=...)``."""
    return {"type": "chunk", "chunk": parts}


def fails_here() -> dict[str, Any]:
    """Return the event at which the model raises :class:`ScriptedFailure`, for :meth:`Script.emits`."""
    return {"type": "raise"}


def text_answer(text: str) -> list[dict[str, Any]]:
    """Return the events of a whole answer of one text."""
    return [
        {"type": "response_start"},
        {"type": "text_start"},
        {"type": "text_delta", "delta": text},
        {"type": "text_stop"},
        {"type": "response_stop"},
    ]


class ScriptedTextModel(Model):
    """A text model that streams what it is told by the conversation that plays a script; it never sleeps.

    Args:
        timeline: Where the model records everything that it is given, as deep copies.
        read_stored: Called at each call of the model to say what is stored at that moment.
        stateful: Whether it keeps the conversation itself, and a reference to it in the model state.
        answer: Says what it streams, given the messages of a call, where nobody pushes anything.
        about: What the timeline shall say of its calls beside what they are given.
    """

    def __init__(
        self,
        timeline: Timeline,
        *,
        read_stored: Callable[[], Reading | None] = lambda: None,
        stateful: bool = False,
        answer: Answering | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self._timeline = timeline
        self._read_stored = read_stored
        self._stateful = stateful
        self._answer = answer
        self._about = dict(about or {})
        self._config: dict[str, Any] = {"model_id": "scripted", "context_window_limit": 200_000}
        self._connection: _Answer | None = None
        self._failures: dict[FailingCall, int | None] = {}
        self.calls = 0
        """How often it was called and did not fail at once."""
        self._called = asyncio.Event()

    # -- what the agent calls ------------------------------------------------------------------------------

    @property
    def stateful(self) -> bool:
        """Whether the model keeps the conversation itself."""
        return self._stateful

    def update_config(self, **model_config: Any) -> None:
        """Change the configuration."""
        self._config.update(model_config)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration."""
        return self._config

    def structured_output(
        self, output_model: Any, prompt: Any, system_prompt: str | None = None, **kwargs: Any
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Refuse: this deprecated way to get structured output stores no messages, so no script needs it.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("use agent.invoke_async(prompt, structured_output_model=...)")

    async def stream(
        self, messages: Any, tool_specs: Any = None, system_prompt: str | None = None, **kwargs: Any
    ) -> AsyncIterator[StreamEvent]:
        """Stream an answer, recording what it is given.

        Raises:
            ScriptedFailure: The script says that this call fails, here or within the answer.
            ContextWindowOverflowException: The script says that the history is too long.
        """
        model_state = kwargs.get("model_state")
        overflows, fails = self._fails_now("overflow"), self._fails_now("stream")
        answer = _Answer(self.calls + 1, self._timeline)
        self._timeline.record(
            ModelStarted(
                call="stream",
                connection=answer.number,
                system_prompt=system_prompt,
                tools=[tool["name"] for tool in tool_specs or []],
                tool_specs=list(tool_specs or []),
                messages=list(messages),
                options=self._about | ({"model_state": model_state} if self._stateful else {}),
                failed=overflows or fails,
                stored=self._read_stored(),
            )
        )
        if overflows:
            raise ContextWindowOverflowException("the script says that the history is too long")
        if fails:
            raise ScriptedFailure("the script says that model.stream() fails")
        if self._stateful and model_state is not None:
            turn = int(model_state.get("turn", 0)) + 1
            model_state.update(turn=turn, response_id=f"response-{turn}")
        self._connection = answer
        self.calls += 1
        self._called.set()
        if self._answer is not None:
            answer.put_events(self._answer(messages))
        async for event in answer.receive():
            yield event

    def _fails_now(self, call: FailingCall) -> bool:
        remaining = self._failures.get(call, 0)
        if remaining is not None and remaining > 0:
            self._failures[call] = remaining - 1
        return remaining is None or remaining > 0

    # -- what the script says ------------------------------------------------------------------------------

    def fail(self, call: FailingCall, times: int | None) -> None:
        """Let the next ``times`` calls fail, or all of them where it is None."""
        self._failures[call] = times

    def wait(self) -> None:
        """Stop giving prepared answers: from now on stream only what the conversation says."""
        self._answer = None

    async def called(self, after: int) -> None:
        """Return when it was called more than ``after`` times."""
        while self.calls <= after:
            self._called.clear()
            await self._called.wait()

    async def emit(self, *events: Event) -> None:
        """Stream events; return when the agent has handled them all.

        Raises:
            ScriptedFailure: The model was not called, so nobody listens.
        """
        if self._connection is None:
            raise ScriptedFailure("the script lets the model answer while nobody has asked it")
        self._connection.put_events(events)
        await self._connection.handled_all()

    async def end_stream(self) -> None:
        """End the answer without a stop reason, as a provider does when it is told to abort."""
        if self._connection is not None:
            self._connection.put("end_stream", None)
            await self._connection.handled_all()


class _Answer(Connection):
    """One streamed answer: it begins with the SDK's start of a message, and ends with its stop and the usage."""

    def __init__(self, number: int, timeline: Timeline) -> None:
        super().__init__(number, timeline)
        self._seen: set[str] = set()

    def put_events(self, events: Iterable[Event]) -> None:
        for event in events:
            if event.get("type") == "raise":
                self.put("error", ScriptedFailure("the script says that the stream fails here"))
            elif event.get("type") == "response_stop":
                if "messageStop" not in self._seen:
                    reason = "tool_use" if "toolUse" in self._seen else "end_turn"
                    self._put_chunk({"messageStop": {"stopReason": reason}})  # type: ignore[typeddict-item]
                self.put("", None)
            else:
                for part in stream_events(event):
                    self._put_chunk(part)

    def _put_chunk(self, part: StreamEvent) -> None:
        kind = next(iter(part))
        if kind == "messageStart" and kind in self._seen:
            return
        if kind != "messageStart" and "messageStart" not in self._seen:
            self._put_chunk({"messageStart": {"role": "assistant"}})
        self._seen.add(kind)
        if "toolUse" in (part.get("contentBlockStart") or {}).get("start", {}):
            self._seen.add("toolUse")
        delta: Any = (part.get("contentBlockDelta") or {}).get("delta", {})
        self.put(kind, part, str(delta.get("text", "")))


__all__ = ["ScriptedTextModel", "chunk", "fails_here", "stream_events", "text_answer"]
