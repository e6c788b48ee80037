"""Messages: which can be stored and restored, which tracking ids they get, and whether they are as they were."""

from __future__ import annotations

import marshal
import uuid
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from .codec import UnstorableError

_UNNAMED = uuid.UUID("0f0f7c0a-86a5-5a0c-9d0e-35b4c8a0f1d7")
"""The namespace of the tracking ids of stored messages that have none; see :func:`tracking_id_of_unnamed`."""

_CONTENT, _ROLE = itemgetter("content"), itemgetter("role")

AsBytes = Callable[[Any], bytes]
"""What returns the bytes of a message: other ones where it is another one."""

_EQUAL_BYTES = 2
"""The version of ``marshal``'s format in which equal values have equal bytes."""


def check_message(message: Any) -> None:
    """Refuse a message that a restore could not give back, before anything of it is stored.

    Raises:
        UnstorableError: It is no message as the SDK has them; the text names what is wrong, and none of its content.
    """
    if not isinstance(message, dict):
        raise UnstorableError(f"cannot store a message that is a {type(message).__name__}: it must be a dict")
    if not isinstance(message.get("role"), str):
        raise _refusal("role", "a text", message.get("role"))
    content = message.get("content")
    if not isinstance(content, list):
        raise _refusal("content", "a list of blocks", content)
    for index, block in enumerate(content):
        if not isinstance(block, dict):
            raise _refusal(f"content[{index}]", "a dict", block)
        for kind in ("toolUse", "toolResult"):
            if kind in block and not (isinstance(block[kind], dict) and isinstance(block[kind].get("toolUseId"), str)):
                raise _refusal(f"content[{index}].{kind}", "a dict with the text toolUseId", block[kind])
    if not isinstance(message.get("tracking_id"), str | None):
        raise _refusal("tracking_id", "a text", message["tracking_id"])
    if not isinstance(message.get("metadata"), dict | None):
        raise _refusal("metadata", "a dict", message["metadata"])


def expect_messages(messages: list[Any]) -> None:
    """Make sure that messages to restore have a role and a list of blocks: whatever asks for more than that asks later.

    Raises:
        KeyError, TypeError: One has not.
    """
    if {*map(type, map(_CONTENT, messages))} - {list} or {*map(type, map(_ROLE, messages))} - {str}:
        raise TypeError("a stored message has no role or no content")


def _refusal(where: str, expected: str, found: Any) -> UnstorableError:
    return UnstorableError(
        f"cannot store a message whose {where} is of type {type(found).__name__}: it must be {expected}, or the session"
        " could not be restored"
    )


def named(message: Any) -> str:
    """Return a message's tracking id, which it is given here where it has none: as ``Agent`` does before it runs."""
    if not message.get("tracking_id"):
        message["tracking_id"] = str(uuid.uuid4())
    return str(message["tracking_id"])


def tracking_id_of_unnamed(session_id: str, agent_id: str, id: int) -> str:
    """Return the tracking id of a stored message that has none: the same in each process, and at each restore."""
    return str(uuid.uuid5(_UNNAMED, f"{session_id}\0{agent_id}\0{id}"))


def marshalled(message: Any) -> bytes:
    """Return bytes that are equal where messages are: what Python does by itself.

    Raises:
        ValueError: The message holds something else than plain data.
    """
    return marshal.dumps(message, _EQUAL_BYTES)


def fingerprint(message: Any, as_bytes: AsBytes = marshalled) -> int:
    """Return a number that changes with a message. It means nothing in another process, nor by another ``as_bytes``."""
    try:
        return hash(as_bytes(message))
    except Exception:  # a value of whatever kind is asked how it would be encoded
        pass
    try:
        return hash(marshalled(message))
    except ValueError:
        try:
            return hash(repr(message))
        except Exception:  # a repr may raise anything
            return 0


def fingerprints(messages: list[Any], as_bytes: AsBytes) -> list[int]:
    """Return the fingerprint of each of many messages, as fast as that can be: a restore asks for all of them."""
    try:
        return list(map(hash, map(as_bytes, messages)))
    except Exception:
        return [fingerprint(message, as_bytes) for message in messages]
