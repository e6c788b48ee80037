"""Kept messages: how earlier releases noted what a conversation manager left of a history, for sessions that have it.

They knew stored messages by their tracking ids alone. Of messages that had none they noted, wrongly, that memory held
them no more; :func:`put_together_by_earlier_mark` tells by the conversation manager's count how many those were.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

KEPT = "kept_messages"
"""The key of an agent's internal state under which earlier releases stored it."""


def put_together_by_earlier_mark(
    kept: Mapping[str, Any], stored: Mapping[int, Any], summary: list[Any], counted: int, unnamed: Collection[int]
) -> list[Any]:
    """Return the history that an earlier release described.

    Args:
        kept: The description. ``kept``: the ids of messages that memory held ahead of the others, in order; ``from``:
            the id from which on it held all; ``summary_at``: how many of those that are kept stand ahead of what the
            conversation manager restores itself.
        stored: The stored messages by id, in ascending order.
        summary: What the conversation manager restored itself.
        counted: How many messages the conversation manager counted as removed.
        unnamed: The ids of stored messages that had no tracking id.
    """
    ahead = [stored[id] for id in kept["kept"] if id in stored]
    behind = [message for id, message in stored.items() if id >= kept["from"]]
    missing = len(stored) - counted - len(ahead) - len(behind)
    candidates = [message for id, message in stored.items() if id < kept["from"] and id in unnamed]
    overlooked = candidates[-missing:] if missing > 0 else []
    return [*ahead[: kept["summary_at"]], *summary, *ahead[kept["summary_at"] :], *overlooked, *behind]
