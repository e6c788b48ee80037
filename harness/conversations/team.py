"""Team conversations: play a script on a real ``Graph`` or ``Swarm`` with a backend's manager, and record it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from typing import Any

from ..models import Answering, ScriptedTextModel
from ..process import FAULT_BEGINS, FAULT_ENDS, FROM_OUTSIDE
from ..scripts import Answer, NodeWill, Script, Send, Step, StorageFails, StorageWorks
from ..sdk import (
    AfterMultiAgentInvocationEvent,
    AfterNodeCallEvent,
    BeforeMultiAgentInvocationEvent,
    BeforeNodeCallEvent,
    Graph,
    HookOrder,
    HookRegistry,
    SessionManager,
    Swarm,
)
from ..timeline import (
    Asked,
    Failed,
    Happened,
    NodeRan,
    ProcessStarted,
    TeamEnded,
    TeamKnows,
    Timeline,
    UserSent,
    copied,
)
from ._stage import Session, StorageFault, usual_fault
from .teams import Team


class TeamConversation:
    """One graph or swarm with one manager, played step by step.

    A user's message invokes the team, and the step ends with the invocation. If the script lets a node wait, the step
    ends there, and after it the process can only be killed.

    Args:
        session: Which session it is about, and what the team is.
        script: Its steps are not played by themselves.
        timeline: Where everything is recorded.
        fresh_process: Whether this process was started for this conversation.
        process: Its number.
        asked: The interrupts of an earlier process, as the application remembers them.
        storage_fault: While it is entered, nothing can be stored; see :class:`~.stage.Stage`.
    """

    def __init__(
        self,
        session: Session,
        script: Script,
        *,
        timeline: Timeline | None = None,
        fresh_process: bool = False,
        process: int = 0,
        asked: Sequence[dict[str, Any]] = (),
        storage_fault: StorageFault | None = None,
    ) -> None:
        self.session = session
        self.timeline = timeline if timeline is not None else Timeline()
        self._script = script
        self._models: dict[str, ScriptedTextModel] = {}
        self._asking: set[str] = set()
        self._waiting: list[NodeWill] = []
        self._ended: set[str] = set()
        self._moved = asyncio.Event()
        self._asked = list(asked)
        self._answered: set[str] = set()
        self._unanswered: dict[str, Any] = {}
        self._invoked = False
        self._storage_fault = storage_fault or usual_fault(session)
        self._faults = ExitStack()
        self.manager: SessionManager[Any] = session.open()
        team = session.team or Team("graph")
        self.team: Graph | Swarm = team.build(self._model_of, self.manager, [self])
        self._invocation: asyncio.Task[None] | None = None
        self._plays: dict[type[Step], Callable[[Any], Awaitable[None]]] = {
            Send: self._send, Answer: self._answer, NodeWill: self._node_will,
            StorageFails: self._storage_fails, StorageWorks: self._storage_works,
        }  # fmt: skip
        self.timeline.record(ProcessStarted(number=process, fresh=fresh_process, team=team.kind))

    def _model_of(self, name: str, answer: Answering) -> ScriptedTextModel:
        model = ScriptedTextModel(self.timeline, answer=answer, about={"node": name})
        self._models[name] = model
        return model

    # -- hooks ---------------------------------------------------------------------------------------------

    def register_hooks(self, registry: HookRegistry, **_: Any) -> None:
        """Register what a user gives the team: hooks around each node and around it all, behind a manager's."""
        registry.add_callback(BeforeMultiAgentInvocationEvent, self._team_begins, order=HookOrder.SDK_LAST)
        registry.add_callback(AfterMultiAgentInvocationEvent, self._team_ended, order=HookOrder.SDK_LAST)
        registry.add_callback(BeforeNodeCallEvent, self._node_begins, order=HookOrder.SDK_LAST)
        registry.add_callback(AfterNodeCallEvent, self._node_ends, order=HookOrder.SDK_LAST)

    def _team_begins(self, event: BeforeMultiAgentInvocationEvent) -> None:
        if not self._invoked:
            state = copied(self.team.serialize_state())
            asked = state.get("_internal_state", {}).get("interrupt_state", {}).get("interrupts", {})
            if any(asked[id]["response"] is not None for id in self._answered & asked.keys()):
                state = self._unanswered  # the SDK 1.48 takes an answer ahead of the hooks
            self.timeline.record(TeamKnows(when="restored", state=state))
        self._invoked = True

    def _team_ended(self, event: AfterMultiAgentInvocationEvent) -> None:
        self.timeline.record(TeamKnows(state=copied(self.team.serialize_state())))

    def _node_begins(self, event: BeforeNodeCallEvent) -> None:
        if event.node_id in self._asking:
            answer = event.interrupt("approval", reason=f"May {event.node_id} begin?")
            self.timeline.record(NodeRan(node=event.node_id, what=f"is answered {answer!r}"))
        self.timeline.record(NodeRan(node=event.node_id))

    def _node_ends(self, event: AfterNodeCallEvent) -> None:
        self._ended.add(event.node_id)
        self._moved.set()
        self.timeline.record(NodeRan(node=event.node_id, what="ends"))

    # -- playing -------------------------------------------------------------------------------------------

    async def play(self, script: Script | None = None, *, stop: bool = True) -> None:
        """Play a script's steps: by default those of the conversation's own script.

        Args:
            script: The steps to play.
            stop: Whether the process goes on after it.

        Raises:
            ValueError: A node waits, and the process is not to be killed.
        """
        for step in (script or self._script).steps:
            await self.step(step)
        if stop and self._invocation is not None:
            raise ValueError("a process can only be killed while a node of a team waits")

    async def step(self, step: Step) -> None:
        """Play one step.

        Raises:
            ValueError: Teams have nothing like it.
        """
        if type(step) not in self._plays:
            raise ValueError(f"the step {step.op!r} is none of a conversation with a {type(self.team).__name__}")
        await self._plays[type(step)](step)

    async def _node_will(self, step: NodeWill) -> None:
        if step.what == "ask":
            self._asking.add(step.node)
        elif step.what == "fail":
            self._models[step.node].fail("stream", 1)
        else:
            self._models[step.node].wait()
            self._waiting.append(step)

    async def _storage_fails(self, _: StorageFails) -> None:
        self.timeline.record(Happened(what=FAULT_BEGINS))
        self._faults.enter_context(self._storage_fault())

    async def _storage_works(self, _: StorageWorks) -> None:
        self._faults.close()
        self.timeline.record(Happened(what=FAULT_ENDS))

    async def _send(self, step: Send) -> None:
        self.timeline.record(UserSent(content=step.content))
        await self._invoke(copy.deepcopy(step.content))

    async def _answer(self, step: Answer) -> None:
        self.timeline.record(UserSent(content=f"the answer {step.response!r}"))
        ids = [asked["id"] for asked in self._asked if not step.to or asked["reason"] in step.to]
        self._answered.update(ids)
        self._unanswered = copied(self.team.serialize_state())
        await self._invoke(
            [{"interruptResponse": {"interruptId": id, "response": copy.deepcopy(step.response)}} for id in ids]
        )

    async def _invoke(self, task: Any) -> None:
        self._invocation = asyncio.ensure_future(self._to_its_end(task))
        waiting = asyncio.ensure_future(self._those_that_wait())
        await asyncio.wait({self._invocation, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        if self._invocation.done():
            invocation, self._invocation = self._invocation, None
            invocation.result()

    async def _those_that_wait(self) -> None:
        """Return when the nodes are at work that shall wait, and those have ended that are beside them."""
        if not self._waiting:
            await asyncio.Event().wait()
        for step in self._waiting:
            await self._models[step.node].called(0)
            while not set(step.after) <= self._ended:
                self._moved.clear()
                await self._moved.wait()

    async def _to_its_end(self, task: Any) -> None:
        try:
            result = await self.team.invoke_async(task)
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            self.timeline.record(Failed.by(f"{type(self.team).__name__}.invoke_async()", error))
            return
        self._asked = [interrupt.to_dict() for interrupt in result.interrupts]
        if self._asked:
            self.timeline.record(Asked(interrupts=self._asked))
        kept = self.team.serialize_state()
        history: Sequence[Any] = getattr(result, "execution_order", None) or getattr(result, "node_history", [])
        self.timeline.record(
            TeamEnded(
                status=result.status.value,
                nodes=[node.node_id for node in history],
                results={name: str(found).strip() for name, found in result.results.items()},
                messages={
                    name: [one.message for one in found.get_agent_results()] for name, found in result.results.items()
                },
                tokens={name: found.accumulated_usage["totalTokens"] for name, found in result.results.items()},
                all_tokens=result.accumulated_usage["totalTokens"] if "accumulated_usage" in kept else 0,
                executions=result.execution_count if "execution_count" in kept else 0,
            )
        )


__all__ = ["TeamConversation"]
