"""The stage of a conversation: its session, manager, tools and observer, and the steps that any kind of agent plays."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

from ..backends import Backend, Workspace
from ..models import ScriptedTools
from ..process import FAULT_BEGINS, FAULT_ENDS, FROM_OUTSIDE, no_file_can_be_written, tolerating_warnings
from ..scripts import (
    DeleteState,
    DirectToolCall,
    HookRaises,
    Redact,
    Script,
    SetState,
    Step,
    StorageFails,
    StorageWorks,
)
from ..sdk import Agent, BidiAgent, SdkLacks, SessionManager
from ..services import Traffic
from ..timeline import REDACTED, REDACTS, Failed, Happened, Reading, Timeline
from ._observer import BIDI_EVENTS, Observer
from ._reader import read_session, restored_agent
from .teams import Team
from .text_agent import TextAgent

StorageFault = Callable[[], AbstractContextManager[object]]
"""Lets nothing be stored while what it returns is entered."""


@dataclass(frozen=True)
class Session:
    """A session of a backend, which a conversation is about.

    Attributes:
        backend: The backend.
        workspace: Where it keeps its data.
        session_id: The session.
        agent_id: The agent in it.
        text_agent: How the agent is made, if it is a text ``Agent`` and not a ``BidiAgent``.
        team: What the graph or swarm is, if it is about several agents.
    """

    backend: Backend
    workspace: Workspace
    session_id: str = "conversation"
    agent_id: str = "default"
    text_agent: TextAgent | None = None
    team: Team | None = None

    def open(self) -> SessionManager[Any]:
        """Build a manager, as a user's application does. It is closed as :meth:`Backend.open_manager` says."""
        return self.backend.open_manager(self.session_id, self.workspace)

    def restore(self) -> BidiAgent:
        """Return a new agent that a new manager restored, and that is never started.

        Raises:
            Exception: What the manager raised.
        """
        return restored_agent(self.backend, self.workspace, self.session_id, self.agent_id)

    def read(self) -> Reading:
        """Return what an independent reader finds stored."""
        with tolerating_warnings():
            return read_session(self.backend, self.workspace, self.session_id, self.agent_id, self.text_agent)


def usual_fault(session: Session) -> StorageFault:
    """Return what lets nothing be stored: the workspace's servers are cut off; if it has none, no file is written."""
    return session.workspace.unreachable if session.workspace.places else no_file_can_be_written


class Stage:
    """What every conversation has, whatever kind of agent it is with.

    Args:
        session: Which session it is about.
        script: Says which tools the agent has.
        timeline: Where everything is recorded; by default a new one.
        manager: The manager; by default a new one.
        observing: Whether what is stored is read along the way. Each reading costs a restore.
        events: The hook events that the observer listens to.
        at_rest: Whether stops, restarts that are over and :class:`~.steps.HookReads` steps read what is stored where
            ``observing`` is off.
        storage_fault: While it is entered, nothing can be stored; by default the workspace's servers cannot be
            reached, or, where it has none, no file can be written.
        tools_of: The script that says which tools the agent has, where that is another one.
    """

    agent: BidiAgent | Agent
    _plays: dict[type[Step], Callable[[Any], Awaitable[None]]]

    def __init__(
        self,
        session: Session,
        script: Script,
        timeline: Timeline | None,
        manager: SessionManager[Any] | None,
        observing: bool,
        events: dict[type[Any], str] = BIDI_EVENTS,
        at_rest: bool = False,
        storage_fault: StorageFault | None = None,
        tools_of: Script | None = None,
    ) -> None:
        self.session = session
        self.timeline = timeline if timeline is not None else Timeline()
        self._script = script
        self._reading = observing
        self._reads_at_rest = observing or at_rest
        self._storage_fault = storage_fault or usual_fault(session)
        self._faults = ExitStack()
        self._storage_faulty = False
        self._tools = ScriptedTools(tools_of or script, self.timeline)
        self._latest: tuple[list[Traffic | int], Reading] | None = None
        self.observer = Observer(self.timeline, self._read_stored, events, self._read_at_rest)
        self.manager = manager if manager is not None else session.open()

    def read(self) -> Reading:
        """Return what an independent reader finds stored now."""
        return self.session.read()

    # -- recording -----------------------------------------------------------------------------------------

    def _read_stored(self) -> Reading | None:
        return self._read_if_changed() if self._reading and not self._storage_faulty else None

    def _read_if_changed(self) -> Reading:
        """Return what is stored: the latest reading where nothing has gone over the wire since then to change it."""
        workspace = self.session.workspace
        before, latest = workspace.quiet(), self._latest
        if before is not None and latest is not None and before == latest[0]:
            return latest[1]
        reading = self.read()
        since = workspace.quiet()
        self._latest = None if since is None else (since, reading)
        return reading

    def _read_at_rest(self) -> Reading | None:
        return self.read() if self._reads_at_rest and not self._storage_faulty else None

    def _failed(self, where: str, error: BaseException) -> None:
        self.timeline.record(Failed.by(where, error))

    async def _attempt(self, where: str, action: Awaitable[Any]) -> bool:
        try:
            await action
        except SdkLacks:
            raise
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            self._failed(where, error)
            return False
        return True

    def _way_to_play(self, step: Step) -> Callable[[Any], Awaitable[None]]:
        """Return what plays a step.

        Raises:
            ValueError: This kind of agent has nothing like it.
        """
        if type(step) not in self._plays:
            raise ValueError(f"the step {step.op!r} is none of a conversation with {type(self.agent).__name__}")
        return self._plays[type(step)]

    # -- the steps -----------------------------------------------------------------------------------------

    async def _set_state(self, step: SetState) -> None:
        self.timeline.record(Happened(what=f"the application sets state {step.key!r} to {step.value!r}"))
        self.agent.state.set(step.key, copy.deepcopy(step.value))

    async def _delete_state(self, step: DeleteState) -> None:
        self.timeline.record(Happened(what=f"the application deletes state {step.key!r}"))
        self.agent.state.delete(step.key)

    def _has_no_message(self, for_what: str) -> bool:
        """Whether the agent has lost what it was told, and record so: whoever compares its history names that."""
        if not self.agent.messages:
            self.timeline.record(Happened(what=f"there is no message {for_what}"))
        return not self.agent.messages

    async def _redact(self, step: Redact) -> None:
        if self._has_no_message("to redact"):
            return
        latest = self.agent.messages[-1]
        latest["content"] = [{"text": step.text}]
        self.timeline.record(Happened(what=REDACTS, message=latest))
        try:
            self.manager.redact_latest_message(latest, self.agent)
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            self._failed("redact_latest_message()", error)
        else:
            self.timeline.record(Happened(what=REDACTED, message=latest))

    async def _call_tool_directly(self, step: DirectToolCall) -> None:
        self.timeline.record(Happened(what=f"the application calls agent.tool.{step.name}()"))
        try:
            getattr(self.agent.tool, step.name)(**(step.input or {}))
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            self._failed(f"agent.tool.{step.name}()", error)

    async def _hook_raises(self, step: HookRaises) -> None:
        self.observer.raise_once(step.event)

    async def _storage_fails(self, _: StorageFails) -> None:
        self._begin_fault()

    def _begin_fault(self) -> None:
        self.timeline.record(Happened(what=FAULT_BEGINS))
        self._storage_faulty = True
        self._faults.enter_context(self._storage_fault())

    async def _storage_works(self, _: StorageWorks) -> None:
        self._faults.close()
        self._storage_faulty = False
        self.timeline.record(Happened(what=FAULT_ENDS, memory=self.agent.messages, stored=self._read_at_rest()))
