"""What is restored may be anything, and is a history all the same: no check needs to expect what is no message."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_conformance.harness.timeline import (
    Reading,
    answers,
    bidi_metadata,
    difference,
    is_pending,
    one_message,
    restored,
    shape,
    texts,
    unpaired_tools,
)

GOOD: Any = {"role": "user", "content": [{"text": "hello"}], "tracking_id": "t-1", "metadata": {"custom": None}}
USE: Any = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "u", "name": "n", "input": {}}}]}
KEYS = ("role", "content", "tracking_id", "metadata", "text", "toolUse", "toolResult", "toolUseId", "custom", "bidi")

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)


def test_messages_stay_as_they_are() -> None:
    history = restored([GOOD, USE])
    assert all(one is given for one, given in zip(history, (GOOD, USE), strict=True))


@pytest.mark.parametrize(
    "found",
    ["another", 7, None, [], {}, {**GOOD, "content": "x"}, {**GOOD, "content": ["x"]}, {**GOOD, "metadata": "m"},
     {**GOOD, "tracking_id": 7}, {**GOOD, "role": None}, {**USE, "content": [{"toolUse": None}]}],
)  # fmt: skip
def test_what_is_no_message_is_none_of_the_expected(found: Any) -> None:
    assert difference([GOOD], restored([found])) is not None
    assert repr(found).strip("'")[:40] in texts(restored([found]))[0]


@given(anything)
def test_no_history_is_too_strange_to_be_judged(found: Any) -> None:
    history = restored(found)
    difference([GOOD, USE], history)
    unpaired_tools(history)
    shape(history)
    for one in history:
        answers(one, GOOD)
        answers(one, USE)
        one_message(one)
        is_pending(one)
        bidi_metadata(one)
    json.dumps(texts(history))
    assert Reading.from_json(Reading(messages=history).to_json()).messages == history
