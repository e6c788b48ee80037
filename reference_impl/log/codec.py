"""The JSON form of changes: exact for all that ``json.dumps`` takes, and bytes; a clear refusal of the rest."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from strands.types.exceptions import SessionException


class UnstorableError(SessionException):
    """A value that JSON has no form for. Nothing of it was stored."""


class TooDeepError(ValueError):
    """The stack has no room left to read what is stored: it may be whole all the same, and is read on another stack."""

    def __init__(self) -> None:
        super().__init__(
            "it is nested too deeply to be read on what is left of the stack. Read it where the stack is less deep,"
            " such as on a thread of its own"
        )


DEEPEST = 200
"""How many levels of lists and dicts are stored, the outermost included.

Python's parser recurses, and how far it may depends on how deep the stack is where it is called. So a value that a
worker thread could just write, the thread that restores it could not read: the whole session would be lost for one
message. This many can be read on any stack that has half of Python's usual 1000 frames left. It also ends values that
hold themselves.
"""

MOST_DIGITS = 4300
"""How many digits an integer may have: as many as Python reads unless it is told otherwise, so that any Python can."""

_BEYOND = 10**MOST_DIGITS
_BELOW = -_BEYOND
_BYTES = "$bytes"
_TUPLE = "$tuple"
_PAIRS = "$pairs"
# fmt: off
_NAMES = frozenset((
    "agent", "agent_id", "bidi", "bytes", "citationsContent", "content", "conversation_manager_state", "custom",
    "document", "format", "guardContent", "id", "image", "input", "json", "latest", "message", "metadata",
    "metrics", "multi_agent", "name", "reasoningContent", "reasoningText", "role", "s3Location", "session",
    "signature", "source", "state", "status", "text", "toolResult", "toolUse", "toolUseId", "tracking_id", "type",
    "usage", "video", "_internal_state", "interrupt_state", "model_state",
))
# fmt: on
"""The keys that errors name: those of the SDK's types."""

