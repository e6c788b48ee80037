"""Expected messages: what a script determines of a history, and where a history is another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from ..sdk import Message
from ..timeline import (
    bidi_metadata,
    one_message,
    same,
    shape,
)


@dataclass
class Expected:
    """A message of the history, as far as the script determines it.

    Attributes:
        message: Its role, content and metadata. Content that is None may be anything.
        optional: Whether it may be missing: storage failed when it was added.
        was: Another form that it may still have, just now.
    """

    message: dict[str, Any]
    optional: bool = False
    was: dict[str, Any] | None = None

    def fits(self, found: Message) -> bool:
        """Whether a message is this one."""
        return any(_fits(form, found) for form in (self.message, self.was) if form is not None)


def _fits(form: dict[str, Any], found: Message) -> bool:
    if form["content"] is None:
        return bool(form["role"] == found.get("role"))
    return same(scripted_part(form), scripted_part(found))


def scripted_part(message: Any) -> dict[str, Any]:
    """Return what a script determines of a message: role, content, kind and status.

    What the SDK itself words is left out: the announcement of a tool's result, and the text of a tool's error.
    """
    about = bidi_metadata(message)
    content = []
    for block in message.get("content") or []:
        result = block.get("toolResult")
        if result is not None and (about.get("kind") == "tool_dispatch" or result.get("status") == "error"):
            block = {"toolResult": {key: value for key, value in result.items() if key != "content"}}
        content.append(block)
    return {"role": message.get("role"), "content": content, "kind": about.get("kind"), "status": about.get("status")}


def mismatch(expected: Sequence[Expected], found: Sequence[Message]) -> str | None:
    """Say where a history is not the expected one, or return None where it is."""
    optional = [place for place, one in enumerate(expected) if one.optional]
    first: str | None = None
    for count in range(len(optional) + 1):
        for missing in combinations(optional, count):
            here = [one for place, one in enumerate(expected) if place not in missing]
            differs = _first_mismatch(here, found)
            if differs is None:
                return None
            first = first or differs
    return first


def _first_mismatch(expected: Sequence[Expected], found: Sequence[Message]) -> str | None:
    for index, (want, have) in enumerate(zip(expected, found, strict=False)):
        if not want.fits(have):
            return f"message {index} is {one_message(have)} instead of {_shown(want)}"
    if len(found) < len(expected):
        gone = f"message {len(found)} is missing, {_shown(expected[len(found)])}"
        return f"{shape(list(found))} instead of {len(expected)}: {gone}"
    if len(found) > len(expected):
        extra = f"message {len(expected)} is too many, {one_message(found[len(expected)])}"
        return f"{shape(list(found))} instead of {len(expected)}: {extra}"
    return None


def _shown(expected: Expected) -> str:
    message: Any = expected.message
    return one_message(message) if message["content"] is not None else f"a message of the {message['role']}"
