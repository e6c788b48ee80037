"""What is to be stored: the messages and the record that make storage say what an agent's memory says."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from strands import Agent
from strands.types.session import SessionAgent

from .collecting import Place
from .memory import HELD, Memory, Own
from .messages import named
from .ranges import Ranges
from .redactions import Redaction
from .sdk import record_of
from .sdk_release import WRITTEN_WITH, sdk_release
from .session_store import SessionStore


@dataclass(frozen=True)
class LeftOver:
    """A message that an agent's memory holds, and that is not stored as it is.

    Attributes:
        message: The message.
        print: What is to be noted when it is given to be stored; see :attr:`.memory.Memory.offered`.
        replaces: Whether it is known to replace what is stored of it.
        id: The id of the one that it replaces, where there may be several copies.
    """

    message: Any
    print: int | None
    replaces: bool = False
    id: int | None = None


class AgentChanges:
    """Tells what of the agents of a session is to be stored.

    Args:
        store: Returns the session's store, which is opened when it is needed.
    """

    def __init__(self, store: Callable[[], SessionStore]) -> None:
        self._store = store
        self._memories: dict[str, Memory] = {}
        self._marks: dict[str, dict[str, Any]] = {}
        self._unnamed: dict[str, dict[str, int]] = {}

    def memory(self, agent_id: str) -> Memory:
        """Return what is known of an agent's history in memory."""
        return self._memories.setdefault(agent_id, Memory())

    def restored(
        self,
        agent: Any,
        stored: list[Any],
        mark: dict[str, Any] | None,
        gone: Ranges,
        made_up: set[str],
        unnamed: dict[str, int],
    ) -> None:
        """Note what was restored of an agent.

        Args:
            agent: The agent, with its history.
            stored: Those of its messages that are stored.
            mark: The mark that its record has, if any; see :meth:`.memory.Memory.mark`.
            gone: The ids of stored messages that were not restored.
            made_up: The tracking ids of messages that are not stored.
            unnamed: The ids of stored messages without a tracking id, by the one that they were given.
        """
        memory = self._memories[agent.agent_id] = Memory(gone=gone, made_up=made_up)
        self._unnamed[agent.agent_id] = unnamed
        if mark is not None:
            self._marks[agent.agent_id] = mark
        memory.begin(stored, editable=isinstance(agent, Agent))

    def created(self, agent: Any) -> None:
        """Note that an agent was stored for the first time."""
        self.memory(agent.agent_id).begin(agent.messages, editable=isinstance(agent, Agent))

    def note_told(self, message: Any, agent: Any) -> None:
        """Note that an agent told of a message, as it is in its memory."""
        self.memory(agent.agent_id).told(message, named(message), agent.messages)

    def left_over(self, agent: Any) -> list[LeftOver]:
        """Return what the agent's memory holds and storage does not, in order.

        Nobody tells of messages that an application adds, edits, shortens or removes, of results that a conversation
        manager cuts or messages that it marks. And an agent that is stopped cancels its tasks, and with them hooks that
        wait for storage: the last message may have been added, or a stream set to incomplete, without this manager
        having been told, or heard out.
        """
        for message in agent.messages:
            named(message)
        messages = _but_own(agent)
        changed, copies = self.memory(agent.agent_id).changed(messages)
        if not copies:
            return [LeftOver(message, print) for message, print in changed]
        found = [LeftOver(message, print) for message, print in changed if message["tracking_id"] not in copies]
        prints = {message["tracking_id"]: print for message, print in changed}
        for name in copies:
            held = [message for message in messages if message["tracking_id"] == name]
            found += self._left_over_copies(agent, name, held, prints.get(name))
        places = {id(message): place for place, message in enumerate(messages)}
        return sorted(found, key=lambda one: places[id(one.message)])

    def _left_over_copies(self, agent: Any, name: str, held: list[Any], changed: int | None) -> list[LeftOver]:
        """Return what is to be stored of the copies of a message that the agent's memory holds.

        Args:
            agent: The agent.
            name: Their tracking id.
            held: The copies.
            changed: The fingerprint of all of them; None where they are stored as they are, but maybe too few.
        """
        ids, waiting = self._ids(agent.agent_id, name), self._store().count_in_line(agent.agent_id, name)
        print = self.memory(agent.agent_id).offered.get(name)
        if changed is None:
            further = len(held) - len(ids) - waiting if ids else 0
            return [LeftOver(message, print) for message in held[-further:]] if further > 0 else []
        if waiting:  # nobody knows yet which is to be stored under which id: they are looked at again
            return []
        at = self.memory(agent.agent_id).ids_of_copies(len(held), ids)
        replaced = [LeftOver(message, changed, True, id) for message, id in zip(held, at, strict=False)]
        return replaced + [LeftOver(message, changed) for message in held[len(at) :]]

    def note_stored(self, found: LeftOver, agent: Any) -> None:
        """Note that a message is about to be stored as it is in memory, or is refused for good."""
        self.memory(agent.agent_id).offered[found.message["tracking_id"]] = found.print

    def forget(self, message: Any, agent: Any) -> None:
        """Have a message be looked at again with the next change: nobody knows whether it is about to be stored."""
        self.memory(agent.agent_id).offered.pop(message.get("tracking_id"), None)

    def differ(self, agent: Any) -> bool:
        """Whether the agent's memory and its record are not stored as they are."""
        if self.left_over(agent):
            return True
        self.look(agent)
        return self.record(agent) is not None

    def look(self, agent: Any) -> None:
        """Note what the agent's history holds, and what it holds no more."""
        if isinstance(agent, Agent) and agent.model.stateful:
            return  # the model's provider has the conversation; memory says nothing of it
        self._look(agent)
        mark = self.memory(agent.agent_id).mark(_counted(agent))
        if mark is None:
            self._marks.pop(agent.agent_id, None)
        else:
            self._marks[agent.agent_id] = mark

    def _look(self, agent: Any) -> None:
        self.memory(agent.agent_id).look(agent.messages, _own(agent), lambda id: self._ids(agent.agent_id, id))

    def _ids(self, agent_id: str, tracking_id: str) -> list[int]:
        ids = self._store().index.ids(agent_id, tracking_id)
        if not ids and (id := self._unnamed.get(agent_id, {}).get(tracking_id)) is not None:
            return [id]
        return ids

    def latest(self, agent_id: str) -> tuple[str | None, list[int]]:
        """Return the tracking id of the message that an agent added last, and the ids under which it is stored."""
        latest = self.memory(agent_id).latest
        if isinstance(latest, int):
            return self._store().index.tracking_id(agent_id, latest), [latest]
        return latest, self._ids(agent_id, latest) if latest is not None else []

    def redaction_unread(self, message: Any, agent: Any, at: str) -> Redaction | None:
        """Return the redaction of an agent's latest message, by the name that it has in memory; None where it has none.

        For where what is stored cannot be read: it is made once that is possible.

        Args:
            message: What takes its place.
            agent: The agent.
            at: When, in ISO 8601.
        """
        latest = self.memory(agent.agent_id).latest
        if latest is None:
            return None
        ids = frozenset({latest}) if isinstance(latest, int) else frozenset[int]()
        names = (latest if isinstance(latest, str) else None, message.get("tracking_id"))
        return Redaction(agent.agent_id, message, at, ids, frozenset(name for name in names if name))

    def place(self, message: Any, agent: Any, *, replaces: bool, copy: int | None = None) -> tuple[int, Place]:
        """Return under which id a message of an agent is to be stored, and whether it replaces what is there.

        Args:
            message: The message.
            agent: The agent.
            replaces: Whether it is known to replace what has its tracking id.
            copy: The id of the one that it replaces, where it is known as one of several copies.
        """
        memory, tracking_id = self.memory(agent.agent_id), named(message)
        if tracking_id not in memory.offered:
            memory.note(message, tracking_id)
        ids = self._ids(agent.agent_id, tracking_id)
        in_line = self._store().is_in_line(agent.agent_id, tracking_id)
        if replaces or ((ids or in_line) and self._replaces(tracking_id, ids, agent)):
            if copy is None and len(ids) > 1:
                copy = self._copy(message, agent, ids)
            if copy is not None and len(ids) > 1:
                return copy, Place(tracking_id, True, copy, is_copy=True)
            id = ids[-1] if ids else memory.next_id
            unnamed = bool(ids) and not self._store().index.has(agent.agent_id, tracking_id)
            return id, Place(tracking_id, True, id if unnamed else None)
        last = self._store().index.last_id(agent.agent_id)
        id = max(memory.next_id, 0 if last is None else last + 1)
        memory.next_id, memory.latest = id + 1, tracking_id
        return id, Place(tracking_id, False)

    def _copy(self, message: Any, agent: Any, ids: list[int]) -> int | None:
        """Return the id of a message that is stored several times, if it is that which memory holds."""
        tracking_id = message["tracking_id"]
        held = _copies(agent, tracking_id)
        at = self.memory(agent.agent_id).ids_of_copies(len(held), ids) if held else []
        return next((id for other, id in zip(held, at, strict=False) if other is message), None)

    def is_back(self, message: Any, agent: Any) -> bool:
        """Whether memory holds a message again that it had let go of, as after a snapshot was loaded."""
        ids = self._ids(agent.agent_id, named(message))
        copies = len(_copies(agent, message["tracking_id"]))
        gone = self.memory(agent.agent_id).gone
        return 0 < copies <= len(ids) and all(id in gone for id in ids)

    def _replaces(self, tracking_id: str, ids: list[int], agent: Any) -> bool:
        """Whether a message takes the place of the one that has its tracking id in storage.

        ``Agent`` merges input of the last message's role into it, and tells of that as of an addition. A message that
        an application sends a second time has the same tracking id too, but does not take the first one's place: then
        memory holds it twice, or the first one is gone from it.
        """
        gone = self.memory(agent.agent_id).gone
        if ids and all(id in gone for id in ids):
            return False
        return 0 < len(_copies(agent, tracking_id)) <= max(len(ids), 1)

    def record(self, agent: Any) -> SessionAgent | None:
        """Return the agent's record, or None where it is stored as it is."""
        before = self._store().index.records.get(agent.agent_id)
        mark = self._marks.get(agent.agent_id)
        # Of other agents than ``Agent`` the SDK keeps the state alone; comparing that is cheaper than making a record.
        if before is not None and not isinstance(agent, Agent):
            internal = before.get("_internal_state", {})
            is_marked_so = isinstance(internal, dict) and internal.get(HELD) == mark
            if is_marked_so and _same(before.get("state"), agent.state.get()):
                return None
        record = record_of(agent)
        if isinstance(agent, Agent):
            record._internal_state[WRITTEN_WITH] = sdk_release()
        if mark is not None:
            record._internal_state[HELD] = mark
        if before is not None:
            now = vars(record)
            timeless = {"created_at", "updated_at"}
            if all(_same(before.get(key), value) for key, value in now.items() if key not in timeless):
                return None
            record.created_at = before.get("created_at", record.created_at)
        return copy.deepcopy(record)


