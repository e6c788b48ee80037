"""Redactions that stay: what agents still hold in memory of a message that was redacted is not stored again.

A running agent has the original in its memory, under its tracking id, and tells of it again: when the message is pinned
or merged with the next one, when the agent stops, or restarts. Whoever redacted it may be another process. So the
session notes the tracking ids of what was redacted. What an agent tells of under one of them is stored as it was
redacted, with the blocks that were added since; what goes on from the redaction is stored as it is.

What a message begins with tells which of the two it is, unless the redaction left the beginning of the original, or
nothing. Then it is the original, except where the agent is known to hold what the redaction left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .history import Change, SessionHistory, redaction_noted
from .messages import tracking_id_of_unnamed


@dataclass(frozen=True)
class Redaction:
    """A message that is to take the place of others for good.

    Attributes:
        agent_id: Whose messages.
        message: What takes their place.
        at: When, in ISO 8601.
        ids: The ids of what is replaced, as far as they are known.
        tracking_ids: The tracking ids of what is replaced.
    """

    agent_id: str
    message: Any
    at: str
    ids: frozenset[int]
    tracking_ids: frozenset[str]


def notes_on(replaced: Iterable[Change], history: SessionHistory) -> list[Change]:
    """Return the changes that note what is redacted.

    Args:
        replaced: The replacements that are about to be made, each of one message.
        history: The session before that.
    """
    notes: dict[tuple[str, str], Change] = {}
    for change in replaced:
        agent_id, id = change["agent_id"], change["id"]
        agent = history.agents.get(agent_id)
        if agent is None or id not in agent.messages:
            continue
        original = agent.messages[id]["message"]
        unnamed = not original.get("tracking_id")
        session_id = history.session.get("session_id", "")
        named = original.get("tracking_id") or tracking_id_of_unnamed(session_id, agent_id, id)
        content, stays = original.get("content") or [], change["message"].get("content") or []
        for tracking_id in dict.fromkeys([named, *agent.index.tracking_ids(id)]):
            earlier = agent.index.redacted.get(tracking_id)
            blocks = max(len(content), earlier["blocks"] if earlier is not None else 0)
            known = notes.get((agent_id, tracking_id))
            ids = sorted({id, *agent.index.ids(tracking_id), *(known["ids"] if known is not None else ())})
            note = redaction_noted(agent_id, tracking_id, ids, change["message"], blocks, unnamed=unnamed)
            if earlier is None:
                begins_alike = content[: len(stays)] == stays
            elif earlier["message"] == change["message"]:  # it is made once more, as it failed half-way
                begins_alike = earlier.get("begins_alike", False)
            else:  # nobody knows any more how the original began
                begins_alike = True
            if begins_alike and len(stays) < blocks:
                note["begins_alike"] = True
            notes[agent_id, tracking_id] = note
    return list(notes.values())


def as_redacted(change: Change, note: Change, held: Any) -> Change:
    """Return a change of a redacted message as it may be stored.

    Args:
        change: What an agent tells of the message.
        note: What the session notes of its redaction.
        held: What the agent is known to hold in place of the original, or None.
    """
    told, redacted = change["message"], note["message"]
    content, stays = told.get("content") or [], redacted.get("content") or []
    begins_alike = note.get("begins_alike") or (not stays and note["blocks"])
    if content[: len(stays)] == stays and (not begins_alike or held == redacted):
        return change
    message = {**redacted, "content": [*stays, *content[note["blocks"] :]], "tracking_id": told["tracking_id"]}
    return {**change, "message": message}
