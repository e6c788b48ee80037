"""A session manager over a change log: durable before hooks, off the event loop, updates in place."""

from __future__ import annotations

import copy
import logging
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from strands import Agent
from strands.agent.state import AgentState
from strands.bidi.hooks import BidiAgentStopEvent, BidiBeforeConnectionRestartEvent
from strands.hooks import (
    AfterInvocationEvent,
    AfterMultiAgentInvocationEvent,
    AfterNodeCallEvent,
    AgentInitializedEvent,
    HookOrder,
    HookRegistry,
    MessageAddedEvent,
    MessageUpdatedEvent,
    MultiAgentInitializedEvent,
)
from strands.session import RepositorySessionManager, SessionRepository
from strands.types.exceptions import SessionException
from strands.types.session import Session, SessionAgent, SessionMessage

from .codec import UnstorableError
from .history import (
    Change,
    SessionHistory,
    agent_set,
    message_added,
    message_replaced,
    multi_agent_set,
    session_created,
    session_message,
)
from .ids import check_id
from .message_index import is_pending
from .session_store import SessionStore
from .threads import off_loop
from .trimming import KEPT, kept_apart, pinned, restored

if TYPE_CHECKING:
    from strands.multiagent.base import MultiAgentBase

logger = logging.getLogger(__name__)

_REPAIRS = uuid.UUID("6f7b1d5e-3f0a-5c61-9a53-2f1b5c0f7f11")
"""The namespace of the tracking ids of messages that a restore makes up; see :func:`_made_up_id`."""


