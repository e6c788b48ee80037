"""Team conversations: graphs and swarms whose nodes fail, wait and ask as a script says."""

from typing import Any

import pytest
from session_conformance.harness import Script, Session, Team, play
from session_conformance.harness.conversations import fact_from, handed_over_by, said_by
from session_conformance.harness.scripts import NodeWill, SetState
from session_conformance.harness.timeline import (
    Asked,
    Failed,
    ModelStarted,
    NodeRan,
    ProcessStarted,
    TeamEnded,
    Timeline,
    texts,
)

BRANCHES = (("root", "left"), ("root", "right"), ("left", "join"), ("right", "join"))


@pytest.fixture
def make(session: Session) -> Any:
    return lambda *about, **more: Session(session.backend, session.workspace, "team", team=Team(*about, **more))


def begun(timeline: Any) -> list[str]:
    return [ran.node for ran in timeline.of(NodeRan) if ran.what == "begins"]


def told(timeline: Any, node: str) -> str:
    return "\n".join(
        text for start in timeline.of(ModelStarted) if start.options["node"] == node for text in texts(start.messages)
    )


@pytest.mark.parametrize("kind", ["graph", "swarm"])
def test_each_node_runs_once_and_says_its_part(make: Any, kind: str) -> None:
    timeline = play(make(kind), Script().user("Write"))
    assert begun(timeline) == ["plan", "write", "check"]
    [ended] = timeline.of(TeamEnded)
    assert (ended.status, ended.nodes) == ("completed", ["plan", "write", "check"])
    assert ended.results == {node: said_by(node) for node in ended.nodes}
    assert [start.team for start in timeline.of(ProcessStarted)] == [kind]


def test_the_end_has_what_the_agents_of_each_node_answered(make: Any) -> None:
    timeline = play(make("graph", nested=("write",), redacted=b"\0\xff"), Script().user("Write"))
    [ended] = Timeline.from_json(timeline.to_json()).of(TeamEnded)
    assert {node: texts(messages) for node, messages in ended.messages.items()} == {
        "plan": [said_by("plan")],
        "write": [said_by("write-1"), said_by("write-2")],
        "check": [said_by("check")],
    }
    blocks = [block for messages in ended.messages.values() for message in messages for block in message["content"]]
    assert [b["reasoningContent"] for b in blocks if "reasoningContent" in b] == [{"redactedContent": b"\0\xff"}] * 4


def test_agents_of_a_swarm_hand_over_what_they_know(make: Any) -> None:
    timeline = play(make("swarm"), Script().user("Write"))
    for text in ("Write", handed_over_by("write"), fact_from("plan"), fact_from("write")):
        assert text in told(timeline, "check")


def test_branches_are_joined(make: Any) -> None:
    timeline = play(make("graph", ("root", "left", "right", "join"), BRANCHES), Script().user("Write"))
    assert begun(timeline)[0] == "root"
    assert begun(timeline)[-1] == "join"
    assert said_by("left") in told(timeline, "join")
    assert said_by("right") in told(timeline, "join")


def test_a_swarm_can_be_a_node(make: Any) -> None:
    timeline = play(make("graph", nested=("write",)), Script().user("Write"))
    assert begun(timeline) == ["plan", "write", "check"]
    assert said_by("write-1") in told(timeline, "check")
    assert said_by("write-2") in told(timeline, "check")


def test_a_node_fails_once(make: Any) -> None:
    timeline = play(make("graph"), Script().then(NodeWill("write", "fail")).user("Write").user("Write"))
    assert [failed.where for failed in timeline.of(Failed)] == ["Graph.invoke_async()"]
    assert begun(timeline) == ["plan", "write", "plan", "write", "check"]


@pytest.mark.parametrize("kind", ["graph", "swarm"])
def test_the_user_is_asked_by_a_hook(make: Any, kind: str) -> None:
    script = Script().then(NodeWill("write", "ask")).user("Write").answers("yes")
    timeline = play(make(kind), script)
    assert [interrupt["reason"] for asked in timeline.of(Asked) for interrupt in asked.interrupts] == [
        "May write begin?"
    ]
    assert [ended.status for ended in timeline.of(TeamEnded)] == ["interrupted", "completed"]
    assert begun(timeline) == ["plan", "write", "check"]


def test_the_user_is_asked_by_a_tool(make: Any) -> None:
    timeline = play(make("graph", asking=("write",)), Script().user("Write").answers("go on"))
    assert [interrupt["reason"] for asked in timeline.of(Asked) for interrupt in asked.interrupts] == ["May I?"]
    results = [
        block["toolResult"]["content"]
        for start in timeline.of(ModelStarted)
        for message in start.messages
        for block in message["content"]
        if "toolResult" in block
    ]
    assert results == [[{"text": "the user says go on"}]]


def test_a_process_is_killed_while_a_node_waits(make: Any) -> None:
    team = make("graph", ("root", "left", "right", "join"), BRANCHES)
    script = Script().then(NodeWill("right", "wait", ("left",))).user("Write").restarts_process("killed")
    timeline = play(team, script, fresh_processes=True)
    assert {"root", "left"} == {ran.node for ran in timeline.of(NodeRan) if ran.what == "ends"}


def test_a_process_whose_node_waits_can_only_be_killed(make: Any) -> None:
    with pytest.raises(ValueError, match="can only be killed"):
        play(make("graph"), Script().then(NodeWill("plan", "wait")).user("Write"))


def test_a_step_that_teams_do_not_have_is_refused_in_words(make: Any) -> None:
    with pytest.raises(ValueError, match="the step 'set_state' is none of a conversation with a Swarm"):
        play(make("swarm"), Script().then(SetState("a", 1)))
