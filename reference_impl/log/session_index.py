"""Session indexes: what is known of a stored session without its messages' content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .codec import digest
from .history import Change, SessionHistory, message_added
from .message_index import MessageIndex
from .redactions import as_redacted


class SessionIndex:
    """What is known of a stored session without its messages' content.

    Attributes:
        session: The session's own record.
        records: Each agent's record as it is stored.
        teams: Of the state of each graph and swarm, what tells it from others.
    """

    def __init__(self, history: SessionHistory | None = None) -> None:
        agents = history.agents.items() if history is not None else ()
        self.records = {agent_id: agent.record for agent_id, agent in agents if agent.record}
        self.session = history.session if history is not None else {}
        self.teams = {id: digest(state) for id, state in (history.multi_agents if history is not None else {}).items()}
        self._messages = {agent_id: agent.index for agent_id, agent in agents}

    def last_id(self, agent_id: str) -> int | None:
        """Return the id of the agent's last message, if there is one."""
        return self._of(agent_id).next_id - 1 if self._of(agent_id).next_id else None

    def has(self, agent_id: str, tracking_id: str) -> bool:
        """Whether one of the agent's messages has a tracking id."""
        return self._of(agent_id).has(tracking_id)

    def ids(self, agent_id: str, tracking_id: str | None) -> list[int]:
        """Return the ids of the agent's messages with a tracking id."""
        return self._of(agent_id).ids(tracking_id)

    def tracking_id(self, agent_id: str, id: int) -> str | None:
        """Return the tracking id of one of the agent's messages, if it has one."""
        return self._of(agent_id).tracking_id(id)

    def pending(self, agent_id: str) -> set[str]:
        """Return the tracking ids of the agent's messages that are stored as placeholders of a stream."""
        return self._of(agent_id).pending

    def note(self, changes: Iterable[Change]) -> None:
        """Note what changes change."""
        for change in changes:
            if change["op"] == "message":
                self._of(change["agent_id"]).add(change["id"], change["message"])
            elif change["op"] == "update":
                self._of(change["agent_id"]).replace(change["id"], change["message"])
            elif change["op"] == "taken_over":
                if not self._of(change["agent_id"]).has_taken_over(change):
                    self._of(change["agent_id"]).add(None, change["message"])
            elif change["op"] == "agent":
                self.records[change["agent"]["agent_id"]] = change["agent"]
            elif change["op"] == "multi_agent":
                self.teams[change["id"]] = digest(change["state"])
            elif change["op"] == "session":
                self.session = change["session"]
            elif change["op"] == "redacted":
                self._of(change["agent_id"]).redact(change)

    def redacted(self, agent_id: str) -> dict[str, Change]:
        """Return what is noted of the agent's messages that were redacted, by their tracking ids."""
        return self._of(agent_id).redacted

    def as_redacted(self, change: Change, held: Mapping[tuple[str, str], Any]) -> Change:
        """Return a change as it may be stored: without what was redacted and an agent still holds in memory.

        Args:
            change: What an agent tells.
            held: By agent and tracking id, what agents are known to hold in place of what was redacted.
        """
        if change["op"] not in ("message", "update"):
            return change
        found = self._messages.get(change["agent_id"])
        note = found.redacted.get(change["message"].get("tracking_id")) if found is not None else None
        if note is None or (change["id"] is not None and not note["unnamed"] and "copy" not in change):
            return change  # what is replaced by its id is replaced on purpose
        return as_redacted(change, note, held.get((change["agent_id"], note["tracking_id"])))

    def placed(self, change: Change) -> Change:
        """Return a change as it may be stored: a copy whose place is not there, as after a repair, is added."""
        if change["op"] != "update" or "copy" not in change:
            return change
        if change["id"] in self.ids(change["agent_id"], change["message"]["tracking_id"]):
            return change
        return message_added(change["agent_id"], change["message"], change["at"])

    def is_outdated(self, change: Change) -> bool:
        """Whether a change takes over what somebody else has taken over already, or has stored since."""
        if change["op"] == "taken_over":
            return self._of(change["agent_id"]).has_taken_over(change)
        if "instead_of" not in change:
            return False
        if change["op"] == "multi_agent":
            return bool(self.teams.get(change["id"]) != change["instead_of"])
        known = self.records.get(change["agent"]["agent_id"])
        return bool((digest(known) if known is not None else None) != change["instead_of"])

    def _of(self, agent_id: str) -> MessageIndex:
        found = self._messages.get(agent_id)
        if found is None:
            found = self._messages[agent_id] = MessageIndex()
        return found
