"""Text conversations: play a script on a real ``Agent`` with a backend's manager, and record what happens."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Sequence
from typing import Any

from ..models import ScriptedTextModel
from ..process import FROM_OUTSIDE
from ..scripts import (
    Answer,
    CallTools,
    Cancel,
    DeleteState,
    DirectToolCall,
    Emit,
    EndStream,
    Fail,
    HookRaises,
    Merge,
    Redact,
    Release,
    Script,
    Send,
    SetState,
    Start,
    Step,
    Stop,
    StopHookSetsState,
    StorageFails,
    StorageFailsBehind,
    StorageWorks,
)
from ..sdk import (
    AfterInvocationEvent,
    Agent,
    BeforeToolCallEvent,
    HookOrder,
    Message,
    MessageAddedEvent,
    SessionManager,
)
from ..timeline import AgentAtRest, Asked, Happened, ProcessStarted, Timeline, UserSent
from ._observer import LATEST_ORDER, TEXT_EVENTS
from ._stage import Session, Stage, StorageFault
from .text_agent import Booking, TextAgent


class TextConversation(Stage):
    """One text agent with one manager, played step by step.

    A user's message begins an invocation. It goes on while the model answers: until an answer ends (``response_stop``)
    without a tool use, fails, is cancelled or interrupted. A script may end, or its process be killed, within one.

    Args:
        session: Which session it is about, and how its agent is made.
        script: Says which tools the agent has. Its steps are not played by themselves.
        timeline: Where everything is recorded.
        messages: What the agent's constructor is given as its history.
        state: What it is given as its state.
        manager: The manager, where several agents share one; by default a new one.
        observing: Whether hooks and calls of the model read what is stored. Each reading costs a restore.
        fresh_process: Whether this process was started for this conversation, which allows storage faults.
        asked: The interrupts of an earlier process, as the application remembers them.
        storage_fault: While it is entered, nothing can be stored; see :class:`~.stage.Stage`.
        tools_of: The script that says which tools the agent has, where that is another one.
    """

    agent: Agent

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
        asked: Sequence[dict[str, Any]] = (),
        storage_fault: StorageFault | None = None,
        tools_of: Script | None = None,
    ) -> None:
        super().__init__(
            session, script, timeline, manager, observing, TEXT_EVENTS, storage_fault=storage_fault, tools_of=tools_of
        )
        made = session.text_agent or TextAgent()
        self.model = ScriptedTextModel(self.timeline, read_stored=self._read_stored, stateful=made.stateful)
        self.agent = made.build(
            self.model,
            agent_id=session.agent_id,
            session_manager=self.manager,
            system_prompt=script.system_prompt,
            tools=self._tools.tools,
            messages=copy.deepcopy(list(messages)) if messages is not None else None,
            state=copy.deepcopy(state) if state is not None else None,
            hooks=[self.observer],
        )
        self.observer.register_on(self.agent)
        self.agent.add_hook(self._tools.ask_by_hook, BeforeToolCallEvent)
        self._set_at_end: list[tuple[str, Any]] = []
        self.agent.add_hook(self._set_state_at_end, AfterInvocationEvent, order=LATEST_ORDER)
        self._failing_behind: StorageFailsBehind | None = None
        self.agent.add_hook(self._fail_behind, MessageAddedEvent, order=HookOrder.SDK_LAST)
        self._tools.agent = self.agent
        self._invocation: asyncio.Task[None] | None = None
        self._asked = list(asked)
        self._plays = {
            Send: self._send, Emit: self._emit, CallTools: self._call_tools, Release: self._release,
            Answer: self._answer, Fail: self._fail, EndStream: self._end_stream, Cancel: self._cancel,
            Start: self._start, Stop: self._stop, SetState: self._set_state, DeleteState: self._delete_state,
            Merge: self._merge, Redact: self._redact, DirectToolCall: self._call_tool_directly,
            HookRaises: self._hook_raises, StopHookSetsState: self._stop_hook_sets_state,
            StorageFails: self._storage_fails, StorageFailsBehind: self._storage_fails_behind,
            StorageWorks: self._storage_works,
        }  # fmt: skip
        self.timeline.record(
            ProcessStarted(
                number=process,
                fresh=fresh_process,
                memory=self.agent.messages,
                state=self.agent.state.get(),
                managed=self.agent.conversation_manager.get_state(),
            )
        )

    async def play(self, script: Script | None = None, *, stop: bool = True) -> None:
        """Play a script's steps: by default those of the conversation's own script.

        Args:
            script: The steps to play.
            stop: Whether an invocation that is under way at the end is cancelled, as a server that shuts down does.
        """
        for step in (script or self._script).steps:
            await self.step(step)
        if stop:
            await self._stop(Stop())
            if not self.timeline.of(AgentAtRest):
                self._at_rest("the process is about to end")

    async def step(self, step: Step) -> None:
        """Play one step.

        Raises:
            ValueError: Text agents have nothing like it.
        """
        await self._way_to_play(step)(step)

    # -- invocations ---------------------------------------------------------------------------------------

    async def _invoke(self, prompt: Any, **options: Any) -> None:
        """Begin an invocation; return when the model was asked, or the invocation ended without that."""
        if self._invocation is not None:
            raise RuntimeError("the script begins an invocation while another one is under way")
        before = self.model.calls
        self._invocation = asyncio.ensure_future(self._to_its_end(prompt, options))
        await self._until(self.model.called(before))

    async def _to_its_end(self, prompt: Any, options: dict[str, Any]) -> None:
        try:
            result = await self.agent.invoke_async(prompt, **options)
        except asyncio.CancelledError:
            self._at_rest("the invocation is torn down")
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            self._failed("agent.invoke_async()", error)
            self._at_rest("the invocation fails")
        else:
            self._asked = [interrupt.to_dict() for interrupt in result.interrupts or []]
            if self._asked:
                self.timeline.record(Asked(interrupts=self._asked))
            self._at_rest(f"the invocation ends ({result.stop_reason})")

    def _at_rest(self, why: str) -> None:
        self.timeline.record(
            AgentAtRest(
                why=why,
                memory=self.agent.messages,
                state=self.agent.state.get(),
                managed=self.agent.conversation_manager.get_state(),
                stored=self._read_stored(),
            )
        )

    async def _until(self, way: Awaitable[Any]) -> bool:
        """Wait until the way is there, or the invocation has ended. Return whether it goes on."""
        assert self._invocation is not None
        waiting = asyncio.ensure_future(way)
        try:
            await asyncio.wait({waiting, self._invocation}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        if self._invocation.done():
            invocation, self._invocation = self._invocation, None
            invocation.result()
        return self._invocation is not None

    def _answered_by_nobody(self, what: str) -> bool:
        """Whether no invocation is under way, so that the model has nobody to stream to."""
        if self._invocation is None:
            self.timeline.record(Happened(what=f"the model is not asked, so the script's {what} does not happen"))
        return self._invocation is None

    # -- the steps -----------------------------------------------------------------------------------------

    async def _start(self, _: Start) -> None:
        """Do nothing: a text agent is ready when it was made."""

    async def _stop(self, _: Stop) -> None:
        if self._invocation is not None:
            self._invocation.cancel()
            await asyncio.gather(self._invocation, return_exceptions=True)
            self._invocation = None

    async def _send(self, step: Send) -> None:
        self.timeline.record(UserSent(content=step.content))
        options = {"structured_output_model": Booking} if step.structured else {}
        await self._invoke(copy.deepcopy(step.content), **options)

    async def _answer(self, step: Answer) -> None:
        self.timeline.record(UserSent(content=f"the answer {step.response!r}"))
        self._tools.expect(step.calls)
        answers = [
            {"interruptResponse": {"interruptId": asked["id"], "response": copy.deepcopy(step.response)}}
            for asked in self._asked
            if not step.to or asked["reason"] in step.to
        ]
        await self._invoke(answers)

    async def _emit(self, step: Emit) -> None:
        if self._answered_by_nobody("answer"):
            return
        before = self.model.calls
        goes_on = await self._until(self.model.emit(*step.events))
        if goes_on and any(event.get("type") in ("response_stop", "raise") for event in step.events):
            await self._until(self.model.called(before))

    async def _call_tools(self, step: CallTools) -> None:
        if self._answered_by_nobody("tool call"):
            return
        self._tools.expect(step.calls)
        before = self.model.calls
        uses = [{"toolUseId": call.id, "name": call.name, "input": call.input} for call in step.calls]
        goes_on = await self._until(
            self.model.emit({"type": "tool_use_blocks", "tool_uses": uses}, {"type": "response_stop"})
        )
        held = [self._tools.begun(call.id) for call in step.calls if call.held]
        if not goes_on:
            for begun in held:
                begun.close()
        elif held:
            await self._until(asyncio.gather(*held))
        else:
            await self._until(self.model.called(before))

    async def _release(self, step: Release) -> None:
        if self._answered_by_nobody("tool result"):
            return
        before = self.model.calls
        self._tools.release(step.tool_use_id)
        await self._until(self.model.called(before))

    async def _merge(self, step: Merge) -> None:
        if self._has_no_message("to merge input into"):
            return
        merged = copy.copy(self.agent.messages[-1])
        merged["content"] = [*merged["content"], {"text": step.text}]
        self.agent.messages[-1] = merged
        self.timeline.record(Happened(what=f"the agent merges {step.text!r} into its last message", message=merged))
        event: MessageAddedEvent[Any] = MessageAddedEvent(agent=self.agent, message=merged)
        await self._attempt("merging input", self.agent.hooks.invoke_callbacks_async(event))

    async def _fail(self, step: Fail) -> None:
        if step.call not in ("stream", "overflow"):
            raise ValueError(f"a text model has no {step.call!r} that could fail")
        self.model.fail(step.call, step.times)

    async def _end_stream(self, _: EndStream) -> None:
        if not self._answered_by_nobody("end of the stream"):
            before = self.model.calls
            if await self._until(self.model.end_stream()):
                await self._until(self.model.called(before))

    async def _stop_hook_sets_state(self, step: StopHookSetsState) -> None:
        self._set_at_end.append((step.key, step.value))

    def _set_state_at_end(self, event: AfterInvocationEvent) -> None:
        for key, value in self._set_at_end:
            self.timeline.record(Happened(what=f"the last hook of the invocation sets state {key!r} to {value!r}"))
            event.agent.state.set(key, copy.deepcopy(value))
        self._set_at_end.clear()

    async def _storage_fails_behind(self, step: StorageFailsBehind) -> None:
        self._failing_behind = step

    def _fail_behind(self, event: MessageAddedEvent) -> None:
        if self._failing_behind is not None:
            step, self._failing_behind = self._failing_behind, None
            self.timeline.record(Happened(what=f"the last hook on the message sets state {step.key!r}"))
            event.agent.state.set(step.key, copy.deepcopy(step.value))
            self._begin_fault()

    async def _cancel(self, _: Cancel) -> None:
        """Cancel, as a provider does that is told: while the model streams, its stream ends at once."""
        self.timeline.record(Happened(what="the application calls agent.cancel()"))
        self.agent.cancel()


__all__ = ["TextConversation"]
