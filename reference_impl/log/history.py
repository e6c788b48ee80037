"""What a session holds: the state that its changes, applied in order, add up to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from strands.types.exceptions import SessionException
from strands.types.session import SessionAgent, SessionMessage, SessionType

from .message_index import MessageIndex

Change = dict[str, Any]
"""One change of a session, as plain data with the key ``op``; see the functions below for its forms."""

MOST_WRITERS = 1000
"""Of how many writers, the latest, a rewritten history notes what they wrote."""

_OP, _AGENT_ID, _ID, _MESSAGE = map(itemgetter, ("op", "agent_id", "id", "message"))

_MANY = 16
"""From so many messages in a row on it is faster to look at them together."""


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


def of_a_copy(replaced: Change) -> Change:
    """Return the change that replaces, by its id, one of several messages with a tracking id, as memory holds it."""
    return {**replaced, "copy": True}


def message_taken_over(agent_id: str, stored: Change, copies: int) -> Change:
    """Return the change that adds a message of the SDK's manager, unless somebody else has taken it over already.

    Args:
        agent_id: Whose message.
        stored: What was stored of it there, as :attr:`AgentHistory.messages` has it.
        copies: How many messages with its tracking id there are without it.
    """
    kept: Change = {key: stored[key] for key in ("message", "at", "updated_at") if key in stored}
    return {"op": "taken_over", "agent_id": agent_id, **({"copy": copies} if copies else {}), **kept}


def multi_agent_set(id: str, state: dict[str, Any]) -> Change:
    """Return the change that sets the state of a graph or swarm."""
    return {"op": "multi_agent", "id": id, "state": state}


def commits_noted(counts: dict[str, int]) -> Change:
    """Return the change that notes which commits a rewritten history stands for; see :func:`.commit_lines.latest`."""
    return {"op": "commits", "latest": counts}


def redaction_noted(
    agent_id: str, tracking_id: str, ids: list[int], message: Any, blocks: int, *, unnamed: bool
) -> Change:
    """Return the change that notes that a message was redacted; see :mod:`.redactions`.

    Args:
        agent_id: Whose message.
        tracking_id: Its tracking id, under which agents may hold the original.
        ids: The ids under which it is stored.
        message: What has taken its place.
        blocks: How many blocks of content the original had.
        unnamed: Whether it had no tracking id in storage.
    """
    return {
        "op": "redacted",
        "agent_id": agent_id,
        "tracking_id": tracking_id,
        "ids": ids,
        "message": message,
        "blocks": blocks,
        "unnamed": unnamed,
    }


@dataclass
class AgentHistory:
    """What a session holds of one agent.

    Attributes:
        record: ``SessionAgent`` as plain data; empty where only messages are known.
        messages: By id, the change that added each message, with the message as it is now (``message``), the ISO 8601
            times of its addition (``at``) and, where there was one, of its latest replacement (``updated_at``).
        index: What is known of the messages without their content.
    """

    record: dict[str, Any] = field(default_factory=dict)
    messages: dict[int, Change] = field(default_factory=dict)
    index: MessageIndex = field(default_factory=MessageIndex)

    def replace(self, change: Change) -> list[int]:
        """Replace a message: the one with an id, or those with its tracking id; add it where there is none.

        Returns:
            The ids of what was replaced or added.

        Raises:
            KeyError: There is no message with that id.
        """
        ids = self.index.replace(change["id"], change["message"])
        for id in ids:
            if change["id"] is None and id not in self.messages:
                self.messages[id] = change
            else:
                self.messages[id] = {**self.messages[id], "message": change["message"], "updated_at": change["at"]}
        return ids

    def add_all(self, changes: list[Change]) -> None:
        """Add the messages of several changes, in order.

        Raises:
            KeyError, TypeError, AttributeError: A change is none that adds a message.
        """
        if len(changes) >= _MANY:
            ids = self.index.add_many(list(map(_ID, changes)), list(map(_MESSAGE, changes)))
            if ids is not None:
                self.messages.update(zip(ids, changes, strict=True))
                return
        for change in changes:
            self.messages[self.index.add(change["id"], change["message"])] = change

    def in_order(self) -> list[tuple[int, Change]]:
        """Return the messages, each as the change that :attr:`messages` has, in the order of their ids."""
        return sorted(self.messages.items(), key=itemgetter(0))

    def contents(self) -> dict[int, Any]:
        """Return the messages as they are now by their ids, in the order of these."""
        ids = sorted(self.messages)
        changes = self.messages if ids == list(self.messages) else dict(self.in_order())
        return dict(zip(ids, map(_MESSAGE, changes.values()), strict=True))

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
        commits: The highest count of each writer whose commits a rewriting folded; see :func:`.commit_lines.latest`.
    """

    session: dict[str, Any] = field(default_factory=dict)
    agents: dict[str, AgentHistory] = field(default_factory=dict)
    multi_agents: dict[str, dict[str, Any]] = field(default_factory=dict)
    commits: dict[str, int] = field(default_factory=dict)

    def apply(self, changes: Iterable[Change]) -> set[tuple[str, int]]:
        """Apply changes in order.

        Returns:
            The messages that were added or replaced, each as its agent's id and its own.

        Raises:
            KeyError, ValueError, TypeError, AttributeError: A change is none of the forms above, or replaces a message
                that is not there.
        """
        return {(change["agent_id"], id) for change in changes for id in self.apply_one(change)}

    def apply_all(self, commits: Iterable[Iterable[Change]]) -> None:
        """Apply the changes of commits in order, as fast as that can be: a restore does this for each message.

        Raises:
            KeyError, ValueError, TypeError, AttributeError: As :meth:`apply`.
        """
        for op, run in groupby(chain.from_iterable(commits), _OP):
            if op != "message":
                for change in run:
                    self.apply_one(change)
                continue
            for agent_id, own in groupby(run, _AGENT_ID):
                self._agent(agent_id).add_all(list(own))

    def apply_one(self, change: Change) -> Sequence[int]:
        """Apply a change, and return the ids of its agent's messages that it added or replaced.

        Raises:
            KeyError, ValueError, TypeError, AttributeError: As :meth:`apply`.
        """
        op = change["op"]
        if op == "message":
            agent = self._agent(change["agent_id"])
            id = agent.index.add(change["id"], change["message"])
            agent.messages[id] = change
            return (id,)
        if op == "update":
            return self._agent(change["agent_id"]).replace(change)
        if op == "agent":
            self._agent(change["agent"]["agent_id"]).record = change["agent"]
        elif op == "session":
            self.session = change["session"]
        elif op == "multi_agent":
            self.multi_agents[change["id"]] = change["state"]
        elif op == "taken_over":  # of two who took it over at once, the second adds nothing
            agent = self._agent(change["agent_id"])
            if not agent.index.has_taken_over(change):
                return self.apply_one({**change, "op": "message", "id": None})
        elif op == "redacted":
            self._agent(change["agent_id"]).index.redact(change)
        elif op == "commits":
            for name, count in change["latest"].items():
                self.commits.pop(name, None)  # whoever wrote last stands last
                self.commits[name] = count
        else:
            if op == "sealed":
                raise SessionException("the session is sealed: give its manager the at_rest that sealed it")
            raise ValueError("an unknown change")
        return ()

    def _agent(self, agent_id: str) -> AgentHistory:
        return self.agents.setdefault(agent_id, AgentHistory())

    def changes(self) -> Iterator[Change]:
        """Yield the fewest changes that add up to this history."""
        yield {"op": "session", "session": self.session}
        if self.commits:
            yield commits_noted(dict(list(self.commits.items())[-MOST_WRITERS:]))
        for multi_agent_id, state in self.multi_agents.items():
            yield multi_agent_set(multi_agent_id, state)
        for agent_id, agent in self.agents.items():
            if agent.record:
                yield agent_set(agent.record)
            for id, stored in agent.in_order():
                message, created_at, updated_at = stored["message"], stored["at"], _updated_at(stored)
                yield message_added(agent_id, message, created_at, id)
                if updated_at != created_at:
                    yield message_replaced(agent_id, message, updated_at, id)
            yield from agent.index.redacted.values()


def session_message(id: int, stored: Change) -> SessionMessage:
    """Return the SDK's form of a stored message; see :attr:`AgentHistory.messages`."""
    return SessionMessage(stored["message"], id, None, stored["at"], _updated_at(stored))


def _updated_at(stored: Change) -> str:
    return str(stored.get("updated_at", stored["at"]))
