"""Fingerprints tell whether a message is as it was: the fast ones of long histories as those of others."""

from typing import Any

import msgspec
import pytest
from session_conformance.reference_impl.log.codec import LONG, decode, encode, quick_bytes
from session_conformance.reference_impl.log.messages import AsBytes, fingerprint, fingerprints, marshalled


def _quick() -> AsBytes:
    decode(encode(["x" * LONG]))
    found = quick_bytes()
    assert found is not None
    return found


BOTH = pytest.mark.parametrize("as_bytes", [marshalled, _quick()], ids=["Python's", "msgspec's"])


def _message(value: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"toolResult": {"toolUseId": "1", "content": [{"json": {"value": value}}]}}]}


class _Odd:
    def __repr__(self) -> str:
        raise OSError("this cannot be shown")


DIFFER = [None, False, True, 0, 1, 1.0, -1, 2**70, 2**70 + 1, "", "1", b"1", [], [1], {}, {"1": 1}, {1: 1}, "\ud800"]


@BOTH
def test_other_values_have_other_fingerprints(as_bytes: AsBytes) -> None:
    messages = [_message(value) for value in DIFFER]
    found = fingerprints(messages, as_bytes)
    assert len(set(found)) == len(DIFFER)
    assert found == [fingerprint(message, as_bytes) for message in messages], "one by one as all together"
    assert found == fingerprints([_message(value) for value in DIFFER], as_bytes), "equal ones alike"


@BOTH
@pytest.mark.parametrize("value", [_Odd(), {1, 2}, 3 + 4j, msgspec.UNSET], ids=lambda value: type(value).__name__)
def test_what_is_no_plain_data_has_one_too(value: Any, as_bytes: AsBytes) -> None:
    message = _message(value)
    assert fingerprint(message, as_bytes) == fingerprint(message, as_bytes)
    assert fingerprints([message, _message(1)], as_bytes) == [
        fingerprint(message, as_bytes),
        fingerprint(_message(1), as_bytes),
    ]


@BOTH
def test_what_holds_itself_has_one_too(as_bytes: AsBytes) -> None:
    message = _message([])
    message["content"].append(message)
    assert fingerprint(message, as_bytes) == fingerprint(message, as_bytes)
