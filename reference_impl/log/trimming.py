"""Kept messages: what a conversation manager leaves of a history, where a count of removed messages does not say it.

The SDK restores what follows the first N stored messages, N being the count. Messages that are pinned stay in memory
while those behind them are removed, and are marked there without a hook being told. Messages of which no hook was told,
or that could not be stored, are counted all the same when they are removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strands import Agent

if TYPE_CHECKING:
    from .session_index import SessionIndex

KEPT = "kept_messages"
"""The key of an agent's internal state under which :func:`kept_apart` is stored."""


def pinned(messages: list[Any]) -> set[str]:
    """Return the tracking ids of the messages that are marked as pinned."""
    return {
        message["tracking_id"]
        for message in messages
        if message.get("tracking_id") and ((message.get("metadata") or {}).get("custom") or {}).get("pinned") is True
    }


def kept_apart(agent: Any, index: SessionIndex) -> dict[str, Any] | None:
    """Return which stored messages an agent holds ahead of those that it holds without a gap to the end, if any.

    Returns:
        ``kept``: their ids, in order; ``from``: the id from which on there is no gap; ``summary_at``: how many of those
        that are kept stand ahead of what the conversation manager restores itself.
    """
    last = index.last_id(agent.agent_id)
    if not isinstance(agent, Agent) or not agent.conversation_manager.removed_message_count or last is None:
        return None
    place, following = len(agent.messages), last + 1
    while place and following - 1 in index.ids(agent.agent_id, agent.messages[place - 1].get("tracking_id")):
        place, following = place - 1, following - 1
    ids = [index.ids(agent.agent_id, message.get("tracking_id")) for message in agent.messages[:place]]
    kept = [found[-1] for found in ids if found]
    summary_at = next((number for number, found in enumerate(ids) if not found), len(kept))
    if not kept and following == agent.conversation_manager.removed_message_count:
        return None
    return {"kept": kept, "from": following, "summary_at": summary_at}


def restored(kept: dict[str, Any], stored: list[tuple[int, Any]], summary: list[Any]) -> list[Any]:
    """Return the history that :func:`kept_apart` described, from the stored messages with their ids and the summary."""
    by_id = dict(stored)
    ahead = [by_id[id] for id in kept["kept"] if id in by_id]
    behind = [message for id, message in stored if id >= kept["from"]]
    return [*ahead[: kept["summary_at"]], *summary, *ahead[kept["summary_at"] :], *behind]
