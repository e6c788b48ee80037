"""The codec: what goes in comes out, and what cannot is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_conformance.harness.history import same
from session_conformance.reference_impl.codec import UnstorableError, decode, encode

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=6) | st.sampled_from(["$bytes", "$tuple", "$$bytes", "$"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(VALUES)
def test_values_come_back_equal_and_of_equal_type(value: Any) -> None:
    data = encode(value)
    assert b"\n" not in data
    assert b"\0" not in data
    assert same(decode(data), value)


def test_tuples_come_back_as_tuples() -> None:
    assert decode(encode({"t": (1, (2, b"3"))})) == {"t": (1, (2, b"3"))}


@pytest.mark.parametrize(
    "value", [{1: 2}, {1, 2}, object(), float("nan"), float("inf"), "\ud800", {"\udfff": 1}, [{"a": {"b": ...}}]]
)
def test_what_json_has_no_form_for_is_refused(value: Any) -> None:
    with pytest.raises(UnstorableError, match="cannot store"):
        encode(value)


def test_a_refusal_says_where() -> None:
    with pytest.raises(UnstorableError, match=r"content\[1\]\.toolUse\.input"):
        encode({"content": [{}, {"toolUse": {"input": {1}}}]})
