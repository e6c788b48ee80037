"""The repository: sessions, agents, messages and teams in change logs, by the names that the SDK gives them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import fields, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from strands.session import SessionRepository
from strands.types.exceptions import SessionException
from strands.types.session import Session, SessionAgent, SessionMessage

from .at_once import at_once
from .collecting import Collected, Place, collected_by, collecting
from .history import (
    Change,
    SessionHistory,
    agent_set,
    message_added,
    message_replaced,
    multi_agent_set,
    of_a_copy,
    session_message,
)
from .ids import check_id
from .imports import Imports
from .messages import check_message
from .sdk_export import sdk_files
from .sdk_layout import SdkSession
from .session_store import SessionStore
from .takeover import MARK, is_begun, is_taken_over, without_numbers
from .validity import expect_usable, unusable

_OF_A_SESSION = frozenset(field.name for field in fields(Session))
"""What ``Session.from_dict`` takes of what is stored. It looks for the names anew for each key."""

if TYPE_CHECKING:
    from strands.multiagent.base import MultiAgentBase


class ChangeLogRepository(SessionRepository):
    """Keeps sessions as logs of changes. Subclasses say where the logs are kept (:meth:`_open_store`)."""

    session_id: str
    """The session that a session manager serves; others can be read and written all the same."""

    def __init__(self) -> None:
        """Open nothing yet: a session's log is opened when it is needed first."""
        self._stores: dict[str, SessionStore] = {}
        self._began: set[str] = set()  # the sessions that were not there before
        self._imports = Imports(lambda session_id: self._sdk_session(session_id), self._store_of)

    def _open_store(self, session_id: str) -> SessionStore:
        raise NotImplementedError

    def _sdk_session(self, session_id: str) -> SdkSession | None:
        """Return where the SDK's manager would keep a session beside this one's, if anywhere."""
        return None

    def _sdk_state(self, session_id: str) -> AbstractContextManager[Callable[[], str | None]]:
        """Look for what the SDK's manager keeps of a session while that is read; give what returns its state."""
        place = self._sdk_session(session_id)
        return nullcontext(place.state if place is not None else lambda: None)

    def close(self) -> None:
        """Write what is left to write, and let go of the session. An agent needs it no more after it stopped.

        Raises:
            SessionException: Something could not be written. It is written with the next change, or by closing again.
        """
        try:
            at_once(SessionStore.drain, self._stores.values())
        finally:
            for store in self._stores.values():
                store.close()
            self._stores = {id: store for id, store in self._stores.items() if store.has_unwritten()}

    def history(self) -> SessionHistory:
        """Return all that the session holds, as it is stored now: a copy of nothing, to be read and not changed.

        Raises:
            SessionException: There is no such session, or it cannot be read.
        """
        history = self._history(self.session_id)
        if history is None:
            raise SessionException(f"Session {self.session_id} does not exist")
        return history

    def take_in(self) -> int:
        """Store here what the SDK's manager keeps of the session beside this one's; nothing of it is changed there.

        Whoever opens a session does so too, with the first change. What is here already is not stored again.

        Returns:
            How many messages the session has here.

        Raises:
            SessionException: There is no such session, here or there, it cannot be read, or it cannot be stored.
        """
        store = self._stored(self.session_id)
        store.begin()
        history = self.history()
        self._release(self.session_id)
        if self.session_id in self._began and not history.agents and not history.multi_agents:
            self.withdraw()
            raise SessionException(f"Session {self.session_id} does not exist")
        return sum(len(agent.messages) for agent in history.agents.values())

    def withdraw(self) -> None:
        """Remove the session if this manager began it, and nothing was stored in it, and nobody else has it open.

        For those who opened it for something that failed.
        """
        if self.session_id in self._began:
            self._store.withdraw()

    def hand_back(self) -> None:
        """Write the session in the SDK's layout, where the SDK's manager looks for it, in place of what is there.

        It holds what agents hold in memory after a restore. It stays here as well: whichever manager opens it next
        goes on with it. No other manager must have the session open meanwhile.

        Raises:
            SessionException: There is no such session, it cannot be read, one of its records could not be restored, or
                what holds it cannot be written.
        """
        self.close()
        place = self._sdk_session(self.session_id)
        if place is None:
            raise SessionException(f"session {self.session_id!r} is kept where no manager of the SDK keeps sessions")
        history = self.history()
        expect_usable(history)
        files = dict(sdk_files(history))
        self._release(self.session_id)
        if history.session.get(MARK):
            self._store.commit([{"op": "session", "session": without_numbers(history.session)}])
        for path, data in files.items():
            place.write(path, data)
        # What is left of a longer history would be restored behind this one.
        place.remove([path for path in place.paths() if path not in files and path.startswith("agents/")])

    @property
    def _store(self) -> SessionStore:
        return self._store_of(self.session_id)

    def _store_of(self, session_id: str) -> SessionStore:
        if session_id not in self._stores:
            store = self._stores[session_id] = self._open_store(check_id(session_id, "session"))
            self._imports.opened(session_id, store)
        return self._stores[session_id]

    def _read(self, session_id: str) -> SessionStore:
        """Return a session's store, with all that was collected for it committed: reading finds what was written."""
        store, collected = self._store_of(session_id), collected_by(self)
        if collected is not None and (changes := collected.changes.pop(session_id, None)):
            self._stored(session_id).commit(changes)
        return store

    def _history(self, session_id: str, sdk_state: Callable[[], str | None] | None = None) -> SessionHistory | None:
        """Return what is stored of a session, whoever stored it; None where there is no session.

        Args:
            session_id: The session.
            sdk_state: Returns the state of what the SDK's manager keeps of it, if somebody looks for that.
        """
        store = self._read(session_id)
        history = store.found()
        if history is not None and not is_begun(history):
            self._imports.found(session_id, history)
            return history
        if not self._imports.has_left(session_id) and sdk_state is not None and sdk_state() is None:
            return history
        return self._imports.left(session_id) or history

    def _release(self, session_id: str) -> None:
        """Drop the history that was read: its messages now belong to somebody else."""
        self._imports.release(session_id)
        self._store_of(session_id).release()

    def _stored(self, session_id: str) -> SessionStore:
        """Return the store of a session that is to be written."""
        self._imports.before_writing(session_id)
        return self._store_of(session_id)

    def _commit(self, session_id: str, changes: Sequence[Change]) -> None:
        """Store changes: with what is collected, if something is, else at once."""
        collected = collected_by(self)
        if collected is not None:
            collected.changes.setdefault(session_id, []).extend(changes)
            return
        store = self._stored(session_id)
        if not store.is_to_begin() and not store.exists():
            raise SessionException(f"Session {session_id} does not exist")
        store.commit(changes)

    @contextmanager
    def _together(self) -> Iterator[Collected]:
        """Commit what is stored within all at once, at the end, also where an exception ends it.

        Raises:
            SessionException: It could not be stored.
        """
        outer = collected_by(self)
        if outer is not None:
            yield outer
            return
        collected = Collected(self)
        try:
            with collecting(collected):
                yield collected
        finally:  # no longer collecting: what the handler of a signal stores meanwhile would never be committed
            for session_id, changes in collected.changes.items():
                self._stored(session_id).commit(changes)

    def create_session(self, session: Session, **kwargs: Any) -> Session:
        """Create a session.

        Raises:
            SessionException: It exists already, or cannot be created.
        """
        store = self._store_of(session.session_id)
        if not store.create(session.to_dict()):
            if session.session_id == getattr(self, "session_id", None) and not hasattr(self, "session"):
                return session  # another process created what this one is about to open
            raise SessionException(f"Session {session.session_id} already exists")
        self._began.add(session.session_id)
        return session

    def read_session(self, session_id: str, **kwargs: Any) -> Session | None:
        """Return a session, or None where there is none.

        Raises:
            SessionException: It cannot be read.
        """
        with self._sdk_state(session_id) as sdk_state:
            history = self._history(session_id, sdk_state)
            if history is None:
                return None
            is_left = self._imports.is_left(session_id, history)
            is_known = not is_left and is_taken_over(history, sdk_state())
        if is_left:
            self._imports.put_off(session_id, history)
        elif not is_known:
            self._imports.take_over(session_id, history)
        return Session(**{key: value for key, value in history.session.items() if key in _OF_A_SESSION})

    def create_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        """Store a new agent.

        Raises:
            SessionException: The session does not exist, or the agent cannot be stored.
        """
        check_id(session_agent.agent_id, "agent")
        self._commit(session_id, [agent_set(copy.deepcopy(vars(session_agent)))])

    @contextmanager
    def _usable(self, session_id: str, agent_id: str) -> Iterator[None]:
        """Raise what comes of a stored record that cannot be used as ``SessionException``, and all else as it is."""
        try:
            yield
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            self._release(session_id)
            history = self._history(session_id)
            agent = history.agents.get(agent_id) if history is not None else None
            found = unusable(agent) if agent is not None else None
            if found is None:  # it came from a subclass, or from the agent's own
                raise
            raise SessionException(
                f"session {session_id!r}: agent {agent_id!r} cannot be restored: {found}. Nothing was changed. verify()"
                " says more, repair() brings back what can be read"
            ) from error

    def read_agent(self, session_id: str, agent_id: str, **kwargs: Any) -> SessionAgent | None:
        """Return an agent, or None where there is none.

        Raises:
            SessionException: The session cannot be read.
        """
        history = self._history(session_id)
        agent = history.agents.get(check_id(agent_id, "agent")) if history is not None else None
        if agent is None or not agent.record:
            return None
        with self._usable(session_id, agent_id):
            return SessionAgent(**copy.deepcopy(vars(agent.session_agent())))

    def update_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        """Replace what is stored of an agent, but for its ``created_at``.

        Raises:
            SessionException: There is no such agent, or it cannot be stored.
        """
        if collected_by(self) is not None:  # what was read last is compared with, and not what others wrote since
            record = self._stored(session_id).index.records.get(session_agent.agent_id)
        else:
            before = self.read_agent(session_id, session_agent.agent_id)
            record = vars(before) if before is not None else None
        if record is None:
            raise SessionException(f"Agent {session_agent.agent_id} in session {session_id} does not exist")
        session_agent.created_at = record.get("created_at", session_agent.created_at)  # other releases may have none
        self._commit(session_id, [agent_set(copy.deepcopy(vars(session_agent)))])

    def create_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        """Store a message under its id.

        Raises:
            ValueError: The id is no integer.
            SessionException: The session does not exist, or the message cannot be stored.
        """
        id = _message_id(session_message.message_id)
        message, at, updated_at = session_message.to_message(), session_message.created_at, session_message.updated_at
        check_message(message)
        collected = collected_by(self)
        place = collected.places.pop((agent_id, id), None) if collected is not None else None
        if place is None:
            change = message_added(agent_id, message, at, id)
        elif place.replaces:
            change = message_replaced(agent_id, _with_id(message, place), updated_at, place.id)
            change = of_a_copy(change) if place.is_copy else change
        else:  # it gets the number that is free when it is stored: others may store messages meanwhile
            change = message_added(agent_id, _with_id(message, place), at)
        if change["op"] == "message" and updated_at != at:
            change["updated_at"] = updated_at
        self._commit(session_id, [change])

    def read_message(self, session_id: str, agent_id: str, message_id: int, **kwargs: Any) -> SessionMessage | None:
        """Return a message, or None where there is none.

        Raises:
            ValueError: The id is no integer.
            SessionException: The session cannot be read.
        """
        id = _message_id(message_id)
        history = self._history(session_id)
        agent = history.agents.get(agent_id) if history is not None else None
        if agent is None or id not in agent.messages:
            return None
        self._release(session_id)
        with self._usable(session_id, agent_id):
            return session_message(id, agent.messages[id])

    def update_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        """Replace a message, but for its ``created_at``. One with a ``redact_message`` is replaced by that for good.

        Raises:
            ValueError: The id is no integer.
            SessionException: There is no such message, or it cannot be stored.
        """
        id = _message_id(session_message.message_id)
        collected = collected_by(self)
        if collected is not None and collected.redaction is not None and session_message.redact_message is not None:
            redaction, collected.redaction = collected.redaction, None
            message = copy.deepcopy(session_message.redact_message)
            check_message(message)
            self._stored(session_id).redact(replace(redaction, message=message))
            return
        before = self.read_message(session_id, agent_id, id)
        if before is None:
            raise SessionException(f"Message {id} does not exist")
        session_message.created_at = before.created_at
        message = copy.deepcopy(session_message.to_message())
        check_message(message)
        if not message.get("tracking_id") and before.message.get("tracking_id"):
            message["tracking_id"] = before.message["tracking_id"]  # by which whoever holds it in memory knows it
        change = message_replaced(agent_id, message, session_message.updated_at, id)
        if session_message.redact_message is not None:
            self._redact(session_id, agent_id, before.message.get("tracking_id"), change)
        else:
            self._commit(session_id, [change])

    def _redact(self, session_id: str, agent_id: str, tracking_id: str | None, change: Change) -> None:
        """Replace a message for good, and each copy of it that has its tracking id."""
        self._read(session_id)
        store = self._stored(session_id)
        copies = store.index.ids(agent_id, tracking_id) if tracking_id else []
        store.replace_for_good([{**change, "id": id} for id in sorted({change["id"], *copies})])

    def list_messages(
        self, session_id: str, agent_id: str, limit: int | None = None, offset: int = 0, **kwargs: Any
    ) -> list[SessionMessage]:
        """Return an agent's messages in the order of their ids.

        Args:
            session_id: The session.
            agent_id: The agent.
            limit: How many to return at most; all, where it is None.
            offset: How many to pass over.
            **kwargs: For future extensibility, as in the SDK.

        Raises:
            SessionException: There is no such agent, or the session cannot be read.
        """
        history = self._history(session_id)
        agent = history.agents.get(agent_id) if history is not None else None
        if agent is None:
            raise SessionException(f"Messages directory missing from agent: {agent_id} in session {session_id}")
        self._release(session_id)
        end = None if limit is None else offset + limit
        with self._usable(session_id, agent_id):
            return [session_message(id, stored) for id, stored in agent.in_order()[offset:end]]

    def create_multi_agent(self, session_id: str, multi_agent: MultiAgentBase, **kwargs: Any) -> None:
        """Store the state of a new graph or swarm.

        Raises:
            SessionException: It cannot be stored.
        """
        state = copy.deepcopy(multi_agent.serialize_state())
        self._commit(session_id, [multi_agent_set(multi_agent.id, state)])

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        """Return the state of a graph or swarm, or None where there is none.

        Raises:
            SessionException: The session cannot be read.
        """
        history = self._history(session_id)
        return copy.deepcopy(history.multi_agents.get(multi_agent_id)) if history is not None else None

    def update_multi_agent(self, session_id: str, multi_agent: MultiAgentBase, **kwargs: Any) -> None:
        """Replace the state of a graph or swarm.

        Raises:
            SessionException: There is none, or it cannot be stored.
        """
        if collected_by(self) is None and self.read_multi_agent(session_id, multi_agent.id) is None:
            raise SessionException(f"MultiAgent state {multi_agent.id} in session {session_id} does not exist")
        self._commit(session_id, [multi_agent_set(multi_agent.id, copy.deepcopy(multi_agent.serialize_state()))])


def now() -> str:
    """Return the time, as the SDK writes it: ISO 8601, in UTC."""
    return datetime.now(timezone.utc).isoformat()


def _message_id(id: Any) -> int:
    if not isinstance(id, int) or isinstance(id, bool):
        raise ValueError(f"message_id=<{id}> | message id must be an integer")
    return id


def _with_id(message: Any, place: Place) -> Any:
    """Return a message with the tracking id of the one in memory, where a subclass gave another one without it."""
    return message if message.get("tracking_id") else {**message, "tracking_id": place.tracking_id}
