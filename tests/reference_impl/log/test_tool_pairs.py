"""Tool uses and results are restored as models accept them, whatever a crash, a retry or a cut left of them."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_conformance.reference_impl.log.tool_pairs import answered_at_the_end, paired

from .test_history_in_memory import agent


def use(*ids: str) -> Any:
    return {"role": "assistant", "content": [{"toolUse": {"toolUseId": id, "name": "t", "input": {}}} for id in ids]}


def result(*ids: str, text: str = "real") -> Any:
    return {"role": "user", "content": [_result(id, text) for id in ids]}


def _result(id: str, text: str) -> Any:
    return {"toolResult": {"toolUseId": id, "status": "success", "content": [{"text": text}]}}


def user(*texts: str) -> Any:
    return {"role": "user", "content": [{"text": text} for text in texts]}


def says(*texts: str) -> Any:
    return {"role": "assistant", "content": [{"text": text} for text in texts]}


STRAY = {"role": "user", "content": [*result("9")["content"], *user("mine")["content"]]}

HISTORIES = {
    "an empty answer behind a use": [user("q"), use("1"), says(), user("go on")],
    "an empty answer at the end": [user("q"), use("1"), says()],
    "a result twice in a message": [user("q"), use("1"), result("1", "1"), says("x")],
    "a result twice in a row": [user("q"), use("1"), result("1"), result("1"), says("x")],
    "a result of nothing beside a text": [
        user("q"),
        says("a"),
        STRAY,
        says("x"),
    ],
    "a result of nothing": [user("q"), says("a"), result("9"), user("mine")],
    "a result that came late": [user("q"), use("1"), says("wait"), result("1"), says("x")],
    "a use by the user": [use("1") | {"role": "user"}, says("x"), user("y")],
    "one of two results": [user("q"), use("1", "2"), result("2")],
    "ids that are used again": [use("1"), result("1"), use("1"), says("x"), result("1"), user("y")],
    "a result said by the assistant": [user("q"), use("1"), result("1") | {"role": "assistant"}, user("y")],
    "a use that is named twice": [user("q"), use("1", "1"), result("1"), says("x")],
}


def refused(messages: list[Any]) -> str | None:
    """Return why a model would refuse a history."""
    owed: list[str] = []
    for number, message in enumerate(messages):
        results = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        uses = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
        if results and message["role"] != "user":
            return f"message {number}: a result in a message of the assistant"
        if uses and message["role"] != "assistant":
            return f"message {number}: a use in a message of the user"
        if sorted(results) != sorted(set(owed)):
            return f"message {number} owes {owed} and has {results}"
        owed = uses
    return f"the last message owes {owed}" if owed else None


@pytest.mark.parametrize("history", HISTORIES)
def test_it_is_restored_as_a_model_accepts_it(tmp_path: Path, history: str) -> None:
    agent(tmp_path, messages=copy.deepcopy(HISTORIES[history]))
    first, second = agent(tmp_path).messages, agent(tmp_path).messages
    assert refused(first) is None
    assert first == second, "it is the same at each restore, made-up ids included"


def test_a_result_that_came_late_is_moved_and_not_made_up(tmp_path: Path) -> None:
    agent(tmp_path, messages=copy.deepcopy(HISTORIES["a result that came late"]))
    assert agent(tmp_path).messages[2]["content"] == result("1")["content"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["user", "assistant"]),
            st.lists(st.tuples(st.sampled_from(["use", "result", "text"]), st.sampled_from("123")), max_size=3),
        ),
        max_size=8,
    )
)
def test_any_history_is_repaired_and_no_text_is_lost(drawn: list[Any]) -> None:
    blocks = {
        "use": lambda id: use(id)["content"][0],
        "result": lambda id: _result(id, "r"),
        "text": lambda id: {"text": id},
    }
    history = [{"role": role, "content": [blocks[kind](id) for kind, id in content]} for role, content in drawn]
    said = [block for message in history for block in message["content"] if "text" in block]
    repaired = answered_at_the_end(paired(copy.deepcopy(history)))
    assert refused(repaired) is None
    assert [block for message in repaired for block in message["content"] if "text" in block] == said
    assert answered_at_the_end(paired(copy.deepcopy(repaired))) == repaired


def test_a_message_of_late_results_is_moved_as_it_is() -> None:
    """A message that is made up in its place would be another one at a later restore."""
    late = result("1", "2")
    assert paired([use("1", "2"), user("well?"), late, says("no")])[1] is late


@pytest.mark.parametrize("between", [[use("3")], [says("well?")], [says("well?"), use("3")], [use("3"), use("4")]])
def test_a_message_that_is_moved_answers_nothing_else(between: list[Any]) -> None:
    late = result("1")
    after = paired([use("1"), *between, late, says("no")])
    assert [id(message) for message in after].count(id(late)) == 1
    assert after[1] is late
    assert paired(list(after)) == after


def test_what_follows_a_message_that_is_moved_gets_its_own_results() -> None:
    first, second = result("1"), result("3", text="late as well")
    history = [use("1"), use("3"), first, says("well?"), second, says("no")]
    assert paired(list(history)) == [history[0], first, history[1], second, history[3], history[5]]
