"""The JSON form of messages and timelines loses nothing."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from session_conformance.harness.timeline import from_json, same, to_json

TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too
KEYS = TEXT | st.sampled_from(["$bytes", "$text", "$mapping"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_round_trip(value: Any) -> None:
    assert same(from_json(json.loads(json.dumps(to_json(value)))), value)


def test_what_has_no_form_is_shown() -> None:
    assert to_json({1, 2}) == "{1, 2}"
