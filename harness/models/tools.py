"""The tools of a script: real SDK tools that give back, raise, set state or wait as the script says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..scripts import Script, ToolCall
from ..sdk import (
    ERROR_LOGGERS,
    Agent,
    AgentTool,
    BeforeToolCallEvent,
    BidiAgent,
    PythonAgentTool,
    ToolContext,
    ToolResult,
    ToolSpec,
    ToolUse,
    sdk_tool,
)
from ..timeline import Timeline, ToolRan
from .bidi import ScriptedFailure


class ScriptedToolError(Exception):
    """What a tool raises where the script says that it does."""


@contextmanager
def quiet_scripted_errors() -> Iterator[None]:
    """Keep the SDK from logging the tracebacks of errors that the script asks for."""

    def wanted(record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], ScriptedToolError | ScriptedFailure))

    for name in ERROR_LOGGERS:
        logging.getLogger(name).addFilter(wanted)
    try:
        yield
    finally:
        for name in ERROR_LOGGERS:
            logging.getLogger(name).removeFilter(wanted)


class ScriptedTools:
    """The tools that a script calls, one for each name.

    Args:
        script: Says what each call gives back.
        timeline: Where the tools' runs are recorded.
    """

    def __init__(self, script: Script, timeline: Timeline) -> None:
        self._calls = {call.id: call for call in script.tool_calls()}
        self._timeline = timeline
        self._begun: dict[str, asyncio.Event] = {}
        self._released: dict[str, asyncio.Event] = {}
        self.agent: BidiAgent | Agent | None = None
        """The agent whose state the tools set."""

    @property
    def tools(self) -> list[AgentTool]:
        """One SDK tool for each name that the script calls, and one, ``note``, for direct calls."""
        names = sorted({call.name for call in self._calls.values()} | {"note"})
        asking = {call.name for call in self._calls.values() if call.asks is not None and call.asked_by == "tool"}
        return [
            self._asking_tool(name) if name in asking else PythonAgentTool(name, _spec(name), self._run)
            for name in names
        ]

    def _asking_tool(self, name: str) -> AgentTool:
        """Return a tool that is given the SDK's tool context, by which it can ask the user."""
        spec = _spec(name)

        @sdk_tool(name=name, description=spec["description"], inputSchema=spec["inputSchema"], context=True)
        async def ask_and_run(tool_context: ToolContext) -> ToolResult:
            call = self._calls.get(tool_context.tool_use["toolUseId"])
            if call is not None and call.asks is not None and call.asked_by == "tool":
                self._heard(call, tool_context.interrupt("question", reason=call.asks))
            return await self._run(tool_context.tool_use)

        return ask_and_run

    def ask_by_hook(self, event: BeforeToolCallEvent[Any]) -> None:
        """Ask the user ahead of a tool, where the script says that a hook does."""
        call = self._calls.get(event.tool_use["toolUseId"])
        if call is not None and call.asks is not None and call.asked_by == "hook":
            self._heard(call, event.interrupt("approval", reason=call.asks))

    def _heard(self, call: ToolCall, answer: Any) -> None:
        self._timeline.record(ToolRan(name=call.name, tool_use_id=call.id, what=f"is answered {answer!r}"))

    def expect(self, calls: tuple[ToolCall, ...]) -> None:
        """Get ready for a group of calls."""
        for call in calls:
            self._begun[call.id] = asyncio.Event()
            self._released[call.id] = asyncio.Event()

    def release(self, tool_use_id: str) -> None:
        """Let a held tool go on."""
        self._released[tool_use_id].set()

    async def begun(self, tool_use_id: str) -> None:
        """Return when the tool has begun."""
        await self._begun[tool_use_id].wait()

    async def _run(self, tool_use: ToolUse, **_: Any) -> ToolResult:
        id = tool_use["toolUseId"]
        call = self._calls.get(id) or ToolCall(tool_use["name"], tool_use["input"], id)
        self._timeline.record(ToolRan(name=call.name, tool_use_id=id))
        if id in self._begun:
            self._begun[id].set()
        if call.held:
            await self._released[id].wait()
        for key, value in (call.state or {}).items():
            if self.agent is not None:
                self.agent.state.set(key, value)
        self._timeline.record(ToolRan(name=call.name, tool_use_id=id, what="raises" if call.error else "ends"))
        if call.error is not None:
            raise ScriptedToolError(call.error)
        content: Any = [{"text": call.result}] if isinstance(call.result, str) else call.result
        return {"toolUseId": id, "status": "success", "content": content}


def _spec(name: str) -> ToolSpec:
    return {
        "name": name,
        "description": f"The scripted tool {name}.",
        "inputSchema": {"json": {"type": "object", "properties": {"text": {"type": "string"}}}},
    }