def _counted(agent: Any) -> int:
    return agent.conversation_manager.removed_message_count if isinstance(agent, Agent) else 0


def _own(agent: Any) -> Own:
    """Return the messages that a conversation manager stores with its own state."""
    if not isinstance(agent, Agent):
        return Own()
    own = list(messages_in(agent.conversation_manager.get_state()))
    for message in own:
        named(message)
    return Own(own, agent.messages)


def _but_own(agent: Any) -> list[Any]:
    """Return an agent's messages without those that its conversation manager stores itself."""
    own = _own(agent)
    return [message for message in agent.messages if message not in own] if own else agent.messages


def _copies(agent: Any, tracking_id: str) -> list[Any]:
    """Return the messages of an agent that have a tracking id, without what its conversation manager stores itself."""
    return [message for message in _but_own(agent) if message.get("tracking_id") == tracking_id]


def messages_in(value: Any) -> Iterator[Any]:
    """Yield the messages that a conversation manager's state holds, wherever in it."""
    if isinstance(value, dict) and "role" in value and "content" in value:
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from messages_in(item)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are stored alike: for Python, 1, 1.0 and True are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if one != one and other != other:  # numbers that are none
        return True
    return bool(one == other) and all(isinstance(one, kind) == isinstance(other, kind) for kind in (bool, float, list))
