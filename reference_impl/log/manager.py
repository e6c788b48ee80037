"""A session manager over a change log: durable before hooks, off the event loop, updates in place."""

from __future__ import annotations

import copy
import logging
from typing import Any

from strands import Agent
from strands.agent.state import AgentState
from strands.session import RepositorySessionManager
from strands.types.exceptions import SessionException
from strands.types.session import SessionAgent

from .agent_changes import AgentChanges
from .hooks import StoringHooks
from .ids import check_id
from .repository import ChangeLogRepository, now
from .tool_pairs import answer_to_last, have_tools, made_up_id
from .trimming import KEPT, pinned, restored

logger = logging.getLogger(__name__)


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

    def __init__(self, session_id: str, **kwargs: Any) -> None:
        """Open the session, or create it.

        Args:
            session_id: The session's id.
            **kwargs: For future extensibility, as in the SDK.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: The session cannot be read or created.
        """
        ChangeLogRepository.__init__(self)
        self._changes = AgentChanges(lambda: self._store)
        check_id(session_id, "session")
        RepositorySessionManager.__init__(self, session_id=session_id, session_repository=self, **kwargs)
        # The SDK would not look for what others stored since. Whatever is initialized reads the session first.
        self._is_new_session = False

    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        """Store a message that the agent added; returns when it is durable.

        Raises:
            SessionException: It cannot be stored.
        """
        self._store.commit([self._changes.addition(message, agent), *self._changes.record(agent)])

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        """Store the agent's state, if it changed; returns when it is durable.

        Raises:
            SessionException: It cannot be stored.
        """
        changes = [*self._changes.left_over(agent), *self._changes.record(agent)]
        if changes or self._store.has_unwritten():
            self._store.commit(changes)

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        """Replace the latest message, and every one with its replacement's tracking id; nothing of it stays in storage.

        Raises:
            SessionException: There is no message, or storage fails: then the redaction is made with the next change.
        """
        redaction = self._store.redaction_of_latest(agent.agent_id, copy.deepcopy(redact_message), now())
        if redaction is None:
            raise SessionException("No message to redact.")
        self._changes.not_to_store |= redaction.tracking_ids  # memory may hold the original still
        self._store.redact(redaction)

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
                added = [self._changes.addition(message, agent) for message in agent.messages]
                self._store.commit([*self._changes.record(agent), *added])
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
            answer = answer_to_last(agent.messages)
            if answer is not None:
                self._changes.made_up.add(answer["tracking_id"])
                agent.messages.append(answer)
            return
        earlier = agent.conversation_manager.restore_from_session(record.conversation_manager_state) or []
        if not agent.model.stateful:  # otherwise the model's provider has the conversation
            kept = record._internal_state.get(KEPT)
            if kept is None:
                messages = [*earlier, *stored[agent.conversation_manager.removed_message_count :]]
            else:
                self._changes.kept[agent.agent_id] = kept
                messages = restored(kept, list(zip(ids, stored, strict=True)), earlier)
            agent.messages = self._fix_broken_tool_use(messages)
        self._changes.pinned[agent.agent_id] = pinned(agent.messages)

    def _fix_broken_tool_use(self, messages: list[Any]) -> list[Any]:
        """Repair tool uses without results, as the SDK does, and give what it makes up ids that stay the same."""
        if not have_tools(messages):
            return messages
        before = {message.get("tracking_id") for message in messages}
        repaired = super()._fix_broken_tool_use(messages)
        for index, message in enumerate(repaired):
            if message.get("tracking_id") not in before:
                message["tracking_id"] = made_up_id(repaired[index - 1])
                self._changes.made_up.add(message["tracking_id"])
        return repaired
