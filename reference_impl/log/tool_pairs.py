"""Tool pairs: results for tool uses that were left without one, with ids that stay the same at each restore."""

from __future__ import annotations

import uuid
from typing import Any

_REPAIRS = uuid.UUID("6f7b1d5e-3f0a-5c61-9a53-2f1b5c0f7f11")
"""The namespace of the tracking ids of messages that a restore makes up; see :func:`made_up_id`."""


def have_tools(messages: list[Any]) -> bool:
    """Whether messages use tools, or hold results."""
    for message in messages:
        for block in message["content"]:
            if "toolUse" in block or "toolResult" in block:
                return True
    return False


def made_up_id(tool_use: Any) -> str:
    """Return the tracking id of a result that a restore made up: the same at each restore of the same tool use."""
    return str(uuid.uuid5(_REPAIRS, str(tool_use.get("tracking_id") or tool_use["content"])))


def answer_to_last(messages: list[Any]) -> Any | None:
    """Return the answer to tool uses at the very end, where the process ended before their results were stored.

    The SDK leaves those to ``Agent``, which answers them with its next prompt, or resumes an interrupt with them.
    ``BidiAgent`` would send them as they are to a model that refuses them.
    """
    uses = (
        [block["toolUse"]["toolUseId"] for block in messages[-1]["content"] if "toolUse" in block] if messages else []
    )
    if not uses:
        return None
    results = [
        {"toolResult": {"toolUseId": id, "status": "error", "content": [{"text": "Tool was interrupted."}]}}
        for id in uses
    ]
    return {"role": "user", "content": results, "tracking_id": made_up_id(messages[-1])}
