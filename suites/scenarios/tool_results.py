"""Tool results in messages."""

from __future__ import annotations

from session_conformance.harness.sdk import Message
from session_conformance.harness.timeline import bidi_metadata


def results_of(messages: list[Message], *, kind: str | None = None) -> list[dict[str, object]]:
    """Return the tool results in some messages, of one bidi kind (``tool_dispatch``, ``tool_result``) if asked.

    A message that says nothing of its kind, as those of strands.experimental.bidi, may be of any.
    """
    return [
        dict(block["toolResult"])
        for message in messages
        if kind is None or bidi_metadata(message).get("kind", kind) == kind
        for block in message["content"]
        if "toolResult" in block
    ]
