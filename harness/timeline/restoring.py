"""What was restored, as a history: a manager may give an agent anything, and is judged all the same."""

from __future__ import annotations

from typing import Any

from ..sdk import Message
from .summaries import short

NO_MESSAGE: Any = "no message"
"""The role of what stands for something that is no message."""


def restored(found: Any) -> list[Message]:
    """Return what an agent's history is after a restore, with a stand-in for whatever is no message.

    A damaged object is decoded to a text, a number or a message without content by some backends. That is a wrong
    history, and no requirement's check needs to expect it: the stand-in has a role that no message has, and its text
    shows what was found.

    Args:
        found: ``agent.messages``.
    """
    if not isinstance(found, list):
        return [_stand_in(found)]
    return [one if _is_message(one) else _stand_in(one) for one in found]


def _stand_in(found: Any) -> Message:
    message: Message = {"role": NO_MESSAGE, "content": [{"text": short(found, 200)}]}
    tracking_id = found.get("tracking_id") if isinstance(found, dict) else None
    if isinstance(tracking_id, str):
        message["tracking_id"] = tracking_id
    return message


def _is_message(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(found.get("role"), str)
        and isinstance(found.get("content"), list)
        and all(map(_is_block, found["content"]))
        and isinstance(found.get("tracking_id"), str | None)
        and _is_nested(found, "metadata", "custom", "bidi")
    )


def _is_block(found: Any) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("text", ""), str):
        return False
    tools = [found[kind] for kind in ("toolUse", "toolResult") if kind in found]
    return all(isinstance(one, dict) and isinstance(one.get("toolUseId"), str) for one in tools)


def _is_nested(found: Any, *keys: str) -> bool:
    """Whether each key of a path, where it is there and not null, has an object."""
    for key in keys:
        found = found.get(key) or {}
        if not isinstance(found, dict):
            return False
    return True
