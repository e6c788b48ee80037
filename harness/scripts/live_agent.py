"""An agent in one process, as the oracle follows it: what it has in memory, and what is under way."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .expected import Expected
from .script import (
    CallTools,
    ToolCall,
)

_UNAVAILABLE = "[Transcript unavailable.]"
"""What the SDK writes for a transcript that never completed."""


@dataclass
class Stream:
    """A message that the model streams just now.

    Attributes:
        expected: The message, as far as the script determines it.
        kind: ``text``, ``reasoning`` or ``transcript``.
        text: What was streamed so far.
    """

    expected: Expected
    kind: str
    text: str = ""

    def finish(self, status: str) -> dict[str, Any]:
        """Return the message as it is after the stream: ``complete`` or ``incomplete``."""
        text = self.text if status == "complete" or self.kind != "transcript" else _UNAVAILABLE
        block = {"reasoningContent": {"reasoningText": {"text": text}}} if self.kind == "reasoning" else {"text": text}
        return bidi_message(self.expected.message["role"], [block], kind=self.kind, status=status)


def bidi_message(role: str, content: list[Any] | None, **about: str) -> dict[str, Any]:
    """Return a message with the metadata that the SDK gives messages of bidirectional agents."""
    message: dict[str, Any] = {"role": role, "content": content}
    return message | {"metadata": {"custom": {"bidi": about}}} if about else message


@dataclass
class LiveAgent:
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
    streams: dict[str, Stream] = field(default_factory=dict)
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


def emit(agent: LiveAgent, event: dict[str, Any]) -> None:
    """Let the model emit an event: a stream begins, goes on or stops."""
    kind, _, part = str(event["type"]).rpartition("_")
    if kind not in ("text", "reasoning", "transcript"):
        return
    content_id = event["content_id"]
    if part == "start":
        role = event.get("role", "assistant")
        pending = agent.add(bidi_message(role, [], kind=kind, status="pending"))
        agent.streams[content_id] = Stream(pending, kind)
    elif part == "delta":
        agent.streams[content_id].text += event["delta"]
    elif part == "stop":
        stream = agent.streams.pop(content_id)
        stream.expected.message = stream.finish("complete")
        if "message_updated" in agent.raising:
            agent.raising.discard("message_updated")
            agent.end_streams()
            agent.over = True


def call_tools(agent: LiveAgent, step: CallTools) -> None:
    """Let the model call tools: they end at once, unless one is held."""
    announced = [{"toolResult": {"toolUseId": call.id, "status": "success", "content": []}} for call in step.calls]
    agent.add(bidi_message("assistant", _uses(step.calls)))
    agent.add(bidi_message("user", announced, kind="tool_dispatch"))
    held = [call for call in step.calls if call.held]
    if held:
        agent.held[held[0].id] = step.calls
        for call in step.calls:
            if not call.held:
                agent.state.update(call.state or {})
    else:
        end_tools(agent, step.calls)


def end_tools(agent: LiveAgent, calls: tuple[ToolCall, ...]) -> None:
    """Let a group of tools end: uses and results are added as a pair."""
    for call in calls:
        agent.state.update(call.state or {})
    agent.add(bidi_message("assistant", _uses(calls)))
    agent.add(bidi_message("user", [_result(call) for call in calls], kind="tool_result"))
    if agent.cancelled:
        agent.over = True


def _uses(calls: Iterable[ToolCall]) -> list[dict[str, Any]]:
    return [{"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.input}} for call in calls]


def _result(call: ToolCall) -> dict[str, Any]:
    content = [{"text": call.result}] if isinstance(call.result, str) else copy.deepcopy(call.result)
    status = "success" if call.error is None else "error"
    return {"toolResult": {"toolUseId": call.id, "status": status, "content": content}}
