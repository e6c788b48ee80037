"""What a session holds: the state that its changes, applied in order, add up to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from strands.types.session import SessionAgent, SessionMessage, SessionType

Change = dict[str, Any]
"""One change of a session, as plain data with the key ``op``; see the functions below for its forms."""


def session_created(session: dict[str, Any]) -> Change:
    """Return the change that begins a session."""
    return {"op": "session", "session": {**session, "session_type": SessionType(session["session_type"]).value}}


def agent_set(agent: dict[str, Any]) -> Change:
    """Return the change that creates an agent or replaces what is known of it."""
    return {"op": "agent", "agent": agent}


def message_added(agent_id: str, message: Any, created_at: str, id: int | None = None) -> Change:
    """Return the change that adds a message, with the next free id where none is given."""
    return {"op": "message", "agent_id": agent_id, "id": id, "message": message, "at": created_at}


def message_replaced(agent_id: str, message: Any, updated_at: str, id: int | None = None) -> Change:
    """Return the change that replaces a message in place: the one with an id, or those with its tracking id.

    Where no message has that tracking id, it is added.
    """
    return {"op": "update", "agent_id": agent_id, "id": id, "message": message, "at": updated_at}


def multi_agent_set(id: str, state: dict[str, Any]) -> Change:
    """Return the change that sets the state of a graph or swarm."""
    return {"op": "multi_agent", "id": id, "state": state}


@dataclass
class Stored:
    """A stored message.

    Attributes:
        message: The message as the agent had it.
        created_at: ISO 8601 time of its addition.
        updated_at: ISO 8601 time of its latest replacement.
    """

    message: Any
    created_at: str
    updated_at: str


@dataclass
class AgentHistory:
    """What a session holds of one agent.

    Attributes:
        record: ``SessionAgent`` as plain data; empty where only messages are known.
        messages: Messages by id.
        next_id: The id of a message that is added without one.
    """

    record: dict[str, Any] = field(default_factory=dict)
    messages: dict[int, Stored] = field(default_factory=dict)
    next_id: int = 0
    _by_tracking_id: dict[str, list[int]] = field(default_factory=dict)

    def add(self, id: int | None, message: Any, at: str) -> int:
        """Add a message, with the next free id where none is given, and return its id."""
        id = self.next_id if id is None else id
        self.next_id = max(self.next_id, id + 1)
        self.messages[id] = Stored(message, at, at)
        tracking_id = message.get("tracking_id")
        if tracking_id:
            ids = self._by_tracking_id.setdefault(tracking_id, [])
            if id not in ids:
                ids.append(id)
        return id

    def replace(self, id: int | None, message: Any, at: str) -> list[int]:
        """Replace a message: the one with an id, or those with its tracking id; add it where there is none.

        Returns:
            The ids of what was replaced or added.

        Raises:
            KeyError: There is no message with that id.
        """
        ids = [id] if id is not None else self._by_tracking_id.get(message.get("tracking_id") or "", [])
        for found in ids:
            self.messages[found].message, self.messages[found].updated_at = message, at
        return ids or [self.add(None, message, at)]

    def in_order(self) -> list[tuple[int, Stored]]:
        """Return the messages in the order of their ids."""
        return sorted(self.messages.items())

    def session_agent(self) -> SessionAgent:
        """Return the SDK's form of the agent."""
        known = {"agent_id", "state", "conversation_manager_state", "_internal_state", "created_at", "updated_at"}
        return SessionAgent(**{key: value for key, value in self.record.items() if key in known})


@dataclass
class SessionHistory:
    """What a session holds.

    Attributes:
        session: ``Session`` as plain data; empty before the first change.
        agents: Agents by id.
        multi_agents: The states of graphs and swarms by id.
    """

    session: dict[str, Any] = field(default_factory=dict)
    agents: dict[str, AgentHistory] = field(default_factory=dict)
    multi_agents: dict[str, dict[str, Any]] = field(default_factory=dict)

    def apply(self, changes: Iterable[Change]) -> set[tuple[str, int]]:
        """Apply changes in order.

        Returns:
            The messages that were added or replaced, each as its agent's id and its own.

        Raises:
            KeyError, ValueError, TypeError: A change is none of the forms above, or replaces a message that is not
                there.
        """
        touched: set[tuple[str, int]] = set()
        for change in changes:
            op = change["op"]
            if op == "message":
                agent_id = change["agent_id"]
                touched.add((agent_id, self._agent(agent_id).add(change["id"], change["message"], change["at"])))
            elif op == "update":
                agent_id = change["agent_id"]
                ids = self._agent(agent_id).replace(change["id"], change["message"], change["at"])
                touched.update((agent_id, id) for id in ids)
            elif op == "agent":
                self._agent(change["agent"]["agent_id"]).record = change["agent"]
            elif op == "session":
                self.session = change["session"]
            elif op == "multi_agent":
                self.multi_agents[change["id"]] = change["state"]
            else:
                raise ValueError(f"unknown change {op!r}")
        return touched

    def _agent(self, agent_id: str) -> AgentHistory:
        return self.agents.setdefault(agent_id, AgentHistory())

    def changes(self) -> Iterator[Change]:
        """Yield the fewest changes that add up to this history."""
        yield {"op": "session", "session": self.session}
        for multi_agent_id, state in self.multi_agents.items():
            yield multi_agent_set(multi_agent_id, state)
        for agent_id, agent in self.agents.items():
            if agent.record:
                yield agent_set(agent.record)
            for id, stored in agent.in_order():
                yield message_added(agent_id, stored.message, stored.created_at, id)
                if stored.updated_at != stored.created_at:
                    yield message_replaced(agent_id, stored.message, stored.updated_at, id)


def session_message(id: int, stored: Stored) -> SessionMessage:
    """Return the SDK's form of a stored message."""
    return SessionMessage(stored.message, id, None, stored.created_at, stored.updated_at)
