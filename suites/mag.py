"""MAG: several agents. A graph or a swarm that was stopped goes on where it was.

Another process goes on with it, if the backend can be opened by one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from session_conformance.fixtures import ConformanceSuite, NewSession, capabilities_of, endpoint_of_run
from session_conformance.harness import (
    Backend,
    Capability,
    NotApplicable,
    Run,
    Scenario,
    ScenarioRuns,
    Script,
    Session,
    Team,
    Timeline,
    expect_no_failure,
    play,
    requirement,
    violated,
)
from session_conformance.harness.backends import Durability
from session_conformance.harness.conversations import fact_from, handed_over_by, said_by
from session_conformance.harness.scripts import NodeWill
from session_conformance.harness.sdk import SdkFeature
from session_conformance.harness.timeline import (
    Asked,
    Event,
    Failed,
    ModelStarted,
    NodeRan,
    ProcessStarted,
    TeamEnded,
    TeamKnows,
    difference_of_values,
    same,
    texts,
)

from .scenarios import (
    ASKS_UNSTORED,
    ASKS_UNSTORED_HERE,
    BYTES,
    GOES_ON_UNSTORED,
    GRAPH_ASKS,
    GRAPH_ASKS_WITHIN,
    GRAPH_BINARY,
    GRAPH_BRANCHES,
    GRAPH_FAILS,
    GRAPH_KILLED,
    GRAPH_NESTED,
    ODD_TEXT,
    PIXEL,
    SECOND_TASK,
    SWARM_ASKS,
    SWARM_FAILS,
    SWARM_KILLED,
    TASK,
    expect_apart_from_an_agent,
    expect_here_and_elsewhere,
    expect_processes_to_take_turns,
    expect_unreadable_teams_to_go_on,
)

PERSISTED = "A: SessionManager.register_hooks, sync_multi_agent after each node; Graph.deserialize_state"


_SETS = ("completed_nodes", "failed_nodes", "interrupted_nodes")


def _opens_elsewhere(backend: Backend, request: pytest.FixtureRequest) -> bool:
    """Whether the processes of a script can be processes of the operating system."""
    return Capability.FRESH_PROCESS in capabilities_of(backend, request.config)


def _resumed_elsewhere(scenario: Scenario, backend: Backend, request: pytest.FixtureRequest) -> Scenario:
    """Return a scenario that needs no fresh processes, with fresh processes where the backend can be opened by them."""
    return replace(scenario, fresh_processes=_opens_elsewhere(backend, request))


def _processes(timeline: Timeline) -> list[list[Event]]:
    """Return the events of each process."""
    processes: list[list[Event]] = []
    for event in timeline:
        if isinstance(event, ProcessStarted):
            processes.append([])
        if processes:
            processes[-1].append(event)
    return processes


def expect_nodes(run: Run, process: int, wanted: Sequence[str], what: str) -> None:
    """Report a violation unless just these nodes began in a process, in this order.

    Raises:
        Violation: Others did, or in another order, or more than once.
    """
    processes = _processes(run.timeline)
    if len(processes) <= process:
        failed = run.timeline.of(Failed)
        violated(f"process {process} opens the session", "it could not", run.timeline, *failed[-1:])
    begun = [event for event in processes[process] if isinstance(event, NodeRan) and event.what == "begins"]
    names = [event.node for event in begun]
    if names != list(wanted):
        violated(
            f"{what}: in process {process}, {', '.join(wanted)} run, each once",
            f"these run: {', '.join(names) or 'none'}",
            run.timeline,
            processes[process][0],
            *begun,
        )


def expect_told_or_kept(run: Run, kept: bool, lost: str) -> None:
    """Report a violation unless a team's first process was told that nothing could be stored, or nothing is lost.

    Args:
        run: A scenario of two processes, in the first of which storage fails.
        kept: Whether the second one goes on where the first one was.
        lost: What is lost otherwise, for the evidence.

    Raises:
        Violation: Nobody was told of a loss, or the session cannot be opened any more.
    """
    timeline, processes = run.timeline, _processes(run.timeline)
    if len(processes) < 2:
        violated("the session can be opened again", "it cannot", timeline, *timeline.of(Failed))
    if not kept and not any(isinstance(event, Failed) for event in processes[0]):
        found = f"{run.scenario.name}: invoke_async() raised nothing, and {lost}"
        violated("the failure reaches the caller", found, timeline, *processes[0][-1:])


def _asked(run: Run, process: int, node: str) -> ModelStarted:
    """Return how the model of a node was asked first in a process, in which that node began."""
    starts = [event for event in _processes(run.timeline)[process] if isinstance(event, ModelStarted)]
    asked = [start for start in starts if start.options.get("node") == node]
    if not asked:
        violated(f"the model of {node} is asked in process {process}", "it is not", run.timeline,
                 *run.timeline.of(Failed))  # fmt: skip
    return asked[0]


def expect_told(run: Run, process: int, node: str, *wanted: str) -> None:
    """Report a violation unless the model of a node was told some texts when it was asked first in a process.

    Raises:
        Violation: It was not.
    """
    asked = _asked(run, process, node)
    told = "\n".join(texts(asked.messages))
    missing = [text for text in wanted if text not in told]
    if missing:
        violated(f"in process {process}, {node} is told {list(wanted)}", f"{missing} are missing", run.timeline, asked)


def expect_completed(run: Run, process: int, nodes: Sequence[str]) -> None:
    """Report a violation unless the team's last result in a process has these nodes, in this order, with what each said
    and used.

    Raises:
        Violation: It has others, or what came of some is lost.
    """
    ends = [event for event in _processes(run.timeline)[process] if isinstance(event, TeamEnded)]
    if not ends:
        violated(f"the team ends in process {process}", "it does not", run.timeline, *run.timeline.of(Failed))
    if ends[-1].nodes != list(nodes):
        violated(f"the result says that {list(nodes)} ran", f"it says {ends[-1].nodes}", run.timeline, ends[-1])
    for node in nodes:
        if said_by(node) not in ends[-1].results.get(node, ""):
            violated(
                f"the result of {node} is {said_by(node)!r}",
                f"{ends[-1].results.get(node)!r}",
                run.timeline,
                ends[-1],
            )
        if not ends[-1].tokens.get(node):
            violated(f"the result of {node} says how many tokens it used", "it says none", run.timeline, ends[-1])
    end = ends[-1]
    if 0 < end.all_tokens < sum(end.tokens.values()):
        expected = f"the team has used what its nodes have, {sum(end.tokens.values())} tokens"
        violated(expected, f"it says {end.all_tokens}", run.timeline, end)
    if 0 < end.executions < len(nodes):
        expected = f"the team counts each node that ran, {len(nodes)} of them"
        violated(expected, f"it counts {end.executions}", run.timeline, end)


def _in_order(state: dict[str, Any]) -> dict[str, Any]:
    """Return what a team knows with its sets in order: the SDK lists them as they come."""
    return {key: sorted(value) if key in _SETS else value for key, value in state.items()}


def expect_known(run: Run) -> None:
    """Report a violation where a process's team does not begin with what the one before it left.

    Left is what the SDK would restore of it. Looked at are processes that ended with an invocation, however it ended:
    what a kill leaves is for each manager to promise.

    Raises:
        Violation: Something of ``serialize_state()`` is lost, or is another.
    """
    team = run.scenario.team
    assert team is not None
    known = [[event for event in events if isinstance(event, TeamKnows)] for events in _processes(run.timeline)]
    for before, after in itertools.pairwise(known):
        if not before or not after or before[-1].when != "left":
            continue
        wanted, found = _in_order(team.restored(before[-1].state)), _in_order(after[0].state)
        differs = difference_of_values(wanted, found, "serialize_state()")
        if differs is not None:
            what = f"{run.scenario.name}: what the team knew as it was left is what it is restored with"
            violated(what, differs, run.timeline, before[-1], after[0])


class SeveralAgents(ConformanceSuite):
    """MAG: several agents."""

    @requirement("MAG-01", source=PERSISTED, needs=[Capability.MULTI_AGENT, Capability.FRESH_PROCESS])
    def killed_graph(self, run: ScenarioRuns) -> None:
        """A graph whose process was killed while a node was at work goes on with that node in a fresh process: no node
        before it runs again, and it is given the task and the results of those before it; what these used of their
        models is counted still.
        """
        played = run(GRAPH_KILLED)
        expect_no_failure(played.timeline)
        expect_nodes(played, 0, ["plan", "write"], "killed in write")
        expect_nodes(played, 1, ["write", "check"], "killed in write, then in check")
        expect_told(played, 1, "write", TASK, said_by("plan"))
        expect_nodes(played, 2, ["check"], "killed in check")
        expect_told(played, 2, "check", TASK, said_by("write"))
        expect_completed(played, 2, ["plan", "write", "check"])

    @requirement("MAG-02", source="B: harness-sdk #1864, #1870", needs=[Capability.MULTI_AGENT])
    def binary(self, run: ScenarioRuns, backend: Backend, request: pytest.FixtureRequest) -> None:
        """A team's binary content (in its task, and in the answers of its agents) is stored, and comes back to the last
        bit; so do any text of its task, and all else that it knows.
        """
        played = run(_resumed_elsewhere(GRAPH_BINARY, backend, request))
        expect_no_failure(played.timeline, allowed=["ScriptedFailure"])
        expect_nodes(played, 1, ["check"], "check failed")
        asked = _asked(played, 1, "check")
        content = asked.messages[0]["content"]
        for kind, data in (("image", PIXEL), ("document", BYTES)):
            found = [block[kind]["source"]["bytes"] for block in content if kind in block]  # type: ignore[literal-required]
            if len(found) != 1 or not same(found[0], data):
                violated(
                    f"check is given the task's {kind}, {len(data)} bytes",
                    f"it is given {found!r:.120}",
                    played.timeline,
                    asked,
                )
        given = [block["text"] for block in content if "text" in block]
        if ODD_TEXT not in given:
            violated(f"check is given the task's text {ODD_TEXT!r}", f"it is given {given}", played.timeline, asked)
        expect_told(played, 1, "check", TASK, said_by("write"))
        expect_completed(played, 1, ["plan", "write", "check"])
        end = played.timeline.of(TeamEnded)[-1]
        for node in ("plan", "write"):
            blocks = [block for message in end.messages[node] for block in message["content"]]
            redacted = [
                block["reasoningContent"].get("redactedContent") for block in blocks if "reasoningContent" in block
            ]
            if not same(redacted, [BYTES]):
                violated(
                    f"the result of {node} has its redacted reasoning, {len(BYTES)} bytes",
                    f"it has {redacted!r:.120}",
                    played.timeline,
                    end,
                )
        expect_known(played)

    @requirement(
        "MAG-03",
        source="A: Graph.deserialize_state, 'if the graph execution ended ... resets all nodes and graph state'",
        needs=[Capability.MULTI_AGENT, Capability.FRESH_PROCESS],
        sdk=[SdkFeature.RESUMED_TEAMS],
    )
    def finished(self, run: ScenarioRuns) -> None:
        """A run that had finished when its process was killed restores as finished: the next task runs each node once,
        from the first on, and nobody is told of the old one.
        """
        for scenario in (GRAPH_KILLED, SWARM_KILLED):
            played = run(scenario)
            expect_nodes(played, 3, ["plan", "write", "check"], "the run had finished")
            expect_completed(played, 3, ["plan", "write", "check"])
            for node in ("plan", "write", "check"):
                asked = _asked(played, 3, node)
                told = "\n".join(texts(asked.messages))
                if SECOND_TASK not in told or TASK in told:
                    violated(f"{node} is told of {SECOND_TASK!r} alone", f"it is told {told!r}", played.timeline, asked)

    @requirement(
        "MAG-04",
        source="A: Swarm.deserialize_state; SwarmState (node history, shared context, handoff message)",
        needs=[Capability.MULTI_AGENT, Capability.FRESH_PROCESS],
        sdk=[SdkFeature.RESUMED_TEAMS],
    )
    def killed_swarm(self, run: ScenarioRuns) -> None:
        """A swarm whose process was killed while an agent was at work goes on with that agent in a fresh process, which
        is told the task, who was before it, what was handed over, and what they know.
        """
        played = run(SWARM_KILLED)
        expect_no_failure(played.timeline)
        expect_nodes(played, 0, ["plan", "write"], "killed in write")
        expect_nodes(played, 1, ["write", "check"], "killed in write, then in check")
        expect_told(played, 1, "write", TASK, handed_over_by("plan"), fact_from("plan"))
        expect_nodes(played, 2, ["check"], "killed in check")
        expect_told(played, 2, "check", TASK, handed_over_by("write"), fact_from("plan"), fact_from("write"))
        expect_completed(played, 2, ["plan", "write", "check"])

    @requirement("MAG-05", source=PERSISTED, needs=[Capability.MULTI_AGENT], sdk=[SdkFeature.RESUMED_TEAMS])
    def nodes_that_fail(
        self, run: ScenarioRuns, backend: Backend, new_session: NewSession, request: pytest.FixtureRequest
    ) -> None:
        """After a node failed, the next manager's graph goes on with that node, with all that it knew, and its swarm
        with its first agent; each node that runs does so once, and a task after that begins at the beginning.
        """
        for scenario, resumed in ((GRAPH_FAILS, ["write", "check"]), (SWARM_FAILS, ["plan", "write", "check"])):
            played = run(_resumed_elsewhere(scenario, backend, request))
            expect_no_failure(played.timeline, allowed=["ScriptedFailure"])
            expect_nodes(played, 0, ["plan", "write"], "write fails")
            expect_nodes(played, 1, [*resumed, "plan", "write", "check"], "write failed")
            expect_completed(played, 1, ["plan", "write", "check"])
            if scenario is GRAPH_FAILS:
                expect_told(played, 1, "write", TASK, said_by("plan"))
            expect_known(played)
        expect_here_and_elsewhere(expect_processes_to_take_turns, new_session, _opens_elsewhere(backend, request))

    @requirement(
        "MAG-06",
        source=f"{PERSISTED}, in-flight nodes re-run on resume",
        needs=[Capability.MULTI_AGENT, Capability.FRESH_PROCESS],
        sdk=[SdkFeature.RESUMED_TEAMS],
    )
    def branches(self, run: ScenarioRuns) -> None:
        """A graph that was killed while one of two branches was at work runs that branch again and not the other,
        and joins them once, with the results of both; it says that all ran, in the order in which they ran.
        """
        played = run(GRAPH_BRANCHES)
        expect_no_failure(played.timeline)
        expect_nodes(played, 1, ["right", "join"], "right was at work")
        expect_told(played, 1, "join", TASK, said_by("left"), said_by("right"))
        expect_completed(played, 1, ["root", "left", "right", "join"])

    @requirement("MAG-07", source="A: MultiAgentResult.to_dict, nested results", needs=[Capability.MULTI_AGENT])
    def nested(self, run: ScenarioRuns, backend: Backend, request: pytest.FixtureRequest) -> None:
        """A swarm that is a node of a graph, with no manager of its own, does not run again, and the results of its
        agents come back, with all that is known of them.
        """
        played = run(_resumed_elsewhere(GRAPH_NESTED, backend, request))
        expect_no_failure(played.timeline, allowed=["ScriptedFailure"])
        expect_nodes(played, 1, ["check"], "check failed")
        expect_told(played, 1, "check", TASK, said_by("write-1"), said_by("write-2"))
        starts = [event for event in _processes(played.timeline)[1] if isinstance(event, ModelStarted)]
        inner = [start for start in starts if start.options["node"].startswith("write")]
        if inner:
            violated("the agents of the swarm within are not asked again", "one is", played.timeline, *inner)
        expect_known(played)

    @requirement(
        "MAG-08",
        source="D,A: interrupts in multi-agent systems; BeforeNodeCallEvent.interrupt",
        needs=[Capability.MULTI_AGENT],
    )
    def interrupts(self, run: ScenarioRuns, backend: Backend, request: pytest.FixtureRequest) -> None:
        """An interrupt of a graph, and of a swarm, is answered after a restart: the node that asked runs then, once,
        with the task's binary content and all that the team knew, and those before it do not run again.
        """
        for scenario in (GRAPH_ASKS, SWARM_ASKS):
            played = run(_resumed_elsewhere(scenario, backend, request))
            timeline = played.timeline
            expect_no_failure(timeline)
            reasons = [interrupt["reason"] for event in timeline.of(Asked) for interrupt in event.interrupts]
            if reasons != ["May write begin?"]:
                violated("the user is asked once, before write", f"{reasons}", timeline, *timeline.of(Asked))
            answered = [event for event in timeline.of(NodeRan) if event.what == "is answered 'yes'"]
            if len(answered) != 1:
                violated("the hook is given the answer", "it is not", timeline, *timeline.of(Asked))
            expect_nodes(played, 1, ["write", "check"], f"{scenario.name} was answered")
            asked = _asked(played, 1, "write")
            blocks = [block for message in asked.messages for block in message["content"]]
            images = [block["image"]["source"]["bytes"] for block in blocks if "image" in block]
            if not same(images, [PIXEL]):
                violated("write is given the task's image", f"{images!r:.120}", timeline, asked)
            expect_known(played)

    @requirement(
        "MAG-09", source="A: MultiAgentBase.id, 'unique id for session management'", needs=[Capability.MULTI_AGENT]
    )
    def two_teams(self, new_session: NewSession, request: pytest.FixtureRequest) -> None:
        """Two teams (other id, if only in case) in one session never mix, nor do a team and an agent of one id: each
        goes on where it was.
        """
        first = new_session()
        elsewhere = _opens_elsewhere(first.backend, request)
        teams = [
            Session(first.backend, first.workspace, first.session_id, team=Team("graph", (f"{id}-1", f"{id}-2"), id=id))
            for id in ("one", "One")
        ]
        for session in teams:
            assert session.team is not None
            fails = Script().then(NodeWill(session.team.nodes[1], "fail")).user(f"task of {session.team.id}")
            expect_no_failure(play(session, fails, fresh_processes=elsewhere), allowed=["ScriptedFailure"])
        for session in teams:
            assert session.team is not None
            timeline = play(session, Script().user("go on"), fresh_processes=elsewhere)
            expect_no_failure(timeline)
            begun = [event.node for event in timeline.of(NodeRan) if event.what == "begins"]
            told = "\n".join(texts([m for start in timeline.of(ModelStarted) for m in start.messages]))
            if begun != [session.team.nodes[1]] or f"task of {session.team.id}" not in told:
                violated(
                    f"team {session.team.id!r} goes on with {session.team.nodes[1]!r} and its own task",
                    f"{begun} run, and are told {told!r}",
                    timeline,
                    *timeline.of(NodeRan),
                )
        expect_here_and_elsewhere(expect_apart_from_an_agent, lambda: new_session(agent_id="both"), elsewhere)

    @requirement(
        "MAG-10", source="B,A: harness-sdk #1864; interrupts in multi-agent systems", needs=[Capability.MULTI_AGENT]
    )
    def interrupts_within_a_node(self, run: ScenarioRuns, backend: Backend, request: pytest.FixtureRequest) -> None:
        """An interrupt of a tool within a graph's node, whose agent has binary content in its history, is answered
        after a restart: that agent goes on with its history and state as they were, and the graph with the nodes
        behind it, and with all that it knew.
        """
        played = run(_resumed_elsewhere(GRAPH_ASKS_WITHIN, backend, request))
        timeline = played.timeline
        expect_no_failure(timeline)
        if len(timeline.of(Asked)) != 1:
            violated("the user is asked once", f"{len(timeline.of(Asked))} times", timeline, *timeline.of(Asked))
        expect_nodes(played, 1, ["write", "check"], f"{played.scenario.name} was answered")
        before, after = (_asked(played, process, "write").messages for process in (0, 1))
        if not same(list(before), list(after[:1])):
            violated("write goes on with its history", f"{after[:1]!r:.160}", timeline, *timeline.of(Asked))
        results = [b["toolResult"]["content"] for m in after for b in m["content"] if "toolResult" in b]
        if results != [[{"text": "the user says go ahead"}]]:
            violated("its tool is given the answer, once", f"{results!r}", timeline, *timeline.of(Asked))
        expect_completed(played, 1, ["plan", "write", "check"])
        expect_known(played)

    @requirement(
        "MAG-11",
        source=f"{PERSISTED}; F: who is told of no failure relies on it",
        needs=[Capability.MULTI_AGENT, Capability.STORAGE_FAULTS],
        promise=Durability.TURN,
        since="2026.12",
    )
    def storage_that_fails(self, run: ScenarioRuns, backend: Backend, request: pytest.FixtureRequest) -> None:
        """When storage fails while a graph or a swarm is invoked, as its first node ends or as it asks the user, the
        failure reaches the caller, or the team goes on where it was after a kill; and the session can be opened again.
        """
        elsewhere = _opens_elsewhere(backend, request)
        for scenario in ASKS_UNSTORED if elsewhere else ASKS_UNSTORED_HERE:
            answered = [event for event in run(scenario).timeline.of(NodeRan) if event.what == "is answered 'yes'"]
            expect_told_or_kept(run(scenario), bool(answered), "what it had the user asked is lost")
        for scenario in GOES_ON_UNSTORED if elsewhere else ():
            ran = [event.node for event in run(scenario).timeline.of(NodeRan) if event.what == "begins"]
            expect_told_or_kept(run(scenario), ran.count("plan") == 1, "what its first node had done is lost")

    @requirement(
        "MAG-12",
        source="A,F: a team is restored as it is initialized, or first invoked; an error is no absence",
        needs=[Capability.MULTI_AGENT],
        promise=Durability.TURN,
        since="2026.12",
    )
    def read_failures(self, backend: Backend, new_session: NewSession, request: pytest.FixtureRequest) -> None:
        """Where reading fails for a moment while a graph or a swarm is restored, it goes on where it was, or the
        failure reaches the caller and the next try does: no node that had ended runs again.
        """
        if not {Capability.ON_DISK, Capability.SERVER, Capability.S3} & capabilities_of(backend, request.config):
            raise NotApplicable("what it reads lies neither in files nor on a server of the run")
        s3 = endpoint_of_run(request.config).seam if backend.on_s3 else None
        expect_unreadable_teams_to_go_on(lambda team: replace(new_session(), team=team), s3)


__all__ = ["SeveralAgents"]
