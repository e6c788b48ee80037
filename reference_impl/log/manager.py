"""A session manager over a change log: durable before hooks, off the event loop, updates in place."""

from __future__ import annotations

import copy
import operator
import warnings
from typing import Any

from strands import Agent
from strands.session import RepositorySessionManager
from strands.types.exceptions import SessionException
from strands.types.session import SessionAgent, SessionMessage

from .agent_changes import AgentChanges
from .change_log import Deleted
from .codec import UnstorableError
from .collecting import Collected, Place, collected_by
from .collector import collector_at_rest
from .hooks import StoringHooks
from .ids import check_id
from .memory import HELD
from .messages import check_message, expect_messages, named
from .replaced import refuse_replaced
from .repository import ChangeLogRepository, now
from .restoring import Managed, left_out, named_all, restore_conversation_manager, restore_state, restored_history
from .sdk import record_of
from .sdk_release import sdk_release
from .tool_pairs import answered_at_the_end, paired
from .trimming import KEPT

_STORAGE_IS_NOT_USED = (
    "Agent-level storage is set, but RepositorySessionManager does not use it; use"
    " SnapshotSessionManager for unified storage integration"
)
"""The SDK's own words."""


class ChangeLogSessionManager(ChangeLogRepository, StoringHooks):
    """Persists agents as a log of changes. Subclasses say where the log is kept (:meth:`_open_store`).

    It differs from the SDK's ``RepositorySessionManager`` where that falls short:

    - messages are durable before any hook of an order above ``HookOrder.SDK_FIRST`` hears of them, and so are
      replacements (``MessageUpdatedEvent``), which land in place of what they replace;
    - the event loop is not held up: storage is written from a worker thread while the agent's task waits;
    - a message and the state that changed with it are stored together;
    - a failure of storage reaches the caller as ``SessionException``, and what could not be written is written with the
      next change, so that storage follows the agent's memory;
    - a redaction leaves nothing of the redacted message in storage.
    """

    _OPEN = frozenset({"_stores", "_began", "_imports", "_changes", "_teams", "_latest_agent_message"})
    """The attributes that a copy makes anew."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a subclass that overrides private methods of the SDK's managers, which are not called here."""
        super().__init_subclass__(**kwargs)
        refuse_replaced(cls, ChangeLogSessionManager)

    def __init__(self, session_id: str, **kwargs: Any) -> None:
        """Open the session, or create it.

        Args:
            session_id: The session's id.
            **kwargs: For future extensibility, as in the SDK.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: The session cannot be read or created.
        """
        self._begin_anew()
        check_id(session_id, "session")
        RepositorySessionManager.__init__(self, session_id=session_id, session_repository=self, **kwargs)
        # The SDK would not look for what others stored since. Whatever is initialized reads the session first.
        self._is_new_session = False

    def _begin_anew(self) -> None:
        """Have nothing open, and know of no agent."""
        ChangeLogRepository.__init__(self)
        self._changes = AgentChanges(lambda: self._store)
        self._teams = {}
        self._latest_agent_message = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: neither what is open, nor what is known of the agents that are here."""
        return {name: value for name, value in vars(self).items() if name not in self._OPEN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on as a manager that was made with the same arguments: it opens the session when it needs it."""
        vars(self).update(state)
        self.session_repository = self
        self._begin_anew()

    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        """Store a message that the agent added, or changed; returns when it is durable.

        Raises:
            SessionException: It cannot be stored.
        """
        check_message(message)
        try:
            with self._together() as collected:
                if not message.get("tracking_id") and collected.told_of is not None:
                    message = {**message, "tracking_id": collected.told_of}
                id, place = self._place(message, agent, collected)
                collected.places[agent.agent_id, id] = place
                at = now()
                self.create_message(self.session_id, agent.agent_id, SessionMessage(message, id, None, at, at))
        except SessionException:
            raise
        except BaseException:  # the handler of a signal may raise before it is in line: then it is in memory alone
            self._changes.forget(message, agent)
            raise

    def _place(self, message: Any, agent: Any, collected: Collected) -> tuple[int, Place]:
        """Return where a message is to be stored; where nobody can say, it is looked at again with the next change."""
        try:
            replaces = collected.replaces or (collected.is_left_over and self._changes.is_back(message, agent))
            return self._changes.place(message, agent, replaces=replaces, copy=collected.replaced)
        except SessionException:  # the session was closed, and cannot be read
            self._changes.forget(message, agent)
            raise

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        """Store what changed of the agent: its state, and its history where nobody told of that.

        Returns when it is durable.

        Raises:
            SessionException: It cannot be stored.
        """
        with self._together() as collected:
            if not collected.only_record:
                self._store_left_over(agent, collected)
                self._changes.look(agent)
            record = self._changes.record(agent)
            if record is not None and agent.agent_id in self._store.index.records:
                self.update_agent(self.session_id, record)
            elif record is not None:
                self.create_agent(self.session_id, record)
        if collected_by(self) is None:
            self._store.begin()  # also where nothing changed
            if self._store.has_unwritten():
                self._store.drain()

    def _store_left_over(self, agent: Any, collected: Collected) -> None:
        refusal = None
        for found in self._changes.left_over(agent):
            collected.told_of, collected.is_left_over = found.message["tracking_id"], True
            collected.replaces, collected.replaced = found.replaces, found.id
            try:
                self.append_message(found.message, agent)
            except UnstorableError as error:
                refusal = refusal or error  # it holds up no other message
            self._changes.note_stored(found, agent)
        collected.told_of, collected.is_left_over, collected.replaces, collected.replaced = None, False, False, None
        if refusal is not None:
            raise refusal

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        """Replace the latest message, and every one with its replacement's tracking id; nothing of it stays in storage.

        Raises:
            SessionException: There is no message, or storage fails: then the redaction is made with the next change.
        """
        check_message(redact_message)
        at, store = now(), self._store
        try:
            self._note_latest(redact_message, agent)
            latest, ids = self._changes.latest(agent.agent_id)
            redaction = store.redaction_of_latest(agent.agent_id, copy.deepcopy(redact_message), at, latest, ids)
        except SessionException:  # such as where the session was closed, and cannot be read
            redaction, ids = self._changes.redaction_unread(copy.deepcopy(redact_message), agent, at), []
            if redaction is None:
                raise
        if redaction is None:
            raise SessionException("No message to redact.")
        if redaction.ids:
            self._changes.memory(agent.agent_id).latest = max(redaction.ids)
        id = max(redaction.ids or ids, default=self._changes.memory(agent.agent_id).next_id - 1)
        with self._together() as collected:
            collected.redaction = redaction
            # No copy of the original is handed on: it would be the first thing that a subclass logs.
            self.update_message(
                self.session_id, agent.agent_id, SessionMessage(redact_message, id, redact_message, at, at)
            )
        held = [message for message in agent.messages if message.get("tracking_id") in redaction.tracking_ids]
        if held and all(message["content"] == redact_message["content"] for message in held):
            store.note_held(agent.agent_id, redaction.tracking_ids)
            for message in held:
                self._changes.memory(agent.agent_id).note(message, message["tracking_id"])

    def _note_latest(self, message: Any, agent: Any) -> None:
        """Take the last message of the agent's memory for the latest, if that is meant, though nobody told of it last.

        An application may have added it, or have set the history back. If it is not stored, that is done first.
        """
        last, id = agent.messages[-1] if agent.messages else None, message.get("tracking_id")
        if last is None or not (last is message or (id and last.get("tracking_id") == id)):
            return
        store, id = self._store, named(last)
        self._changes.memory(agent.agent_id).latest = id  # also where it cannot be stored now: no other one is meant
        if not store.index.has(agent.agent_id, id) and not store.is_in_line(agent.agent_id, id):
            self.sync_agent(agent)

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        """Restore an agent from the session, or store it as a new one.

        Raises:
            SessionException: The agent's id is taken on this manager, or the session cannot be read or written.
        """
        if getattr(agent, "storage", None) is not None:
            warnings.warn(_STORAGE_IS_NOT_USED, stacklevel=1)
        check_id(agent.agent_id, "agent")
        if agent.agent_id in self._latest_agent_message:
            raise SessionException("The `agent_id` of an agent must be unique in a session.")
        if self._store.has_unwritten():
            self._store.drain()  # of an attempt at this that failed
        with self._store.steady():
            record = self.read_agent(self.session_id, agent.agent_id)
            if record is None:
                self._create(agent)
            else:
                self._restore(agent, record)
        self._latest_agent_message[agent.agent_id] = None

    def initialize_multi_agent(self, source: Any, **kwargs: Any) -> None:
        """Restore a graph or swarm from the session, or store it as a new one.

        Raises:
            SessionException: The session cannot be read or written, or the team cannot read its state; the text then
                names the SDK's release. The session stays as it is.
        """
        try:
            super().initialize_multi_agent(source, **kwargs)
        except SessionException:
            raise
        except Exception as error:
            raise SessionException(
                f"{type(source).__name__} {source.id!r}: its state in session {self.session_id!r} cannot be read by"
                f" strands-agents {sdk_release()}: {type(error).__name__}: {error}. Nothing was changed: open it with"
                " the release that stored it"
            ) from error

    def _create(self, agent: Any) -> None:
        for message in agent.messages:
            check_message(message)
            named(message)
        with self._together() as collected:
            self.create_agent(self.session_id, record_of(agent))
            for message in agent.messages:
                id, place = self._changes.place(message, agent, replaces=False)
                collected.places[agent.agent_id, id] = place
                at = now()
                self.create_message(self.session_id, agent.agent_id, SessionMessage(message, id, None, at, at))
        self._changes.created(agent)

    def _restore(self, agent: Any, record: SessionAgent) -> None:
        """Do what the SDK's ``initialize`` does with an agent that is stored, without an object for each message.

        Beside that, what memory let go of stays away, whatever the conversation manager counted; see :mod:`.memory`.
        """
        with collector_at_rest(), self._usable(self.session_id, agent.agent_id):
            self._restore_history(agent, record)

    def _restore_history(self, agent: Any, record: SessionAgent) -> None:
        managed = restore_conversation_manager(agent, record)
        for message in managed.own:
            named(message)
        stored, all_listed = self._stored_messages(agent, record, managed)
        unnamed = named_all(stored, self.session_id, agent.agent_id)
        messages, gone = restored_history(record, stored, managed, set(unnamed.values()), all_listed=all_listed)
        expect_messages(messages)
        before = list(messages)
        messages, made_up = self._as_models_take_it(agent, messages)
        if made_up is not None:
            for number in left_out(before, messages, stored):
                gone.add(number)
        restore_state(agent, record)
        if not (isinstance(agent, Agent) and agent.model.stateful):  # then the model's provider has the conversation
            agent.messages = messages
            made_up, own = made_up or set(), set(map(id, managed.own))
            stored_as = messages
            if made_up or own:
                stored_as = [m for m in messages if m["tracking_id"] not in made_up and id(m) not in own]
            self._store.note_held(agent.agent_id)
            self._changes.restored(agent, stored_as, record._internal_state.get(HELD), gone, made_up, unnamed)

    def _as_models_take_it(self, agent: Any, messages: list[Any]) -> tuple[list[Any], set[str] | None]:
        """Return messages as an agent's model accepts them, and the tracking ids of what was made up.

        None where they are as they were.
        """
        before = list(messages)
        after = self._fix_broken_tool_use(messages)
        if not isinstance(agent, Agent):
            after = answered_at_the_end(after)
        if len(after) == len(before) and all(map(operator.is_, after, before)):
            return after, None
        stored = {message["tracking_id"] for message in before}
        return after, {message["tracking_id"] for message in after} - stored

    def _fix_broken_tool_use(self, messages: list[Any]) -> list[Any]:
        """Return messages as models accept them, as the SDK's method of this name does for most of them."""
        return paired(messages)

    def _stored_messages(self, agent: Any, record: SessionAgent, managed: Managed) -> tuple[dict[int, Any], bool]:
        """Return the messages that are stored by their ids, and whether those that were removed are among them.

        Where a subclass lists messages otherwise, those that it lists are asked for as the SDK asks for them.
        """
        if getattr(self.list_messages, "__func__", None) is ChangeLogRepository.list_messages:
            whole = self._history(self.session_id)
            history = whole.agents.get(agent.agent_id) if whole is not None else None
            if history is None:  # it was still to be imported, and others have deleted it and begun it anew
                raise Deleted(
                    f"session {self.session_id!r} was deleted while it was opened. Open it with a new manager"
                )
            stored = history.contents()
            self._release(self.session_id)
            return stored, True
        marked = HELD in record._internal_state or KEPT in record._internal_state
        offset = 0 if marked else managed.counted
        listed = self.list_messages(session_id=self.session_id, agent_id=agent.agent_id, offset=offset)
        return {message.message_id: message.to_message() for message in listed}, marked
