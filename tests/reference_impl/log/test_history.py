"""Histories: a restore applies all changes at once, which adds up to what they add up to one by one."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from session_conformance.reference_impl.log.history import (
    Change,
    SessionHistory,
    agent_set,
    message_added,
    message_replaced,
)
from session_conformance.reference_impl.log.message_index import MessageIndex

NAMES = st.sampled_from(["one", "two", "three", "", None])
PENDING = {"custom": {"bidi": {"status": "pending"}}}


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "user", "content": [{"text": draw(st.sampled_from("abc"))}]}
    if draw(st.booleans()):
        message["tracking_id"] = draw(NAMES)
    if draw(st.booleans()):
        message["metadata"] = draw(st.sampled_from([{}, {"usage": {}}, PENDING, None]))
    return message


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    make = draw(st.sampled_from([message_added, message_added, message_added, message_replaced]))
    id = draw(st.sampled_from([None, None, None, 0, 1, 3, 7])) if make is message_added else None
    return make(draw(st.sampled_from(["a", "b"])), draw(messages()), "2026-01-01T00:00:00+00:00", id)


@given(st.lists(st.lists(changes(), max_size=6), max_size=8))
def test_all_at_once_is_what_one_by_one_is(commits: list[list[dict[str, Any]]]) -> None:
    one_by_one, at_once = SessionHistory(), SessionHistory()
    for commit in commits:
        one_by_one.apply(commit)
    at_once.apply_all(commits)
    assert at_once == one_by_one
    for name, agent in one_by_one.agents.items():
        assert list(at_once.agents[name].messages) == list(agent.messages)


@given(st.integers(0, 4), st.integers(1, 5))
def test_ids_that_follow_each_other_are_what_each_by_itself_is(first: int, count: int) -> None:
    message = {"role": "user", "content": [{"text": "Hello"}]}
    added = [message_added("a", {**message, "tracking_id": str(id)}, "", id) for id in range(first, first + count)]
    one_by_one, at_once = SessionHistory(), SessionHistory()
    one_by_one.apply(added)
    at_once.apply_all([added, added[:1]])
    one_by_one.apply(added[:1])
    assert at_once == one_by_one


@given(
    st.integers(0, 3),
    st.integers(16, 40),
    st.sampled_from(["none", "unnamed", "empty", "twin", "earlier", "pending", "numbered", "agent", "other"]),
    st.integers(0, 39),
)
def test_many_in_a_row_are_what_each_by_itself_is(before: int, count: int, odd: str, at: int) -> None:
    """Those in a row are looked at together, unless one has no tracking id, or that of another one, or skips ids."""
    changes: list[Change] = [
        message_added("a", {"role": "user", "content": [], "tracking_id": f"earlier {number}"}, "")
        for number in range(before)
    ]
    for number in range(count):
        message: dict[str, Any] = {"role": "user", "content": [{"text": str(number)}], "tracking_id": f"id {number}"}
        agent_id, id = "a", None
        if number == at and odd == "unnamed":
            del message["tracking_id"]
        elif number == at and odd == "numbered":
            id = 100
        elif number == at and odd == "other":
            agent_id = "b"
        elif number == at and odd == "agent":
            changes.append(agent_set({"agent_id": "a", "state": {"turn": number}}))
        elif number == at and odd == "pending":
            message["metadata"] = {"custom": {"bidi": {"status": "pending"}}}
        elif number == at:
            message["tracking_id"] = {"empty": "", "twin": "id 3", "earlier": "earlier 0"}.get(odd, f"id {number}")
        changes.append(message_added(agent_id, message, "", id))
    one_by_one, at_once = SessionHistory(), SessionHistory()
    one_by_one.apply(changes)
    at_once.apply_all([changes])
    assert at_once == one_by_one
    for name, agent in one_by_one.agents.items():
        assert list(at_once.agents[name].messages) == list(agent.messages)
        assert list(at_once.agents[name].contents().items()) == list(agent.contents().items())


def test_many_that_can_be_told_apart_are_looked_at_together() -> None:
    messages = [{"role": "user", "content": [], "tracking_id": str(number)} for number in range(20)]
    index = MessageIndex()
    assert index.add_many([None] * 20, messages) == range(20)
    assert index.add_many([None] * 20, messages) is None, "they are there"
    assert index.add_many([7], [{"role": "user", "content": [], "tracking_id": "new"}]) is None, "7 is another one's id"
    assert (index.next_id, index.ids("19"), index.ids("new")) == (20, [19], [])
