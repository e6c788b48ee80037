"""The JSON form of changes: exact for everything JSON has, bytes and tuples, and a clear refusal of the rest."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

from strands.types.exceptions import SessionException


class UnstorableError(SessionException):
    """A value that JSON has no form for. Nothing of it was stored."""


_BYTES = "$bytes"
_TUPLE = "$tuple"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def encode(value: Any) -> bytes:
    """Return ``value`` as compact JSON in UTF-8, without line ends and NUL bytes.

    Bytes and tuples are tagged with keys that begin with ``$``; keys of the value itself that begin so get another
    ``$``, so that nothing a message may hold can be taken for a tag.

    Raises:
        UnstorableError: The value holds something JSON has no form for; the text names it and where it is.
    """
    try:
        return _ENCODER.encode(value if _is_plain([value]) else _tag(value, "")).encode()
    except UnicodeEncodeError as error:
        raise UnstorableError(
            f"cannot store a text with the lone surrogate {error.object[error.start]!r}: it has no form in UTF-8."
            " Encode it with errors='replace' first"
        ) from error


def decode(data: bytes | bytearray) -> Any:
    """Return the value that :func:`encode` was given.

    Raises:
        ValueError: ``data`` is not what :func:`encode` returns.
    """
    value = json.loads(data)
    return _untag(value) if b"$" in data and b'"$' in data else value  # one byte is found several times faster


def _is_plain(value: Any) -> bool:
    """Whether JSON has a form for all that a dict or list holds, with nothing to tag: most messages are so."""
    if type(value) is dict:
        for key in value:
            if type(key) is not str or key.startswith("$"):
                return False
    for item in value.values() if type(value) is dict else value:
        kind: Any = type(item)
        if kind is str or kind is int or kind is bool or item is None:
            continue
        if kind is dict or kind is list:
            if not _is_plain(item):
                return False
        elif kind is not float or not math.isfinite(item):
            return False
    return True


def _tag(value: Any, where: str) -> Any:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is dict:
        tagged = {}
        for key, item in value.items():
            if type(key) is not str:
                raise _refusal(f"the key {key!r} of type {type(key).__name__}", where)
            tagged["$" + key if key.startswith("$") else key] = _tag(item, f"{where}.{key}")
        return tagged
    if kind is list:
        return [_tag(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refusal(f"the number {value!r}", where)
        return value
    if isinstance(value, bytes | bytearray):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    if isinstance(value, tuple):
        return {_TUPLE: [_tag(item, f"{where}[{index}]") for index, item in enumerate(value)]}
    if isinstance(value, dict):
        return _tag(dict(value), where)
    if isinstance(value, list):
        return _tag(list(value), where)
    if isinstance(value, str | int):  # enumerations and other subclasses come back as what they are made of
        return value
    raise _refusal(f"{value!r} of type {kind.__name__}", where)


def _refusal(what: str, where: str) -> UnstorableError:
    return UnstorableError(
        f"cannot store {what[:200]} at {where.lstrip('.') or 'the top'}: JSON has no form for it. Convert it to"
        " text, a finite number, bytes, a list or a dict with text keys first"
    )


def _untag(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1:
            if _BYTES in value:
                return base64.b64decode(value[_BYTES])
            if _TUPLE in value:
                return tuple(_untag(item) for item in value[_TUPLE])
        return {key[1:] if key.startswith("$") else key: _untag(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_untag(item) for item in value]
    return value
