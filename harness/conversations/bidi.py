"""Conversations: play a script on a real ``BidiAgent`` with a backend's manager, and record what happens."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Any

from ..models import RestartableScriptedBidiModel, ScriptedBidiModel
from ..process import FROM_OUTSIDE, clock
from ..scripts import (
    WITHOUT_START,
    Add,
    CallTools,
    Cancel,
    DeleteState,
    DirectToolCall,
    Elsewhere,
    Emit,
    EndStream,
    Fail,
    HookRaises,
    HookReads,
    Redact,
    Release,
    ScheduledRestart,
    Script,
    Send,
    SendAudio,
    SetState,
    Start,
    Step,
    Stop,
    StopHookSetsState,
    StorageFails,
    StorageWorks,
    Timeout,
    Together,
)
from ..sdk import (
    FEATURES,
    BidiAgent,
    BidiMessageAddedEvent,
    Dialect,
    Message,
    SdkFeature,
    SdkLacks,
    SessionManager,
    audio_input,
    dialect,
    need,
)
from ..timeline import (
    AgentStarted,
    AgentStopped,
    Failed,
    Happened,
    HappenedElsewhere,
    ProcessStarted,
    Timeline,
    UserSent,
)
from ._stage import Session, Stage, StorageFault

_TURNS = 10
"""Turns of the event loop after which whatever was ready waits for something again."""

_TURN_LIMIT_S = 60
"""Seconds of scripted time that an agent may wait for the end of a turn; in the SDK's 1.58 to 1.62 it is 10."""


