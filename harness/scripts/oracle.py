"""The oracle: the history that a script makes, kept in plain lists, by the SDK's contract and no session manager."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..timeline import (
    AgentStopped,
    Event,
    Happened,
    ModelStarted,
    ProcessStarted,
)
from .expected import Expected
from .live_agent import LiveAgent, bidi_message, call_tools, emit, end_tools
from .script import (
    Add,
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
    Redact,
    Release,
    RestartProcess,
    ScheduledRestart,
    Script,
    Send,
    SetState,
    Start,
    Step,
    Stop,
    StopHookSetsState,
    StorageFails,
    StorageWorks,
    Timeout,
)
from .steps import WITHOUT_START

Place = tuple[str | None, str | None]
"""A session's id and an agent's id, each None for the conversation's own."""

OWN: Place = (None, None)
"""The conversation's own session and agent."""


@dataclass(frozen=True)
class Checkpoint:
    """A moment at which the oracle knows a history: the timeline has an event of this kind for it, in this order.

    Attributes:
        kind: The kind of the event.
        place: Whose history it is.
        history: The history at that moment.
        state: The agent's state at that moment.
        new: Whether nothing was stored there before.
    """

    kind: type[Event]
    place: Place
    history: tuple[Expected, ...]
    state: dict[str, Any]
    new: bool = False


@dataclass
class _Stored:
    """What is stored of an agent: what it had in memory when it was last there."""

    history: list[Expected]
    state: dict[str, Any]


