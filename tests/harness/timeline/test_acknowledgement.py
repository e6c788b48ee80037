"""Acknowledgement: what must come back after a crash, what may, and what must not."""

import copy
from typing import Any

import pytest
from session_conformance.harness import Reading, Timeline
from session_conformance.harness.timeline import REDACTED, Acknowledged, AgentStopped, Happened, HookCalled


def message(id: str, text: str = "", status: str = "") -> Any:
    content = [{"text": text}] if text else []
    metadata = {"custom": {"bidi": {"status": status}}} if status else {}
    return {"role": "user", "content": content, "tracking_id": id, "metadata": metadata}


USE: Any = {
    "role": "assistant",
    "content": [{"toolUse": {"toolUseId": "t", "name": "n", "input": {}}}],
    "tracking_id": "u",
}
RESULT: Any = {
    "role": "user",
    "content": [{"toolResult": {"toolUseId": "t", "status": "error", "content": []}}],
    "tracking_id": "made up",
}


def told(event: str, what: Any) -> HookCalled:
    return HookCalled(event=event, position="early", message=what)


A, B = message("a", "first"), message("b", "second")
PENDING, FINAL = message("s", status="pending"), message("s", "streamed", status="complete")
TIMELINE = Timeline(
    [
        told("message_added", A),
        told("message_added", PENDING),
        told("message_updated", FINAL),
        told("message_added", B),
        AgentStopped(memory=[A, FINAL, B]),
    ]
)
INCOMPLETE = message("s", status="incomplete")


def problem(event: int, *found: Any, timeline: Timeline = TIMELINE) -> str | None:
    return Acknowledged(timeline).problem(Reading(messages=copy.deepcopy(list(found))), event)


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (-1, []),
        (-1, [A]),  # under way
        (0, [A]),
        (0, [A, PENDING]),
        (1, [A]),  # a placeholder need not be stored
        (1, [A, INCOMPLETE]),
        (1, [A, FINAL]),
        (2, [A, FINAL]),
        (2, [A, FINAL, B]),
        (4, [A, FINAL, B]),
    ],
)
def test_what_may_come_back(event: int, found: list[Any]) -> None:
    assert problem(event, *found) is None


@pytest.mark.parametrize(
    ("event", "found", "said"),
    [
        (0, [], 'user ["first"] #a is missing'),
        (2, [A, PENDING], "came back instead of"),
        (2, [A], "is missing"),
        (4, [FINAL, A, B], "in another order"),
        (4, [A, FINAL, B, B], "twice"),
        (-1, [A, FINAL], "2 messages came back that were not acknowledged"),
        (4, [A, FINAL, B, message("x", "invented")], "which nobody ever said"),
        (4, [message("a", "f1rst"), FINAL, B], "came back instead of"),
    ],
)
def test_what_must_not_come_back(event: int, found: list[Any], said: str) -> None:
    assert said in (problem(event, *found) or "nothing is wrong")


def test_a_session_that_cannot_be_read_is_a_problem() -> None:
    assert "cannot be restored: E" in str(Acknowledged(TIMELINE).problem(Reading(error="E"), 0))


def test_a_tool_use_may_be_answered_by_the_restore() -> None:
    timeline = Timeline([told("message_added", A), told("message_added", USE)])
    assert problem(1, A, USE, RESULT, timeline=timeline) is None
    assert problem(1, A, RESULT, USE, timeline=timeline) is not None


@pytest.mark.parametrize("found", [[], [A], [A, PENDING], [A, FINAL], [A, FINAL, B]])
def test_prefixes(found: list[Any]) -> None:
    assert Acknowledged(TIMELINE).no_prefix(Reading(messages=found)) is None


@pytest.mark.parametrize("found", [[B], [A, B], [A, INCOMPLETE], [A, FINAL, B, B]])
def test_no_prefixes(found: list[Any]) -> None:
    assert Acknowledged(TIMELINE).no_prefix(Reading(messages=found)) is not None


@pytest.mark.parametrize(("at_stop", "missing"), [(True, True), (False, False)])
def test_a_stop_acknowledges_what_no_hook_was_told_of_unless_errors_were_told(at_stop: bool, missing: bool) -> None:
    timeline = Timeline([told("message_added", A), AgentStopped(memory=[A, B])])
    found = Acknowledged(timeline, at_stop=at_stop).missing(Reading(messages=[A]), 1)
    assert (found is not None) == missing


@pytest.mark.parametrize("found", [[A, PENDING], [A, FINAL]])
def test_what_a_stop_does_not_acknowledge_may_come_back(found: list[Any]) -> None:
    timeline = Timeline([told("message_added", A), told("message_added", PENDING), AgentStopped(memory=[A, FINAL])])
    assert Acknowledged(timeline, at_stop=False).missing(Reading(messages=found), 2) is None


def test_what_a_killed_process_would_have_told_of_next_may_come_back() -> None:
    acknowledged = Acknowledged(Timeline([told("message_added", A), told("message_added", PENDING)]))
    found = Reading(messages=[A, FINAL])
    assert acknowledged.missing(found, 1) is not None
    acknowledged.allow(FINAL)
    assert acknowledged.missing(found, 1) is None
    assert acknowledged.missing(Reading(messages=[A, PENDING]), 1) is None


def test_a_redaction_that_returned_is_acknowledged() -> None:
    redacted = message("a", "[redacted]")
    timeline = Timeline([told("message_added", A), Happened(what="a guardrail redacts the latest message", message=A),
                         Happened(what=REDACTED, message=redacted)])  # fmt: skip
    assert [problem(1, found, timeline=timeline) for found in (A, redacted)] == [None, None]
    assert problem(2, redacted, timeline=timeline) is None
    assert "came back instead of" in str(problem(2, A, timeline=timeline))
