"""Comparing histories: what makes two messages the same, and how they differ, in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..sdk import Message
from .summaries import one_message, shape


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal and of equal types all the way down: 1, 1.0 and True differ, 0.0 and -0.0 do."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float) and left != left:
        return right != right  # not a number, twice
    if isinstance(left, float) and isinstance(right, float) and left == right == 0:
        return math.copysign(1, left) == math.copysign(1, right)
    return type(left) is type(right) and bool(left == right)


def essence(message: Message) -> dict[str, Any]:
    """Return what must come back of a message: role, content, tracking id and metadata.

    A manager may add keys of its own, and an absent metadata or tracking id is the same as an empty one.
    """
    kept: dict[str, Any] = content_of(message)
    return kept | {key: message[key] for key in ("tracking_id", "metadata") if message.get(key)}


def content_of(message: Message) -> dict[str, Any]:
    """Return role and content alone, for histories whose tracking ids are not comparable."""
    return {"role": message.get("role"), "content": message.get("content")}


def difference(
    expected: Sequence[Message],
    found: Sequence[Message],
    by: Callable[[Message], dict[str, Any]] = essence,
) -> str | None:
    """Say where two histories differ first, or return None where they are the same.

    Args:
        expected: The history that should be.
        found: The history that is.
        by: What of a message counts.
    """
    for index, (want, have) in enumerate(zip(expected, found, strict=False)):
        if not same(by(want), by(have)):
            return f"message {index} is {_apart(by(want), by(have), want, have)}"
    if len(expected) > len(found):
        missing = expected[len(found)]
        return (
            f"{shape(list(found))} instead of {len(expected)}: message {len(found)} is missing, {one_message(missing)}"
        )
    if len(found) > len(expected):
        extra = f"message {len(expected)} is too many, {one_message(found[len(expected)])}"
        return f"{shape(list(found))} instead of {len(expected)}: {extra}"
    return None


def difference_of_values(expected: Any, found: Any, where: str) -> str | None:
    """Say where two values differ first, or return None where they are the same.

    Args:
        expected: What should be.
        found: What is.
        where: What the values are called.
    """
    if same(expected, found):
        return None
    at, old, new = _first_difference(expected, found, where)
    return f"{at} is {_cut(new)} instead of {_cut(old)}"


def _apart(want: dict[str, Any], have: dict[str, Any], expected: Message, found: Message) -> str:
    if want.get("role") == have.get("role") and same(want.get("content"), have.get("content")):
        part = next(key for key in ("tracking_id", "metadata") if not same(want.get(key), have.get(key)))
        return f"the same but for its {part}: {have.get(part)!r} instead of {want.get(part)!r}"
    shown, instead = one_message(found), one_message(expected)
    if shown == instead:  # the difference is deeper than the short form shows
        where, old, new = _first_difference(want.get("content"), have.get("content"), "content")
        return f"different at {where}: {_cut(new)} instead of {_cut(old)}"
    return f"{shown} instead of {instead}"


def _first_difference(want: Any, have: Any, where: str) -> tuple[str, Any, Any]:
    if isinstance(want, dict) and isinstance(have, dict) and want.keys() == have.keys():
        for key in want:
            if not same(want[key], have[key]):
                return _first_difference(want[key], have[key], f"{where}[{key!r}]")
    if isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        for index, (left, right) in enumerate(zip(want, have, strict=True)):
            if not same(left, right):
                return _first_difference(left, right, f"{where}[{index}]")
    return where, want, have


def _cut(value: Any, width: int = 100) -> str:
    text = f"{type(value).__name__} {value!r}"
    return text if len(text) <= width else f"{text[:width]}… ({len(text)} characters)"


def unpaired_tools(messages: Sequence[Message]) -> str | None:
    """Say which tool use or result a model would refuse, or return None where there is none.

    Each message with tool uses must be followed by one user message with exactly one result for each of them, and no
    result may stand anywhere else (the rule of the Bedrock Converse API, on which the SDK's messages are modelled).
    """
    owed: list[str] = []
    for index, message in enumerate(messages):
        results = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        if results and message["role"] != "user":
            return f"message {index} ({one_message(message)}) has tool results, and is not the user's"
        if sorted(results) != sorted(owed):
            return (
                f"message {index} ({one_message(message)}) has the tool results {results}, and the message before it"
                f" asks for {owed}"
            )
        owed = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
    return f"the last message asks for {owed}, and nothing answers" if owed else None


def answers(message: Message, before: Message) -> bool:
    """Whether a message has tool results, and none but for tool uses of the message before it."""
    results = {block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block}
    uses = {block["toolUse"]["toolUseId"] for block in before["content"] if "toolUse" in block}
    return bool(results) and results <= uses


def without_made_up_answers(messages: Sequence[Message], history: Sequence[Message]) -> list[Message]:
    """Return restored messages without the tool results that a restore made up for uses that had none."""
    return [
        message
        for index, message in enumerate(messages)
        if message in history or index == 0 or not answers(message, messages[index - 1])
    ]


def texts(messages: Sequence[Message]) -> list[str]:
    """Return the text of every text block, in order."""
    return [block["text"] for message in messages for block in message["content"] if "text" in block]


def bidi_metadata(message: Message) -> dict[str, str]:
    """Return what ``BidiAgent`` says of a message: its kind, and the status of a stream."""
    return ((message.get("metadata") or {}).get("custom") or {}).get("bidi") or {}


def is_pending(message: Message) -> bool:
    """Whether a message is the placeholder of a stream that is still under way."""
    return bidi_metadata(message).get("status") == "pending"
