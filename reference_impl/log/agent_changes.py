"""What is to be stored of an agent: the changes that make storage say what its memory says."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from strands import Agent
from strands.types.session import SessionAgent

from .history import Change, agent_set, message_added, message_replaced
from .message_index import is_pending
from .repository import now
from .session_store import SessionStore
from .trimming import KEPT, kept_apart, pinned


class AgentChanges:
    """Tells what of the agents of a session is to be stored.

    Args:
        store: Returns the session's store, which is opened when it is needed.

    Attributes:
        made_up: The tracking ids of messages that a restore made up.
        not_to_store: The tracking ids of what was refused, and of what was redacted: memory may hold the original.
        pinned: By agent, the tracking ids of messages that are marked as pinned.
        kept: By agent, what a conversation manager left of its history; see :mod:`.trimming`.
    """

    def __init__(self, store: Callable[[], SessionStore]) -> None:
        self._store = store
        self.made_up: set[str] = set()
        self.not_to_store: set[str | None] = set()
        self.pinned: dict[str, set[str]] = {}
        self.kept: dict[str, dict[str, Any]] = {}

    def addition(self, message: Any, agent: Any) -> Change:
        """Return the change that stores a message which the agent added."""
        if self._is_merged(message, agent):
            return self.replacement(message, agent)
        return message_added(agent.agent_id, message, now())

    def _is_merged(self, message: Any, agent: Any) -> bool:
        """Whether a message that is added takes the place of the last one, which has its tracking id.

        ``Agent`` merges input of the last message's role into it, and tells of that as of an addition. A message that
        an application sends a second time has the same tracking id too, but does not take the first one's place.
        """
        tracking_id, index = message.get("tracking_id"), self._store().index
        if not tracking_id or index.last_id(agent.agent_id) not in index.ids(agent.agent_id, tracking_id):
            return False
        messages = agent.messages  # of which others may have been added since: they are told of one by one
        place = next((at for at in range(len(messages) - 1, 0, -1) if messages[at] is message), len(messages) - 1)
        return place < 1 or messages[place - 1].get("tracking_id") != tracking_id

    def replacement(self, message: Any, agent: Any) -> Change:
        """Return the change that stores a message in place of what has its tracking id."""
        return message_replaced(agent.agent_id, message, now())

    def left_over(self, agent: Any) -> list[Change]:
        """Return what the agent's memory holds and storage does not.

        An agent that is stopped cancels its tasks, and with them hooks that wait for storage: the last message may have
        been added, or a stream set to incomplete, without this manager having been told, or heard out.
        """
        index = self._store().index
        pending = index.pending(agent.agent_id)
        changed = [
            self.replacement(message, agent)
            for message in (agent.messages if pending else ())
            if message.get("tracking_id") in pending and not is_pending(message)
        ]
        added: list[Change] = []
        for message in reversed(agent.messages):
            tracking_id = message.get("tracking_id")
            # In this order: a message in line is noted in the index before it leaves the line.
            if tracking_id and self._store().is_in_line(agent.agent_id, tracking_id):
                continue
            if not tracking_id or index.has(agent.agent_id, tracking_id):
                break  # from here on back everything was stored, or was never this manager's to store
            if tracking_id not in self.made_up and tracking_id not in self.not_to_store:
                added.append(self.addition(message, agent))
        return [*self._trimmed(agent), *changed, *reversed(added)]

    def _trimmed(self, agent: Any) -> list[Change]:
        """Note what a conversation manager left of a text agent's history; return the messages that it marked."""
        if not isinstance(agent, Agent):
            return []
        index, marked = self._store().index, pinned(agent.messages)
        before = self.pinned.get(agent.agent_id, set())
        self.pinned[agent.agent_id] = marked
        kept = kept_apart(agent, index)
        if kept is None:
            self.kept.pop(agent.agent_id, None)
        else:
            self.kept[agent.agent_id] = kept
        return [
            self.replacement(message, agent)
            for message in (agent.messages if marked != before else ())
            if message.get("tracking_id") in marked ^ before and index.has(agent.agent_id, message["tracking_id"])
        ]

    def record(self, agent: Any) -> list[Change]:
        """Return the agent's record as a change, or nothing where it is stored as it is."""
        before = self._store().index.records.get(agent.agent_id)
        # Of other agents than ``Agent`` the SDK keeps the state alone; comparing that is cheaper than making a record.
        only_state = before is not None and not isinstance(agent, Agent) and not before.get("_internal_state")
        if before is not None and only_state and _same(before.get("state"), agent.state.get()):
            return []
        record = SessionAgent.from_agent(agent)
        if agent.agent_id in self.kept:
            record._internal_state[KEPT] = self.kept[agent.agent_id]
        now = vars(record).copy()
        if before is not None:
            timeless = {"created_at", "updated_at"}
            if all(_same(before.get(key), value) for key, value in now.items() if key not in timeless):
                return []
            now["created_at"] = before.get("created_at", now["created_at"])
        return [agent_set(copy.deepcopy(now))]


def _same(one: Any, other: Any) -> bool:
    """Whether two values are stored alike: for Python, 1, 1.0 and True are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other and all(isinstance(one, kind) == isinstance(other, kind) for kind in (bool, float, list))
