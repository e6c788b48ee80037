"""A real ``BidiModel`` that plays what it is told to and records all that it is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from ..scripts import ModelCall
from ..sdk import BidiModel, BidiOutputEvent, ConnectionTimeoutError, OutputTranslator, blocks_received
from ..timeline import ModelReceived, ModelStarted, ModelStopped, Reading, Timeline
from ._connection import Connection


class ScriptedFailure(Exception):
    """What a call of the scripted model raises where the script says that it fails."""


class ScriptedBidiModel(BidiModel):
    """A bidirectional model without ``restart()``: the agent restarts it with ``stop()`` and ``start()``.

    The conversation that plays a script tells the model what to emit; the model never sleeps.

    Args:
        timeline: Where the model records everything that it is given, as deep copies.
        read_stored: Called at each start, restart and send to say what is stored at that moment.
        auto_restart: The connection configuration's ``auto_restart``.
        restart_after_s: The connection configuration's ``restart_after_s`` in seconds, if any.
    """

    def __init__(
        self,
        timeline: Timeline,
        *,
        read_stored: Callable[[], Reading | None] = lambda: None,
        auto_restart: bool = True,
        restart_after_s: int | None = None,
    ) -> None:
        self._timeline = timeline
        self._read_stored = read_stored
        self._config: dict[str, Any] = {
            "model_id": "scripted",
            "connection": {"auto_restart": auto_restart}
            | ({"restart_after_s": restart_after_s} if restart_after_s is not None else {}),
        }
        self._translator = OutputTranslator()
        self._connections = 0
        self._connection: Connection | None = None
        self._opened = asyncio.Event()
        self._failures: dict[ModelCall, int | None] = {}
        self._received = asyncio.Event()
        self.restart_gate: asyncio.Event | None = None
        """Where set, a restart waits for it: the script does something while the restart is under way."""
        self.restart_begun = asyncio.Event()

    # -- what the agent calls ------------------------------------------------------------------------------

    def update_config(self, **model_config: Any) -> None:
        """Change the configuration."""
        self._config.update(model_config)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration."""
        return self._config

    async def start(self, system_prompt: Any = None, tools: Any = None, messages: Any = None, **kwargs: Any) -> None:
        """Open a connection, recording what it is given.

        Raises:
            ScriptedFailure: The script says that this start fails.
        """
        await self._open("start", system_prompt, tools, messages, kwargs)

    async def _open(
        self, call: ModelCall, system_prompt: Any, tools: Any, messages: Any, options: dict[str, Any]
    ) -> None:
        if self._connections:
            self.restart_begun.set()
            if self.restart_gate is not None:
                await self.restart_gate.wait()
        failed = self._fails_now(call)
        self._timeline.record(
            ModelStarted(
                call=call,
                connection=self._connections + 1,
                system_prompt=system_prompt,
                tools=[tool["name"] for tool in tools or []],
                tool_specs=list(tools or []),
                messages=list(messages or []),
                options=options,
                failed=failed,
                stored=self._read_stored(),
            )
        )
        if failed:
            raise ScriptedFailure(f"the script says that model.{call}() fails")
        if self._connection is not None:
            self._connection.close()
        self._connections += 1
        self._connection = Connection(self._connections, self._timeline)
        self._opened.set()

    async def stop(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._timeline.record(ModelStopped(connection=self._connection.number))
            self._connection.close()
            self._connection = None

    async def receive(self) -> AsyncIterator[BidiOutputEvent]:
        """Yield what the connection emits, until it is closed.

        Raises:
            ConnectionTimeoutError: The script says that the provider ends the connection.
        """
        if self._connection is None:
            return
        async for event in self._connection.receive():
            yield event

    async def send(self, content: Any) -> None:
        """Record what the model is sent.

        Raises:
            ScriptedFailure: The script says that this send fails.
        """
        failed = self._fails_now("send")
        number = self._connection.number if self._connection is not None else 0
        self._timeline.record(
            ModelReceived(
                connection=number,
                content=blocks_received(content),
                failed=failed,
                stored=self._read_stored(),
            )
        )
        self._received.set()
        if failed:
            raise ScriptedFailure("the script says that model.send() fails")

    # -- what the script says ------------------------------------------------------------------------------

    def fail(self, call: ModelCall, times: int | None) -> None:
        """Let the next ``times`` calls of a kind fail, or all of them where it is None."""
        self._failures[call] = times

    def _fails_now(self, call: ModelCall) -> bool:
        remaining = self._failures.get(call, 0)
        if remaining is not None and remaining > 0:
            self._failures[call] = remaining - 1
        return remaining is None or remaining > 0

    async def emit(self, *events: dict[str, Any]) -> None:
        """Emit output events; return when the agent has handled them all or the connection is closed."""
        connection = await self._open_connection()
        for data in events:
            for event in self._translator.events(data):
                connection.put(str(data.get("type")), event, str(data.get("delta", "")))
        await connection.handled_all()

    async def time_out(self, options: dict[str, Any] | None = None) -> None:
        """Let the provider end the connection."""
        connection = await self._open_connection()
        self.restart_begun.clear()
        error = ConnectionTimeoutError("the provider's connection limit was reached", **(options or {}))
        connection.put("timeout", error)

    async def end_stream(self) -> None:
        """End the stream without an error; return when it has ended."""
        connection = await self._open_connection()
        connection.put("end_stream", None)
        await connection.handled_all()

    async def _open_connection(self) -> Connection:
        if self._connection is None:
            raise ScriptedFailure("the script lets the model emit while it has no connection")
        return self._connection

    async def received_result(self, tool_use_ids: set[str]) -> None:
        """Return when the model was sent the results of these tool uses."""
        while not tool_use_ids <= self._results_received():
            self._received.clear()
            await self._received.wait()

    def _results_received(self) -> set[str]:
        return {
            block["toolResult"]["toolUseId"]
            for sent in self._timeline.of(ModelReceived)
            for block in sent.content
            if "toolResult" in block
        }


class RestartableScriptedBidiModel(ScriptedBidiModel):
    """A scripted model with ``restart()``, the SDK's ``Restartable`` protocol."""

    async def restart(
        self, system_prompt: Any = None, tools: Any = None, messages: Any = None, **restart_kwargs: Any
    ) -> None:
        """Replace the connection, recording what the new one is given.

        Raises:
            ScriptedFailure: The script says that this restart fails.
        """
        await self._open("restart", system_prompt, tools, messages, restart_kwargs)
