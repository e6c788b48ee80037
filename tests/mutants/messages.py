"""Messages: what a mutant looks for in one."""

from typing import Any


def bidi_of(message: Any) -> dict[str, Any]:
    return ((message.get("metadata") or {}).get("custom") or {}).get("bidi") or {}


def has(message: Any, *kinds: str) -> bool:
    return any(kind in block for block in message["content"] for kind in kinds)