class Oracle:
    """Goes through a script's steps and knows, at every moment, the history that each agent should have.

    Args:
        script: The settings of the conversation. Its steps are not gone through by themselves.
        acknowledged: For each message sent while storage failed, whether the caller was not told of a failure.
        refused: The places that the backend refused to open.
    """

    def __init__(self, script: Script, *, acknowledged: Iterable[bool] = (), refused: Iterable[Place] = ()) -> None:
        self._script = script
        self._acknowledged = iter(acknowledged)
        self.refused = set(refused)
        self._stored: dict[Place, _Stored] = {}
        self._given: list[dict[str, Any]] = list(script.messages)
        self.agents: dict[Place, LiveAgent] = {}
        self.checkpoints: list[Checkpoint] = []
        self.storage_fails = False
        self.places: set[Place] = {OWN}
        self._open(OWN)

    @classmethod
    def of(cls, script: Script, **known: Any) -> Oracle:
        """Return an oracle that has gone through a whole script."""
        oracle = cls(script, **known)
        for step in script.steps:
            oracle.apply(step)
        oracle.end_process()
        return oracle

    @property
    def own(self) -> LiveAgent:
        """The conversation's own agent, in its present process."""
        return self.agents[OWN]

    @property
    def sessions(self) -> set[str | None]:
        """The ids of the sessions that are stored, None for the conversation's own."""
        return {session_id for session_id, _ in self._stored}

    def stored(self, place: Place) -> tuple[Expected, ...]:
        """Return the history that is to be found at a place after all."""
        kept = self._stored.get(place)
        return tuple(copy.copy(one) for one in kept.history) if kept is not None else ()

    def apply(self, step: Step, place: Place = OWN) -> None:
        """Go through one step."""
        if isinstance(step, RestartProcess):
            self.end_process()
            for care in step.meanwhile:
                self._care(care)
            self._open(OWN)
        elif isinstance(step, Elsewhere):
            self._elsewhere(step)
        else:
            agent = self.agents[place]
            if not isinstance(step, WITHOUT_START) and not agent.started and not agent.stopped:
                self.apply(Start(), place)
            self._effects(agent, step, place)

    def end_process(self) -> None:
        """Let the process end: agents that are started are stopped."""
        for place, agent in [*self.agents.items()][1:]:
            if agent.started:
                self.apply(Stop(), place)
        if not self.own.started and not self.own.stopped:
            self.apply(Start())
        if self.own.started:
            self.apply(Stop())
        self.agents.clear()

    # -- places --------------------------------------------------------------------------------------------

    def _open(self, place: Place) -> None:
        new = place not in self._stored
        if new:
            given = self._given if place == OWN else []
            self._stored[place] = _Stored([Expected(copy.deepcopy(message)) for message in given], {})
        stored = self._stored[place]
        self.places.add(place)
        # A process shares the list with what is stored, since each message is to be stored at once; a state is stored
        # when its agent stops.
        self.agents[place] = LiveAgent(stored.history, dict(stored.state))
        self._check(ProcessStarted, place, self.agents[place], new=new)

    def _elsewhere(self, step: Elsewhere) -> None:
        place = (step.session_id, step.agent_id)
        if place in self.refused:
            return
        if place not in self.agents:
            self._open(place)
        for inner in step.steps:
            self.apply(inner, place)

    def _care(self, step: Step) -> None:
        for place in [*self._stored]:
            deleted = isinstance(step, DeleteSession) and place[0] == step.session_id
            if deleted or (isinstance(step, CleanUp) and step.days_later > 0):
                del self._stored[place]

    def _check(self, kind: type[Event], place: Place, agent: LiveAgent, *, new: bool = False) -> None:
        history = tuple(copy.copy(expected) for expected in agent.history)
        self.checkpoints.append(Checkpoint(kind, place, history, dict(agent.state), new))

    # -- what steps do -------------------------------------------------------------------------------------

    def _effects(self, agent: LiveAgent, step: Step, place: Place) -> None:
        if isinstance(step, Start):
            agent.started = not agent.fails("start")
            self._check(ModelStarted, place, agent)
        elif isinstance(step, Stop):
            self._stop(agent, place)
        elif isinstance(step, Send):
            self._send(agent, step)
        elif isinstance(step, Emit):
            for event in step.events:
                if agent.speaks:
                    emit(agent, event)
        elif isinstance(step, CallTools):
            call_tools(agent, step)
        elif isinstance(step, Release):
            end_tools(agent, agent.held.pop(step.tool_use_id))
        elif isinstance(step, Timeout | ScheduledRestart):
            self._restart(agent, step, place)
        elif isinstance(step, Add):
            agent.add(copy.deepcopy(step.message))
        elif isinstance(step, Redact):
            agent.history[-1].message = {**agent.history[-1].message, "content": [{"text": step.text}]}
        elif isinstance(step, DirectToolCall):
            for role in ("user", "assistant", "user", "assistant"):
                agent.add(bidi_message(role, None))
        elif isinstance(step, StorageFails | StorageWorks):
            self.storage_fails = isinstance(step, StorageFails)
            if not self.storage_fails:
                self._check(Happened, place, agent)
        elif isinstance(step, Fail):
            agent.failing[step.call] = step.times
        elif isinstance(step, EndStream):
            agent.end_streams()
            agent.silent = True
        elif isinstance(step, Cancel):
            agent.cancelled = True
        elif isinstance(step, SetState):
            agent.state[step.key] = step.value
        elif isinstance(step, DeleteState):
            agent.state.pop(step.key, None)
        elif isinstance(step, StopHookSetsState):
            agent.set_on_stop.append((step.key, step.value))
        elif isinstance(step, HookRaises):
            agent.raising.add(step.event)

    def _stop(self, agent: LiveAgent, place: Place) -> None:
        agent.end_streams()
        agent.held.clear()
        agent.state.update(agent.set_on_stop)
        agent.set_on_stop.clear()
        agent.started = agent.over = agent.silent = agent.cancelled = agent.added = False
        agent.stopped = True
        self._stored[place].state = dict(agent.state)
        self._check(AgentStopped, place, agent)

    def _send(self, agent: LiveAgent, step: Send) -> None:
        content = [{"text": step.content}] if isinstance(step.content, str) else copy.deepcopy(step.content)
        optional = self.storage_fails and not next(self._acknowledged, False)
        agent.add(bidi_message("user", content), optional=optional)
        agent.raising.discard("message_added")
        agent.fails("send")

    def _restart(self, agent: LiveAgent, step: Timeout | ScheduledRestart, place: Place) -> None:
        agent.end_streams(unsettled=True)
        if isinstance(step, Timeout) and not self._script.auto_restart:
            agent.over = True
            return
        self._check(ModelStarted, place, agent)
        for expected in agent.history:
            expected.was = None
        if agent.fails("restart" if self._script.restartable else "start"):
            agent.over = True
            return
        agent.silent = False
        for inner in step.during if isinstance(step, Timeout) else ():
            self.apply(inner, place)
        self._check(Happened, place, agent)