class Conversation(Stage):
    """One agent with one manager, played step by step.

    Args:
        session: Which session it is about.
        script: Says which model and tools the agent has. Its steps are not played by themselves.
        timeline: Where everything is recorded.
        messages: What the agent's constructor is given as its history.
        state: What it is given as its state.
        manager: The manager, where several agents share one; by default a new one.
        observing: Whether hooks, starts, restarts and sends read what is stored. Each reading costs a restore.
        fresh_process: Whether this process was started for this conversation.
        at_rest: Whether stops, restarts that are over and :class:`HookReads` steps read what is stored where
            ``observing`` is off.
        storage_fault: While it is entered, nothing can be stored; see :class:`~.stage.Stage`.
        tools_of: The script that says which tools the agent has, where that is another one.
    """

    agent: BidiAgent

    def __init__(
        self,
        session: Session,
        script: Script,
        *,
        timeline: Timeline | None = None,
        messages: Sequence[Message] | None = None,
        state: dict[str, Any] | None = None,
        manager: SessionManager[Any] | None = None,
        observing: bool = True,
        fresh_process: bool = False,
        process: int = 0,
        at_rest: bool = False,
        storage_fault: StorageFault | None = None,
        tools_of: Script | None = None,
    ) -> None:
        if script.restart_after_s is not None or not script.auto_restart:
            need(SdkFeature.SCHEDULED_RESTARTS)
        super().__init__(
            session,
            script,
            timeline,
            manager,
            observing,
            at_rest=at_rest,
            storage_fault=storage_fault,
            tools_of=tools_of,
        )
        self._process = process
        self._others: dict[tuple[str, str], Conversation] = {}
        kind = RestartableScriptedBidiModel if script.restartable else ScriptedBidiModel
        self.model = kind(
            self.timeline,
            read_stored=self._read_stored,
            auto_restart=script.auto_restart,
            restart_after_s=script.restart_after_s,
        )
        self.agent = BidiAgent(
            model=self.model,
            agent_id=session.agent_id,
            system_prompt=script.system_prompt,
            tools=list(self._tools.tools),
            messages=copy.deepcopy(list(messages)) if messages is not None else None,
            state=copy.deepcopy(state) if state is not None else None,
            hooks=[self.observer],
            session_manager=self.manager,
        )
        self.observer.register_on(self.agent)
        self._tools.agent = self.agent
        self._started = False
        self._is_broken = False
        self._receiver: asyncio.Task[None] | None = None
        self._recorded = recorded = asyncio.Event()
        loop = asyncio.get_running_loop()  # the timeline outlives all this, and holds neither agent nor manager
        self.timeline.listen(lambda _: loop.is_closed() or loop.call_soon_threadsafe(recorded.set))
        self._plays = {
            Send: self._send, SendAudio: self._send_audio, Emit: self._emit, CallTools: self._call_tools,
            Release: self._release, Timeout: self._time_out, ScheduledRestart: self._restart_on_schedule,
            Fail: self._fail, EndStream: self._end_stream, Cancel: self._cancel, Start: self._start,
            Stop: self._stop, SetState: self._set_state, DeleteState: self._delete_state,
            Add: self._add, Redact: self._redact, DirectToolCall: self._call_tool_directly,
            HookRaises: self._hook_raises, StopHookSetsState: self._stop_hook_sets_state,
            StorageFails: self._storage_fails, StorageWorks: self._storage_works, Together: self._together,
            Elsewhere: self._elsewhere, HookReads: self._hook_reads,
        }  # fmt: skip
        self.timeline.record(
            ProcessStarted(
                number=process, fresh=fresh_process, memory=self.agent.messages, state=self.agent.state.get()
            )
        )

    async def play(self, script: Script | None = None, *, stop: bool = True) -> None:
        """Play a script's steps: by default those of the conversation's own script.

        An agent that is not started is started before the first step that needs it.

        Args:
            script: The steps to play.
            stop: Whether to stop the agent at the end.
        """
        with self._faults:
            for step in (script or self._script).steps:
                await self.step(step)
        self._storage_faulty = False
        if stop:
            for other in self._others.values():
                if other._started:
                    await other.step(Stop())
            if not self._started and not self.timeline.of(AgentStopped):
                await self.step(Start())
            if self._started:
                await self.step(Stop())

    async def step(self, step: Step) -> None:
        """Play one step."""
        needs_agent = not isinstance(step, WITHOUT_START)
        if needs_agent and not self._started and not self.timeline.of(AgentStopped):
            await self.step(Start())
        await self._way_to_play(step)(step)

    # -- synchronising -------------------------------------------------------------------------------------

    async def _receive(self) -> None:
        try:
            async for _ in self.agent.receive():
                pass
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            self._failed("agent.receive()", error)

    async def _until(self, *ways: Awaitable[Any]) -> None:
        """Wait until one of the ways is there, or the conversation failed so that none will ever be."""
        waiting = [asyncio.ensure_future(way) for way in ways]
        watched = {*waiting, *({self._receiver} if self._receiver is not None else ())}
        try:
            await self._first_of(watched)
        finally:
            for task in waiting:
                if not task.done():
                    task.cancel()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _first_of(self, watched: set[asyncio.Future[Any]]) -> None:
        """Wait for one of them, unless a task of the agent's own has died, which leaves all others waiting.

        The SDK hands on what is an ``Exception``. What is not ends the task that it was raised in, and nobody is told.
        """
        while not self._is_broken and not any(task.done() for task in watched):
            others = asyncio.all_tasks() - watched - {asyncio.current_task()}
            done, _ = await asyncio.wait({*watched, *others}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - watched:
                error = None if task.cancelled() else task.exception()
                if error is not None and not isinstance(error, Exception):
                    self._is_broken = True
                    self._failed("a task of the agent", error)

    # -- the steps -----------------------------------------------------------------------------------------

    async def _start(self, _: Start) -> None:
        self._is_broken = False
        if await self._attempt("agent.start()", self.agent.start()):
            self._started = True
            self._receiver = asyncio.ensure_future(self._receive())
            await asyncio.sleep(0)  # receiving has begun when the next step happens, however soon that is a stop
            self.timeline.record(AgentStarted(stored=self._read_stored(), bytes_stored=self._bytes_stored()))

    def _bytes_stored(self) -> int | None:
        return self.session.workspace.bytes_stored() if self._reading else None

    async def _stop(self, _: Stop) -> None:
        self._started = False
        await self._attempt("agent.stop()", self.agent.stop())
        if self._receiver is not None:
            self._receiver.cancel()
            await asyncio.gather(self._receiver, return_exceptions=True)
            self._receiver = None
        self.timeline.record(
            AgentStopped(memory=self.agent.messages, state=self.agent.state.get(), stored=self._read_at_rest())
        )

    async def _send(self, step: Send) -> None:
        self.timeline.record(UserSent(content=step.content))
        await self._attempt("agent.send()", self.agent.send(copy.deepcopy(step.content)))

    async def _send_audio(self, step: SendAudio) -> None:
        self.timeline.record(UserSent(content="audio"))
        await self._attempt("agent.send()", self.agent.send(audio_input(step.data)))

    async def _emit(self, step: Emit) -> None:
        await self._until(self.model.emit(*step.events))

    async def _call_tools(self, step: CallTools) -> None:
        self._tools.expect(step.calls)
        uses = [{"toolUseId": call.id, "name": call.name, "input": call.input} for call in step.calls]
        await self._until(self.model.emit({"type": "tool_use_blocks", "tool_uses": uses}))
        if any(call.held for call in step.calls):
            await self._until(asyncio.gather(*(self._tools.begun(call.id) for call in step.calls)))
        else:
            await self._until(self.model.received_result({call.id for call in step.calls}))

    async def _release(self, step: Release) -> None:
        self._tools.release(step.tool_use_id)
        received = self.model.received_result({step.tool_use_id})
        if dialect() is Dialect.STABLE:
            await self._until(received)
        else:  # there, a result that comes after a restart may be told to the history alone
            await self._until(received, self._result_recorded(step.tool_use_id))

    async def _result_recorded(self, tool_use_id: str) -> None:
        while not any(
            block.get("toolResult", {}).get("toolUseId") == tool_use_id
            for call in self.timeline.hooks("message_added")
            if call.position == "last" and call.message is not None
            for block in call.message["content"]
        ):
            self._recorded.clear()
            await self._recorded.wait()
        await self._let_others_run()  # what is sent at once is sent by then

    async def _time_out(self, step: Timeout) -> None:
        restarts = self._restarts_done()
        gate = asyncio.Event() if step.during else None
        self.model.restart_gate = gate
        await self.model.time_out(step.options)
        if gate is not None:
            await self._until(self.model.restart_begun.wait())
            during: list[asyncio.Future[None]] = []
            if self.model.restart_begun.is_set():  # else a hook has prevented it, and no message would ever be sent
                during = [asyncio.ensure_future(self.step(inner)) for inner in step.during]
                await self._let_others_run()
            gate.set()
            await asyncio.gather(*during)
        await self._until(self._restarted(restarts))
        self.model.restart_gate = None
        await self._look_after_restart(restarts)

    async def _look_after_restart(self, before: int) -> None:
        """Note what is in memory once a restart is over and, where it can be read at rest, what is stored."""
        if self._reading or self._restarts_done() == before:
            return
        await self._let_others_run()  # what a receiver that fails with the restart has to say comes first
        if self._receiver is not None and not self._receiver.done():
            what = "the connection has been restarted"
            self.timeline.record(Happened(what=what, memory=self.agent.messages, stored=self._read_at_rest()))

    async def _let_others_run(self) -> None:
        """Give everything that is ready the turns of the event loop that take it to its next wait."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def _restarts_begun(self) -> int:
        return self._calls_of_last_hook("before_connection_restart")

    def _restarts_done(self) -> int:
        return self._calls_of_last_hook("after_connection_restart")

    def _calls_of_last_hook(self, event: str) -> int:
        return sum(call.position == "last" for call in self.timeline.hooks(event))

    async def _restarted(self, before: int) -> None:
        while self._restarts_done() == before:
            self._recorded.clear()
            await self._recorded.wait()

    async def _restart_on_schedule(self, step: ScheduledRestart) -> None:
        restarts = self._restarts_done()
        loop = asyncio.get_running_loop()
        if not isinstance(loop, clock.MovableClockLoop) or self._script.restart_after_s is None:
            raise RuntimeError("a scheduled restart needs restart_after_s and a loop with a movable clock")
        # Second by second, as the agent sets the timer of the restart when the timer of its warning has fired; and
        # for longer than asked, as it waits some seconds for a turn that is under way.
        for _ in range(self._script.restart_after_s + _TURN_LIMIT_S):
            if self._restarts_begun() > restarts:
                break
            loop.advance(1)
            await self._let_others_run()
        await self._until(self._restarted(restarts))
        await self._look_after_restart(restarts)

    async def _fail(self, step: Fail) -> None:
        by_start = step.call == "restart" and SdkFeature.RESTARTABLE_MODELS not in FEATURES
        self.model.fail("start" if by_start else step.call, step.times)

    async def _end_stream(self, _: EndStream) -> None:
        await self._until(self.model.end_stream())

    async def _cancel(self, _: Cancel) -> None:
        self.timeline.record(Happened(what="the application calls agent.cancel()"))
        self.agent.cancel()

    async def _add(self, step: Add) -> None:
        message: Message = copy.deepcopy(step.message)
        self.agent.messages.append(message)
        event: Any = BidiMessageAddedEvent(agent=self.agent, message=message)
        await self._attempt("adding a message", self.agent.hooks.invoke_callbacks_async(event))

    async def _stop_hook_sets_state(self, step: StopHookSetsState) -> None:
        self.observer.set_state_on_stop(step.key, step.value)

    async def _hook_reads(self, step: HookReads) -> None:
        self.observer.read_once(step.event)

    async def _elsewhere(self, step: Elsewhere) -> None:
        session_id = step.session_id if step.session_id is not None else self.session.session_id
        agent_id = step.agent_id if step.agent_id is not None else self.session.agent_id
        place = (session_id, agent_id)
        if place not in self._others:
            timeline = Timeline()
            timeline.listen(
                lambda event: self.timeline.record(
                    HappenedElsewhere(session_id=session_id, agent_id=agent_id, event=event)
                )
            )
            try:
                self._others[place] = self._open_elsewhere(session_id, agent_id, timeline)
            except SdkLacks:
                raise
            except FROM_OUTSIDE:
                raise
            except BaseException as error:
                timeline.record(Failed.by("opening the session", error))
                return
        for inner in step.steps:
            await self._others[place].step(inner)

    def _open_elsewhere(self, session_id: str, agent_id: str, timeline: Timeline) -> Conversation:
        beside = [self, *self._others.values()]
        managers = [other.manager for other in beside if other.session.session_id == session_id]
        return Conversation(
            replace(self.session, session_id=session_id, agent_id=agent_id),
            replace(self._script, restart_after_s=None),  # a clock that is moved ahead is moved for all
            timeline=timeline,
            manager=managers[0] if managers else None,
            observing=self._reading,
            process=self._process,
            at_rest=self._reads_at_rest,
            storage_fault=self._storage_fault,
        )

    async def _together(self, step: Together) -> None:
        await asyncio.gather(*(self.step(inner) for inner in step.steps))


__all__ = ["Conversation", "Session"]
