"""The tools of a script: real SDK tools that give back, raise, set state or wait as the script says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .script import Script, ToolCall
from .sdk import TOOL_LOGGER, AgentTool, BidiAgent, PythonAgentTool, ToolResult, ToolSpec, ToolUse
from .timeline import Timeline, ToolRan


class ScriptedToolError(Exception):
    """What a tool raises where the script says that it does."""


@contextmanager
def quiet_scripted_errors() -> Iterator[None]:
    """Keep the SDK from logging the tracebacks of errors that the script asks for."""

    def wanted(record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], ScriptedToolError))

    log = logging.getLogger(TOOL_LOGGER)
    log.addFilter(wanted)
    try:
        yield
    finally:
        log.removeFilter(wanted)


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
        self.agent: BidiAgent | None = None
        """The agent whose state the tools set."""

    @property
    def tools(self) -> list[AgentTool]:
        """One SDK tool for each name that the script calls, and one, ``note``, for direct calls."""
        names = sorted({call.name for call in self._calls.values()} | {"note"})
        return [PythonAgentTool(name, _spec(name), self._run) for name in names]

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
