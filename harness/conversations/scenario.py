"""Scenarios: named scripts, each played once for a backend and judged by any number of requirements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..backends import Backend, Workspace
from ..scripts import Script
from ..sdk import Message
from ..timeline import AgentStopped, ProcessStarted, Reading, Timeline
from ._stage import StorageFault
from .bidi import Session
from .playing import play
from .teams import Team
from .text_agent import TextAgent

T = TypeVar("T")


@dataclass(frozen=True)
class Scenario:
    """A named script and how it is played.

    Attributes:
        name: What it is called in reports.
        script: What shall happen.
        messages: What the agent's constructor is given as its history, if anything.
        observing: Whether what is stored is read at every hook, start, restart and send.
        fresh_processes: Whether each of its processes is one of the operating system.
        text_agent: How the agent is made, for a conversation with a text ``Agent`` instead of a ``BidiAgent``.
        team: What the graph or swarm is, for one with several agents.
    """

    name: str
    script: Script
    messages: tuple[Message, ...] | None = None
    observing: bool = True
    fresh_processes: bool = False
    text_agent: TextAgent | None = None
    team: Team | None = None


@dataclass(frozen=True)
class Run:
    """A scenario that was played: what happened, and where the session lies.

    Attributes:
        scenario: The scenario.
        session: The session it was played in.
        timeline: What happened.
    """

    scenario: Scenario
    session: Session
    timeline: Timeline
    _readings: list[Reading] = field(default_factory=list)

    @property
    def stored(self) -> Reading:
        """What a reader found when everything was over."""
        if not self._readings:
            self._readings.append(self.session.read())
        return self._readings[0]

    @property
    def memory(self) -> list[Message]:
        """The agent's history when it stopped last."""
        return self.timeline.of(AgentStopped)[-1].memory if self.timeline.of(AgentStopped) else []

    @property
    def processes(self) -> list[ProcessStarted]:
        """The processes that opened the session."""
        return self.timeline.of(ProcessStarted)


class ScenarioRuns:
    """Plays scenarios on one backend, each once.

    Args:
        backend: The backend.
        new_workspace: Makes a fresh workspace.
        storage_fault_for: Returns what makes storage in a workspace fail, where :func:`.play` cannot by itself.
    """

    def __init__(
        self,
        backend: Backend,
        new_workspace: Callable[[], Workspace],
        storage_fault_for: Callable[[Workspace], StorageFault | None] = lambda workspace: None,
    ) -> None:
        self._backend = backend
        self._new_workspace = new_workspace
        self._storage_fault_for = storage_fault_for
        self._runs: dict[str, Run | Exception] = {}
        self._made: dict[str, Any] = {}

    def __call__(self, scenario: Scenario) -> Run:
        """Return the scenario's run, played now if it was not before.

        Raises:
            Exception: What the first attempt to play it raised.
        """
        if scenario.name not in self._runs:
            self._runs[scenario.name] = self._play(scenario)
        run = self._runs[scenario.name]
        if isinstance(run, Exception):
            raise run
        return run

    def once(self, make: Callable[[Callable[[], Session]], T], name: str = "") -> T:
        """Return what ``make`` returns, made now if it was not before.

        Args:
            make: Given a function that returns a session in a fresh workspace, does what several requirements judge.
            name: What it is known by; by default the function's name.

        Raises:
            Exception: What the first attempt raised.
        """
        key = name or f"{make.__module__}.{make.__qualname__}"
        if key not in self._made:
            try:
                self._made[key] = make(lambda: Session(self._backend, self._new_workspace()))
            except Exception as error:
                self._made[key] = error
        made = self._made[key]
        if isinstance(made, Exception):
            raise made
        return made  # type: ignore[no-any-return]

    def _play(self, scenario: Scenario) -> Run | Exception:
        session = Session(self._backend, self._new_workspace(), text_agent=scenario.text_agent, team=scenario.team)
        options: dict[str, Any] = {
            "messages": scenario.messages,
            "observing": scenario.observing,
            "fresh_processes": scenario.fresh_processes,
            "storage_fault": self._storage_fault_for(session.workspace),
        }
        try:
            return Run(scenario, session, play(session, scenario.script, **options))
        except Exception as error:
            return error