LONG = 64 * 1024
"""From so many bytes on ``msgspec`` reads a text: to import it takes longer than ``json`` takes for such a one."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


def encode(value: Any) -> bytes:
    """Return ``value`` as compact JSON in UTF-8, without line ends and NUL bytes.

    Bytes, tuples and dicts with keys that are no texts are tagged with keys that begin with ``$``; keys of the value
    itself that begin so get another ``$``, so that nothing a message may hold can be taken for a tag. Numbers that
    are none, and infinite ones, are written as Python and the SDK's managers write them: ``NaN``, ``Infinity``.

    Raises:
        UnstorableError: The value holds something JSON has no form for; the text names it and where it is.
    """
    try:
        return _ENCODER.encode(value if is_plain(value) else _tag(value, "", DEEPEST)).encode()
    except UnicodeEncodeError as error:
        raise UnstorableError(
            f"cannot store a text with the lone surrogate U+{ord(error.object[error.start]):04X}: it has no form in"
            " UTF-8. Encode it with errors='replace' first"
        ) from error
    except (ValueError, RecursionError) as error:  # a stack that has no room left, or a subclass of a number
        raise UnstorableError(
            f"cannot store a value of type {type(value).__name__}: encoding it raised {type(error).__name__}"
        ) from error


def digest(value: Any) -> str:
    """Return what tells a value from others, as it is stored.

    Raises:
        UnstorableError: As :func:`encode`.
    """
    return hashlib.sha256(encode(value)).hexdigest()[:16]


def decode(data: bytes | bytearray) -> Any:
    """Return the value that :func:`encode` was given.

    Raises:
        TooDeepError: The stack has no room left to read it.
        ValueError: ``data`` is not what :func:`encode` returns.
    """
    try:
        value = _parsed(data)
        return _untag(value) if b"$" in data and b'"$' in data else value  # one byte is found several times faster
    except RecursionError as error:
        raise TooDeepError from error


def _parsed(data: bytes | bytearray) -> Any:
    """Return what ``json.loads`` returns, in half of the time where ``msgspec`` reads the text.

    It refuses what only Python takes for JSON (``NaN``, lone surrogates), and what is none: Python is asked then.
    """
    if len(data) < LONG:
        return json.loads(data)
    fast, refusal = _fast()
    try:
        return fast(data)
    except refusal:
        return json.loads(data)


@cache
def _fast() -> tuple[Callable[[bytes | bytearray], Any], type[Exception]]:
    """Return what reads long texts, and what it raises for one that it refuses."""
    import msgspec

    return msgspec.json.Decoder().decode, msgspec.MsgspecError


def quick_bytes() -> Callable[[Any], bytes] | None:
    """Return what turns values into bytes in a third of the time that Python takes, where ``msgspec`` is loaded.

    Equal plain values have equal bytes by it; what is no plain data has bytes, too, or raises whatever it raises.
    Lists and tuples are told apart by nobody here. None in a process that has read no long text: see :data:`LONG`.
    """
    if not _fast.cache_info().currsize:
        return None
    import msgspec

    return msgspec.msgpack.Encoder().encode


def is_plain(value: Any) -> bool:
    """Whether JSON has a form for a value, with nothing to tag."""
    return _is_plain([value], DEEPEST + 1)


def _is_plain(value: Any, levels: int) -> bool:
    """Whether JSON has a form for all that a dict or list holds, with nothing to tag: most messages are so.

    ``levels`` says how many levels it may have, its own included.
    """
    if not levels:
        return False
    levels -= 1
    if type(value) is dict:
        for key in value:
            if type(key) is not str or key.startswith("$"):
                return False
    for item in value.values() if type(value) is dict else value:
        kind: Any = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is dict or kind is list:
            if not _is_plain(item, levels):
                return False
        elif kind is int:
            if not _BELOW < item < _BEYOND:
                return False
        elif kind is not float:
            return False
    return True


def _tag(value: Any, where: str, levels: int) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if isinstance(value, int):  # enumerations and other subclasses come back as what they are made of
        if not _BELOW < value < _BEYOND:
            raise UnstorableError(
                f"cannot store an integer of more than {MOST_DIGITS} digits at {_place(where)}: Python reads none that"
                " is longer. Convert it to text first"
            )
        return value
    if isinstance(value, dict | list | tuple):
        if levels < (2 if isinstance(value, tuple) else 1):
            raise _too_deep(where)
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                return _tag_pairs(value, where, levels)
            tagged = {}
            for index, (key, item) in enumerate(value.items()):
                inside = where + _step(where, key, index)
                tagged["$" + key if key.startswith("$") else str.__str__(key)] = _tag(item, inside, levels - 1)
            return tagged
        if isinstance(value, tuple):
            return {_TUPLE: [_tag(item, f"{where}[{index}]", levels - 2) for index, item in enumerate(value)]}
        return [_tag(item, f"{where}[{index}]", levels - 1) for index, item in enumerate(value)]
    if isinstance(value, float):
        return value
    if isinstance(value, bytes | bytearray):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    if isinstance(value, str):
        return value
    raise _refusal(f"a value of type {kind.__name__}", where)


def _tag_pairs(value: dict[Any, Any], where: str, levels: int) -> Any:
    """Return the form of a dict some of whose keys are no texts: ``json.dumps``, and so an agent's state, takes it."""
    pairs = []
    if levels < 3:
        raise _too_deep(where)
    for index, (key, item) in enumerate(value.items()):
        if not isinstance(key, str | int | float | None):
            raise _refusal(f"a key of type {type(key).__name__}", where)
        inside = where + _step(where, key, index)
        pairs.append([_tag(key, inside, 1), _tag(item, inside, levels - 3)])
    return {_PAIRS: pairs}


def _refusal(what: str, where: str) -> UnstorableError:
    return UnstorableError(
        f"cannot store {what} at {_place(where)}: JSON has no form for it. Convert it to text, a number,"
        " bytes, a list or a dict with keys that are texts or numbers first"
    )


def _too_deep(where: str) -> UnstorableError:
    return UnstorableError(
        f"cannot store what is nested more than {DEEPEST} levels deep, or holds itself, at {_place(where)}:"
        " it could not be read on every stack. Make it flatter, or convert it to text first"
    )


def _place(where: str) -> str:
    where = where.lstrip(".") or "the top"
    return where if len(where) <= 200 else f"{where[:200]}..."


def _step(where: str, key: Any, index: int) -> str:
    """Return how a place goes on inside a dict. Keys that may be what somebody said are counted, and not named."""
    in_state = isinstance(key, str) and where.startswith("[0].agent.state") and key.isidentifier()
    return f".{key}" if key in _NAMES or in_state else f"[key {index}]"


def _untag(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1:
            if _BYTES in value:
                return base64.b64decode(value[_BYTES])
            if _TUPLE in value:
                return tuple(_untag(item) for item in value[_TUPLE])
            if _PAIRS in value:
                return {key: _untag(item) for key, item in value[_PAIRS]}
        return {key[1:] if key.startswith("$") else key: _untag(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_untag(item) for item in value]
    return value
