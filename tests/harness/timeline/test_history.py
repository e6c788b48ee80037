"""Comparing histories: equal is equal in type too, and a difference is named where it is."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_conformance.fixtures.properties import messages
from session_conformance.harness import difference, unpaired_tools
from session_conformance.harness.timeline import same


def use(*ids: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"toolUse": {"toolUseId": id, "name": "n", "input": {}}} for id in ids]}


def result(*ids: str) -> dict[str, Any]:
    blocks = [{"toolResult": {"toolUseId": id, "status": "success", "content": []}} for id in ids]
    return {"role": "user", "content": blocks}


TEXT: dict[str, Any] = {"role": "user", "content": [{"text": "t"}], "tracking_id": "abc"}


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, 1.0), (1, True), (0, False), ("1", 1), (b"a", "a"), ([1], (1,)), ({"a": 1}, {"a": 2}), (None, False)],
)
def test_equal_values_of_two_types_are_two_values(left: Any, right: Any) -> None:
    assert not same(left, right)
    assert not same([{"k": left}], [{"k": right}])


def test_not_a_number_is_itself_and_key_order_does_not_matter() -> None:
    assert same(float("nan"), float("nan"))
    assert not same(float("nan"), 0.0)
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1})


@given(st.lists(messages(), max_size=3))
def test_a_history_does_not_differ_from_its_copy(history: list[Any]) -> None:
    assert difference(history, copy.deepcopy(history)) is None


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([], "message 0 is missing"),
        ([TEXT, TEXT], "message 1 is too many"),
        ([{**TEXT, "role": "assistant"}], "message 0 is assistant"),
        ([{**TEXT, "tracking_id": "xyz"}], "the same but for its tracking_id: 'xyz' instead of 'abc'"),
        ([{**TEXT, "metadata": {"usage": 1}}], "the same but for its metadata"),
        ([{**TEXT, "content": [{"text": "u"}]}], 'user ["u"]'),
    ],
)
def test_a_difference_is_named(found: list[Any], told: str) -> None:
    assert told in (difference([TEXT], found) or "the same")


def test_a_difference_deep_inside_is_named_by_its_path() -> None:
    left = {"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": [{"json": {"x": [1, 2]}}]}}]}
    right = copy.deepcopy(left)
    right["content"][0]["toolResult"]["content"][0]["json"]["x"][1] = 2.0  # type: ignore[index]
    told = difference([left], [right])
    assert told is not None
    assert "['x'][1]: float 2.0 instead of int 2" in told


def test_a_key_of_the_managers_own_does_not_matter() -> None:
    assert difference([TEXT], [{**TEXT, "metadata": None, "stored_at": 1}]) is None


@pytest.mark.parametrize(
    "history",
    [[], [TEXT], [use("a"), result("a")], [TEXT, use("a", "b"), result("b", "a"), TEXT]],
)
def test_a_model_accepts_paired_tools(history: list[Any]) -> None:
    assert unpaired_tools(history) is None


@pytest.mark.parametrize(
    "history",
    [
        [use("a")],
        [result("a")],
        [use("a"), TEXT],
        [use("a"), TEXT, result("a")],
        [use("a", "b"), result("a")],
        [use("a"), result("a"), result("a")],
        [use("a"), result("a", "a")],
        [use("a"), result("b")],
    ],
)
def test_a_model_refuses_unpaired_tools(history: list[Any]) -> None:
    assert unpaired_tools(history) is not None