class ChangeLogSessionManager(RepositorySessionManager, SessionRepository):
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

    _placeholders_wait = False
    """Whether the placeholder of a stream, which has no content, is stored only with the change that follows it."""

    def __init__(self, session_id: str, **kwargs: Any) -> None:
        """Open the session, or create it.

        Args:
            session_id: The session's id.
            **kwargs: For future extensibility, as in the SDK.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: The session cannot be read or created.
        """
        self._stores: dict[str, SessionStore] = {}
        self._made_up: set[str] = set()
        self._not_to_store: set[str | None] = set()  # tracking ids of what was refused, and of what was redacted
        self._pinned: dict[str, set[str]] = {}
        self._kept: dict[str, dict[str, Any]] = {}
        check_id(session_id, "session")
        super().__init__(session_id=session_id, session_repository=self, **kwargs)
        # The SDK would not look for what others stored since. Whatever is initialized reads the session first.
        self._is_new_session = False

    def _open_store(self, session_id: str) -> SessionStore:
        raise NotImplementedError

    def _import(self, session_id: str) -> SessionHistory | None:
        """Return what another manager left of a session that this one has not yet, if anything."""
        return None

    def close(self) -> None:
        """Write what is left to write, and let go of the session. An agent needs it no more after it stopped.

        Raises:
            SessionException: Something could not be written.
        """
        try:
            if self.session_id in self._stores:
                self._stores[self.session_id].drain()
        finally:
            for store in self._stores.values():
                store.close()
            self._stores.clear()

    # -- hooks ---------------------------------------------------------------------------------------------

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        """Register for everything that changes an agent, ahead of any user's hook."""
        first, last = HookOrder.SDK_FIRST, HookOrder.SDK_LAST
        registry.add_callback(AgentInitializedEvent, lambda event: self.initialize(event.agent), order=first)
        registry.add_callback(MessageAddedEvent, self._message_added, order=first)
        registry.add_callback(MessageUpdatedEvent, self._message_updated, order=first)
        registry.add_callback(BidiBeforeConnectionRestartEvent, self._agent_changed, order=first)
        # First, so that hooks find everything stored; last, since they may change the agent's state.
        registry.add_callback([BidiAgentStopEvent, AfterInvocationEvent], self._agent_changed, order=first)
        registry.add_callback(BidiAgentStopEvent, self._agent_stopped, order=last)
        registry.add_callback(AfterInvocationEvent, self._agent_changed, order=last)

        registry.add_callback(
            MultiAgentInitializedEvent, lambda event: self.initialize_multi_agent(event.source), order=first
        )
        for order in (first, last):
            registry.add_callback(
                [AfterNodeCallEvent, AfterMultiAgentInvocationEvent], self._multi_agent_changed, order=order
            )

    async def _message_added(self, event: MessageAddedEvent[Any]) -> None:
        addition = self._addition(event.message, event.agent)
        if self._placeholders_wait and is_pending(event.message):
            self._store.submit([addition])  # it says nothing yet: it is stored with what comes next
        else:
            await self._persist(event.agent, addition)

    async def _message_updated(self, event: MessageUpdatedEvent[Any]) -> None:
        await self._persist(event.agent, self._replacement(event.message, event.agent))

    async def _agent_changed(self, event: Any) -> None:
        await self._persist(event.agent, *self._left_over(event.agent))

    async def _agent_stopped(self, event: Any) -> None:
        await self._agent_changed(event)
        await off_loop(self._store.rest)

    async def _multi_agent_changed(self, event: Any) -> None:
        state = event.source.serialize_state()
        ticket = self._store.submit([multi_agent_set(event.source.id, copy.deepcopy(state))])
        await off_loop(self._store.drain, ticket)

    async def _persist(self, agent: Any, *changes: Change) -> None:
        """Commit changes, and the agent's record if it changed, in the order of calls; return when they are durable."""
        changes = (*changes, *self._record(agent))
        if not changes and not self._store.has_unwritten():
            return
        ticket = self._store.submit(changes)
        try:
            await off_loop(self._store.drain, ticket)
        except UnstorableError:
            refused = [change["message"] for change in ticket.refused if "message" in change]
            self._not_to_store |= {message.get("tracking_id") for message in refused}
            raise

    # -- what is to be stored ------------------------------------------------------------------------------

    def _addition(self, message: Any, agent: Any) -> Change:
        if self._is_merged(message, agent):
            return self._replacement(message, agent)
        return message_added(agent.agent_id, message, _now())

    def _is_merged(self, message: Any, agent: Any) -> bool:
        """Whether a message that is added takes the place of the last one, which has its tracking id.

        ``Agent`` merges input of the last message's role into it, and tells of that as of an addition. A message that
        an application sends a second time has the same tracking id too, but does not take the first one's place.
        """
        tracking_id, index = message.get("tracking_id"), self._store.index
        if not tracking_id or index.last_id(agent.agent_id) not in index.ids(agent.agent_id, tracking_id):
            return False
        messages = agent.messages  # of which others may have been added since: they are told of one by one
        place = next((at for at in range(len(messages) - 1, 0, -1) if messages[at] is message), len(messages) - 1)
        return place < 1 or messages[place - 1].get("tracking_id") != tracking_id

    def _replacement(self, message: Any, agent: Any) -> Change:
        return message_replaced(agent.agent_id, message, _now())

    def _left_over(self, agent: Any) -> list[Change]:
        """Return what the agent's memory holds and storage does not.

        An agent that is stopped cancels its tasks, and with them hooks that wait for storage: the last message may have
        been added, or a stream set to incomplete, without this manager having been told, or heard out.
        """
        index = self._store.index
        pending = index.pending(agent.agent_id)
        changed = [
            self._replacement(message, agent)
            for message in (agent.messages if pending else ())
            if message.get("tracking_id") in pending and not is_pending(message)
        ]
        added: list[Change] = []
        for message in reversed(agent.messages):
            tracking_id = message.get("tracking_id")
            # In this order: a message in line is noted in the index before it leaves the line.
            if tracking_id and self._store.is_in_line(agent.agent_id, tracking_id):
                continue
            if not tracking_id or index.has(agent.agent_id, tracking_id):
                break  # from here on back everything was stored, or was never this manager's to store
            if tracking_id not in self._made_up and tracking_id not in self._not_to_store:
                added.append(self._addition(message, agent))
        return [*self._trimmed(agent), *changed, *reversed(added)]

    def _trimmed(self, agent: Any) -> list[Change]:
        """Note what a conversation manager left of a text agent's history; return the messages that it marked."""
        if not isinstance(agent, Agent):
            return []
        index, marked = self._store.index, pinned(agent.messages)
        before = self._pinned.get(agent.agent_id, set())
        self._pinned[agent.agent_id] = marked
        kept = kept_apart(agent, index)
        if kept is None:
            self._kept.pop(agent.agent_id, None)
        else:
            self._kept[agent.agent_id] = kept
        return [
            self._replacement(message, agent)
            for message in (agent.messages if marked != before else ())
            if message.get("tracking_id") in marked ^ before and index.has(agent.agent_id, message["tracking_id"])
        ]

    def _record(self, agent: Any) -> list[Change]:
        """Return the agent's record as a change, or nothing where it is stored as it is."""
        before = self._store.index.records.get(agent.agent_id)
        # Of other agents than ``Agent`` the SDK keeps the state alone; comparing that is cheaper than making a record.
        only_state = before is not None and not isinstance(agent, Agent) and not before.get("_internal_state")
        if before is not None and only_state and _same(before.get("state"), agent.state.get()):
            return []
        record = SessionAgent.from_agent(agent)
        if agent.agent_id in self._kept:
            record._internal_state[KEPT] = self._kept[agent.agent_id]
        now = vars(record).copy()
        if before is not None:
            timeless = {"created_at", "updated_at"}
            if all(_same(before.get(key), value) for key, value in now.items() if key not in timeless):
                return []
            now["created_at"] = before.get("created_at", now["created_at"])
        return [agent_set(copy.deepcopy(now))]

    # -- the session manager's methods ---------------------------------------------------------------------

    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        """Store a message that the agent added; returns when it is durable.

        Raises:
            SessionException: It cannot be stored.
        """
        self._store.commit([self._addition(message, agent), *self._record(agent)])

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        """Store the agent's state, if it changed; returns when it is durable.

        Raises:
            SessionException: It cannot be stored.
        """
        changes = [*self._left_over(agent), *self._record(agent)]
        if changes or self._store.has_unwritten():
            self._store.commit(changes)

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        """Replace the latest message, and every one with its replacement's tracking id; nothing of it stays in storage.

        Raises:
            SessionException: There is no message, or storage fails: then the redaction is made with the next change.
        """
        redaction = self._store.redaction_of_latest(agent.agent_id, copy.deepcopy(redact_message), _now())
        if redaction is None:
            raise SessionException("No message to redact.")
        self._not_to_store |= redaction.tracking_ids  # memory may hold the original still
        self._store.redact(redaction)

    def _replace_for_good(self, session_id: str, agent_id: str, ids: set[int], message: Any) -> None:
        changes = [message_replaced(agent_id, copy.deepcopy(message), _now(), id) for id in sorted(ids)]
        self._store_of(session_id).replace_for_good(changes)

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        """Restore an agent from the session, or store it as a new one.

        Raises:
            SessionException: The agent's id is taken on this manager, or the session cannot be read or written.
        """
        check_id(agent.agent_id, "agent")
        if agent.agent_id in self._latest_agent_message:
            raise SessionException("The `agent_id` of an agent must be unique in a session.")
        if self._store.has_unwritten():
            self._store.drain()  # of an attempt at this that failed
        with self._store.steady():
            record = self.read_agent(self.session_id, agent.agent_id)
            if record is None:
                added = [self._addition(message, agent) for message in agent.messages]
                self._store.commit([*self._record(agent), *added])
            else:
                self._restore(agent, record)
        self._latest_agent_message[agent.agent_id] = None

    def _restore(self, agent: Any, record: SessionAgent) -> None:
        """Do what the SDK's ``initialize`` does with an agent that is stored, without an object for each message.

        Beside that, what a conversation manager kept of the messages ahead of those that the SDK restores comes back.
        """
        history = self._store.view().agents[agent.agent_id]
        ids, stored = sorted(history.messages), history.contents()
        self._store.release()
        agent.state = AgentState(record.state)
        record.initialize_internal_state(agent)
        if not isinstance(agent, Agent):
            agent.messages = self._fix_broken_tool_use(stored)
            self._answer_last_tool_use(agent.messages)
            return
        earlier = agent.conversation_manager.restore_from_session(record.conversation_manager_state) or []
        if not agent.model.stateful:  # otherwise the model's provider has the conversation
            kept = record._internal_state.get(KEPT)
            if kept is None:
                messages = [*earlier, *stored[agent.conversation_manager.removed_message_count :]]
            else:
                self._kept[agent.agent_id] = kept
                messages = restored(kept, list(zip(ids, stored, strict=True)), earlier)
            agent.messages = self._fix_broken_tool_use(messages)
        self._pinned[agent.agent_id] = pinned(agent.messages)

    def _fix_broken_tool_use(self, messages: list[Any]) -> list[Any]:
        """Repair tool uses without results, as the SDK does, and give what it makes up ids that stay the same."""
        if not _have_tools(messages):
            return messages
        before = {message.get("tracking_id") for message in messages}
        repaired = super()._fix_broken_tool_use(messages)
        for index, message in enumerate(repaired):
            if message.get("tracking_id") not in before:
                message["tracking_id"] = _made_up_id(repaired[index - 1])
                self._made_up.add(message["tracking_id"])
        return repaired

    def _answer_last_tool_use(self, messages: list[Any]) -> None:
        """Answer tool uses at the very end, where the process ended before their results were stored.

        The SDK leaves those to ``Agent``, which answers them with its next prompt, or resumes an interrupt with them.
        ``BidiAgent`` would send them as they are to a model that refuses them.
        """
        uses = (
            [block["toolUse"]["toolUseId"] for block in messages[-1]["content"] if "toolUse" in block]
            if messages
            else []
        )
        if not uses:
            return
        results = [
            {"toolResult": {"toolUseId": id, "status": "error", "content": [{"text": "Tool was interrupted."}]}}
            for id in uses
        ]
        made_up = _made_up_id(messages[-1])
        self._made_up.add(made_up)
        messages.append({"role": "user", "content": results, "tracking_id": made_up})

    # -- the session repository's methods ------------------------------------------------------------------

    @property
    def _store(self) -> SessionStore:
        return self._store_of(self.session_id)

    def _store_of(self, session_id: str) -> SessionStore:
        if session_id not in self._stores:
            self._stores[session_id] = self._open_store(check_id(session_id, "session"))
        return self._stores[session_id]

    def _known_store(self, session_id: str) -> SessionStore:
        store = self._store_of(session_id)
        if not store.exists():
            raise SessionException(f"Session {session_id} does not exist")
        return store

    def create_session(self, session: Session, **kwargs: Any) -> Session:
        """Create a session.

        Raises:
            SessionException: It exists already, or cannot be created.
        """
        store = self._store_of(session.session_id)
        history = SessionHistory()
        history.apply([session_created(session.to_dict())])
        if store.exists() or not store.create(history):
            if session.session_id == getattr(self, "session_id", None) and not hasattr(self, "session"):
                return session  # another process created what this one is about to open
            raise SessionException(f"Session {session.session_id} already exists")
        return session

    def read_session(self, session_id: str, **kwargs: Any) -> Session | None:
        """Return a session, or None where there is none.

        Raises:
            SessionException: It cannot be read.
        """
        store = self._store_of(session_id)
        if not store.exists():
            imported = self._import(session_id)
            if imported is None:
                return None
            store.create(imported)
        return Session.from_dict(dict(store.view().session))

    def create_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        """Store a new agent.

        Raises:
            SessionException: The session does not exist, or the agent cannot be stored.
        """
        check_id(session_agent.agent_id, "agent")
        self._known_store(session_id).commit([agent_set(copy.deepcopy(vars(session_agent)))])

    def read_agent(self, session_id: str, agent_id: str, **kwargs: Any) -> SessionAgent | None:
        """Return an agent, or None where there is none.

        Raises:
            SessionException: The session cannot be read.
        """
        store = self._store_of(session_id)
        if not store.exists():
            return None
        agent = store.view().agents.get(check_id(agent_id, "agent"))
        if agent is None or not agent.record:
            return None
        return SessionAgent(**copy.deepcopy(vars(agent.session_agent())))

    def update_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        """Replace what is stored of an agent, but for its ``created_at``.

        Raises:
            SessionException: There is no such agent, or it cannot be stored.
        """
        before = self.read_agent(session_id, session_agent.agent_id)
        if before is None:
            raise SessionException(f"Agent {session_agent.agent_id} in session {session_id} does not exist")
        session_agent.created_at = before.created_at
        self._store_of(session_id).commit([agent_set(copy.deepcopy(vars(session_agent)))])

    def create_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        """Store a message under its id.

        Raises:
            ValueError: The id is no integer.
            SessionException: The session does not exist, or the message cannot be stored.
        """
        id = _message_id(session_message.message_id)
        added = message_added(agent_id, session_message.to_message(), session_message.created_at, id)
        self._known_store(session_id).commit([added])

    def read_message(self, session_id: str, agent_id: str, message_id: int, **kwargs: Any) -> SessionMessage | None:
        """Return a message, or None where there is none.

        Raises:
            ValueError: The id is no integer.
            SessionException: The session cannot be read.
        """
        store = self._store_of(session_id)
        id = _message_id(message_id)
        agent = store.view().agents.get(agent_id) if store.exists() else None
        if agent is None or id not in agent.messages:
            return None
        store.release()
        return session_message(id, agent.messages[id])

    def update_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        """Replace a message, but for its ``created_at``. One with a ``redact_message`` is replaced by that for good.

        Raises:
            ValueError: The id is no integer.
            SessionException: There is no such message, or it cannot be stored.
        """
        id = _message_id(session_message.message_id)
        before = self.read_message(session_id, agent_id, id)
        if before is None:
            raise SessionException(f"Message {id} does not exist")
        session_message.created_at = before.created_at
        if session_message.redact_message is not None:
            self._replace_for_good(session_id, agent_id, {id}, session_message.redact_message)
        else:
            self._store_of(session_id).commit([message_replaced(agent_id, session_message.message, _now(), id)])

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
        store = self._store_of(session_id)
        agent = store.view().agents.get(agent_id) if store.exists() else None
        if agent is None:
            raise SessionException(f"Agent {agent_id} in session {session_id} does not exist")
        store.release()
        end = None if limit is None else offset + limit
        return [session_message(id, stored) for id, stored in agent.in_order()[offset:end]]

    def create_multi_agent(self, session_id: str, multi_agent: MultiAgentBase, **kwargs: Any) -> None:
        """Store the state of a new graph or swarm.

        Raises:
            SessionException: It cannot be stored.
        """
        state = copy.deepcopy(multi_agent.serialize_state())
        self._known_store(session_id).commit([multi_agent_set(multi_agent.id, state)])

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        """Return the state of a graph or swarm, or None where there is none.

        Raises:
            SessionException: The session cannot be read.
        """
        store = self._store_of(session_id)
        if not store.exists():
            return None
        return copy.deepcopy(store.view().multi_agents.get(multi_agent_id))

    def update_multi_agent(self, session_id: str, multi_agent: MultiAgentBase, **kwargs: Any) -> None:
        """Replace the state of a graph or swarm.

        Raises:
            SessionException: There is none, or it cannot be stored.
        """
        if self.read_multi_agent(session_id, multi_agent.id) is None:
            raise SessionException(f"MultiAgent state {multi_agent.id} in session {session_id} does not exist")
        self.create_multi_agent(session_id, multi_agent)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are stored alike: for Python, 1, 1.0 and True are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other and all(isinstance(one, kind) == isinstance(other, kind) for kind in (bool, float, list))


def _have_tools(messages: list[Any]) -> bool:
    for message in messages:
        for block in message["content"]:
            if "toolUse" in block or "toolResult" in block:
                return True
    return False


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


def _message_id(id: Any) -> int:
    if not isinstance(id, int) or isinstance(id, bool):
        raise ValueError(f"message_id=<{id}> | message id must be an integer")
    return id


def _made_up_id(tool_use: Any) -> str:
    """Return the tracking id of a result that a restore made up: the same at each restore of the same tool use."""
    return str(uuid.uuid5(_REPAIRS, str(tool_use.get("tracking_id") or tool_use["content"])))
