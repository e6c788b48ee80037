"""Summaries: what a message, its content or a history is, in a few words."""

from __future__ import annotations

from typing import Any

from ..sdk import Message


def short(value: Any, width: int = 60) -> str:
    """Show a value in quotes, or as Python shows it, cut to a width in characters."""
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, str):
        text = f'"{text}"' if text.isprintable() else repr(text)
    return text if len(text) <= width else f"{text[: width - 2]}…" + text[-1]


def blocks(content: list[dict[str, Any]] | list[Any]) -> str:
    """Show content blocks in a few words each."""
    shown = []
    for block in content:
        kind = next(iter(block), "nothing") if isinstance(block, dict) else "?"
        if kind == "text":
            shown.append(short(block["text"]))
        elif kind == "toolUse":
            shown.append(f"toolUse {block['toolUse'].get('toolUseId')}")
        elif kind == "toolResult":
            result = block["toolResult"]
            shown.append(f"toolResult {result.get('toolUseId')} {result.get('status')}")
        elif kind == "reasoningContent":
            shown.append("reasoning")
        else:
            shown.append(kind)
    return f"[{', '.join(shown)}]"


def one_message(message: Message | None) -> str:
    """Show a message in a few words: role, content, tracking id, and a stream's status."""
    if message is None:
        return "nothing"
    bidi = ((message.get("metadata") or {}).get("custom") or {}).get("bidi") or {}
    status = f" {bidi['status']}" if "status" in bidi else ""
    tracking_id = message.get("tracking_id")
    short_id = f" #{tracking_id[:8]}" if tracking_id else ""
    return f"{message.get('role')} {blocks(list(message.get('content') or []))}{status}{short_id}"


def shape(messages: list[Message]) -> str:
    """Say how many messages a history has."""
    return "an empty history" if not messages else f"{len(messages)} message{'s' * (len(messages) > 1)}"
