"""The JSON form of messages, scripts and timelines: what JSON has, plus bytes, plus text that UTF-8 refuses."""

from __future__ import annotations

import base64
import copy
from typing import Any, TypeVar

T = TypeVar("T")

_BYTES = "$bytes"
_TEXT = "$text"
_MAPPING = "$mapping"
_MARKERS = frozenset({_BYTES, _TEXT, _MAPPING})


_NEVER_CHANGE = frozenset({type(None), bool, int, float, str, bytes})


def copied(value: T) -> T:
    """Return a deep copy. Messages and states are copied at each event, and by this in a fraction of the time.

    Anything but dicts, lists and what never changes is left to ``copy.deepcopy``, and so is what contains itself.
    """
    try:
        return _copied(value)  # type: ignore[no-any-return]
    except RecursionError:
        return copy.deepcopy(value)


def _copied(value: Any) -> Any:
    kind = type(value)
    if kind in _NEVER_CHANGE:
        return value
    if kind is dict:
        return {key: _copied(item) for key, item in value.items()}
    if kind is list:
        return [_copied(item) for item in value]
    return copy.deepcopy(value)


def to_json(value: Any) -> Any:
    """Return ``value`` in a form that ``json.dumps`` writes and :func:`from_json` turns back.

    Args:
        value: None, bool, int, float, str, bytes, and lists and string-keyed dicts of those. Anything else is
            given as its ``repr``, since a timeline must be able to show what a manager refused.
    """
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return {_TEXT: base64.b64encode(value.encode(errors="surrogatepass")).decode()}
        return value
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value) and not _MARKERS.intersection(value):
            return {key: to_json(item) for key, item in value.items()}
        return {_MAPPING: [[to_json(key), to_json(item)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return repr(value)


def from_json(value: Any) -> Any:
    """Return what :func:`to_json` was given."""
    if isinstance(value, dict):
        if _BYTES in value:
            return base64.b64decode(value[_BYTES])
        if _TEXT in value:
            return base64.b64decode(value[_TEXT]).decode(errors="surrogatepass")
        if _MAPPING in value:
            return {from_json(key): from_json(item) for key, item in value[_MAPPING]}
        return {key: from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_json(item) for item in value]
    return value
