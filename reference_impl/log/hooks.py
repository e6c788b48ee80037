"""Hooks: what agents tell of is durable before anybody else hears of it, and the event loop is not held up."""

from __future__ import annotations

import copy
from typing import Any

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
from strands.session import RepositorySessionManager

from .agent_changes import AgentChanges
from .codec import UnstorableError
from .history import Change, multi_agent_set
from .message_index import is_pending
from .session_store import SessionStore
from .threads import off_loop


class StoringHooks(RepositorySessionManager):
    """Stores what agents and teams tell of, from worker threads, while the task that tells of it waits."""

    _placeholders_wait = False
    """Whether the placeholder of a stream, which has no content, is stored only with the change that follows it."""

    _changes: AgentChanges

    @property
    def _store(self) -> SessionStore:
        raise NotImplementedError

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
        addition = self._changes.addition(event.message, event.agent)
        if self._placeholders_wait and is_pending(event.message):
            self._store.submit([addition])  # it says nothing yet: it is stored with what comes next
        else:
            await self._persist(event.agent, addition)

    async def _message_updated(self, event: MessageUpdatedEvent[Any]) -> None:
        await self._persist(event.agent, self._changes.replacement(event.message, event.agent))

    async def _agent_changed(self, event: Any) -> None:
        await self._persist(event.agent, *self._changes.left_over(event.agent))

    async def _agent_stopped(self, event: Any) -> None:
        await self._agent_changed(event)
        await off_loop(self._store.rest)

    async def _multi_agent_changed(self, event: Any) -> None:
        state = event.source.serialize_state()
        ticket = self._store.submit([multi_agent_set(event.source.id, copy.deepcopy(state))])
        await off_loop(self._store.drain, ticket)

    async def _persist(self, agent: Any, *changes: Change) -> None:
        """Commit changes, and the agent's record if it changed, in the order of calls; return when they are durable."""
        changes = (*changes, *self._changes.record(agent))
        if not changes and not self._store.has_unwritten():
            return
        ticket = self._store.submit(changes)
        try:
            await off_loop(self._store.drain, ticket)
        except UnstorableError:
            refused = [change["message"] for change in ticket.refused if "message" in change]
            self._changes.not_to_store |= {message.get("tracking_id") for message in refused}
            raise
