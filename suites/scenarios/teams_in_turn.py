"""Teams that take turns: with other processes, and with an agent of the same id."""

from __future__ import annotations

import itertools
from dataclasses import replace

from session_conformance.harness import Script, Session, Team, Timeline, expect_no_failure, play, violated
from session_conformance.harness.scripts import NodeWill
from session_conformance.harness.sdk import SDK_EXCEPTIONS
from session_conformance.harness.timeline import Failed, NodeRan

from .agents_of_a_session import expect_own
from .team import TASK


def expect_processes_to_take_turns(session: Session, elsewhere: bool) -> None:
    """Report a violation unless a graph goes on where it was left last, in a process that knew it at an earlier node.

    Args:
        session: Where the graph is to be.
        elsewhere: Whether the third turn is another process's. All others are this one's.

    Raises:
        Violation: Other nodes run than the one that had failed, and those behind it.
    """
    nodes = ("plan", "write", "check", "send")
    session = replace(session, team=Team("graph", nodes))
    for turn, (first, failing) in enumerate(itertools.pairwise((0, 1, 2, 3, None))):
        assert first is not None
        fails = Script() if failing is None else Script().then(NodeWill(nodes[failing], "fail"))
        there = elsewhere and turn == 2
        timeline = play(session, fails.user(TASK if turn == 0 else "go on"), fresh_processes=there)
        expect_no_failure(timeline, allowed=["ScriptedFailure"])
        wanted = nodes[first:] if failing is None else nodes[first : failing + 1]
        begun = [event for event in timeline.of(NodeRan) if event.what == "begins"]
        if [event.node for event in begun] != list(wanted):
            violated(
                f"turn {turn + 1} of a graph, {'another' if there else 'this'} process's: {', '.join(wanted)} run, as"
                f" {nodes[first]} had failed",
                f"these run: {', '.join(event.node for event in begun) or 'none'}",
                timeline,
                *begun,
            )


def expect_apart_from_an_agent(agent: Session, elsewhere: bool) -> None:
    """Report a violation where an agent and a graph of one id, which take turns in a session, have not each its own.

    Args:
        agent: The agent's session. A backend that refuses a graph beside an agent, with an SDK exception, may do so.
        elsewhere: Whether the graph's turns are other processes'.

    Raises:
        Violation: The graph does not go on where it was, or the agent has another history or state.
    """
    graph = replace(agent, team=Team("graph", id=agent.agent_id))
    said = ["I am an agent", "I go on"]
    begun: list[NodeRan] = []
    timeline = Timeline()
    for text, steps in zip(
        said, (Script().then(NodeWill("write", "fail")).user(TASK), Script().user("go on")), strict=True
    ):
        expect_no_failure(play(agent, Script().sets_state("whose", text).user(text), observing=False))
        timeline = play(graph, steps, fresh_processes=elsewhere)
        if any(
            failed.where == "opening the session" and failed.is_a(*SDK_EXCEPTIONS) for failed in timeline.of(Failed)
        ):
            said = said[:1]
            break
        expect_no_failure(timeline, allowed=["ScriptedFailure"])
        begun = [event for event in timeline.of(NodeRan) if event.what == "begins"]
    if len(said) == 2 and [event.node for event in begun] != ["write", "check"]:
        violated(
            f"a graph and an agent have the id {agent.agent_id!r}: the graph goes on with write, and then with check",
            f"these run: {', '.join(event.node for event in begun) or 'none'}",
            timeline,
            *begun,
        )
    expect_own(agent, said, {"whose": said[-1]})
