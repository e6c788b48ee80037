"""Hooks: what agents tell of is durable before anybody else hears of it, and the event loop is not held up."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from strands.hooks import (
    AfterInvocationEvent,
    AfterMultiAgentInvocationEvent,
    AfterNodeCallEvent,
    BeforeInvocationEvent,
    HookOrder,
    HookRegistry,
    MultiAgentInitializedEvent,
)
from strands.session import RepositorySessionManager

from .agent_changes import AgentChanges
from .collecting import Collected, collecting
from .message_index import is_pending
from .sdk import INITIALIZED, MESSAGE_ADDED, MESSAGE_UPDATED, RESTARTING, VOICE_STOPPED, VoiceMethods
from .session_store import SessionStore
from .threads import end_if_cancelled, off_loop
from .waiting_line import Ticket


class StoringHooks(VoiceMethods, RepositorySessionManager):
    """Stores what agents and teams tell of, from worker threads, while the task that tells of it waits."""

    _placeholders_wait = False
    """Whether the placeholder of a stream, which has no content, is stored only with the change that follows it."""

    _changes: AgentChanges
    _teams: dict[str, dict[str, Any]]

    @property
    def _store(self) -> SessionStore:
        raise NotImplementedError

    def _stored(self, session_id: str) -> SessionStore:
        raise NotImplementedError

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        """Register for everything that changes an agent, ahead of any user's hook."""
        first, last = HookOrder.SDK_FIRST, HookOrder.SDK_LAST
        registry.add_callback(INITIALIZED, lambda event: self.initialize(event.agent), order=first)
        registry.add_callback(BeforeInvocationEvent, self._if_agent_changed, order=first)
        registry.add_callback(MESSAGE_ADDED, self._message_added, order=first)
        if MESSAGE_UPDATED:
            registry.add_callback(MESSAGE_UPDATED, self._message_updated, order=first)
        registry.add_callback(RESTARTING, self._agent_changed, order=first)
        # First, so that hooks find everything stored; last, since they may change the agent's state.
        registry.add_callback([*VOICE_STOPPED, AfterInvocationEvent], self._agent_changed, order=first)
        registry.add_callback(VOICE_STOPPED, self._agent_stopped, order=last)
        registry.add_callback(AfterInvocationEvent, self._agent_ended, order=last)

        registry.add_callback(
            MultiAgentInitializedEvent, lambda event: self.initialize_multi_agent(event.source), order=first
        )
        after = [AfterNodeCallEvent, AfterMultiAgentInvocationEvent]
        registry.add_callback(after, self._multi_agent_changed, order=first)
        registry.add_callback(AfterNodeCallEvent, self._if_multi_agent_changed, order=last)
        registry.add_callback(AfterMultiAgentInvocationEvent, self._multi_agent_ended, order=last)

    async def _message_added(self, event: Any) -> None:
        self._changes.note_told(event.message, event.agent)

        def store(collected: Collected) -> None:
            collected.told_of = event.message["tracking_id"]
            self.append_message(event.message, event.agent)
            collected.only_record = True
            self.sync_agent(event.agent)

        if self._placeholders_wait and is_pending(event.message):  # it says nothing yet: it is stored with what follows
            with collecting(Collected(self)) as collected:
                self.append_message(event.message, event.agent)
            self._submit(collected)
        else:
            await self._store_together(store)

    async def _message_updated(self, event: Any) -> None:
        self._changes.note_told(event.message, event.agent)

        def store(collected: Collected) -> None:
            collected.told_of, collected.replaces = event.message["tracking_id"], True
            self.append_message(event.message, event.agent)
            collected.only_record = True
            self.sync_agent(event.agent)

        await self._store_together(store)

    async def _agent_changed(self, event: Any) -> None:
        await self._store_together(lambda _: self.sync_agent(event.agent))

    async def _if_agent_changed(self, event: Any) -> None:
        """Store what changed since without an event: an application's edits, those of other hooks."""
        if self._store.has_unwritten() or self._changes.differ(event.agent):
            await self._agent_changed(event)

    async def _agent_ended(self, event: Any) -> None:
        try:
            await self._if_agent_changed(event)
        finally:
            await end_if_cancelled()

    async def _agent_stopped(self, event: Any) -> None:
        try:
            await self._if_agent_changed(event)
            await off_loop(self._store.rest)
        finally:
            await end_if_cancelled()

    async def _multi_agent_changed(self, event: Any) -> None:
        self._teams[event.source.id] = copy.deepcopy(event.source.serialize_state())
        await self._store_together(lambda _: self.sync_multi_agent(event.source))

    async def _if_multi_agent_changed(self, event: Any) -> None:
        if self._teams.get(event.source.id) != event.source.serialize_state():
            await self._multi_agent_changed(event)

    async def _multi_agent_ended(self, event: Any) -> None:
        try:
            await self._if_multi_agent_changed(event)
        finally:
            await end_if_cancelled()

    async def _store_together(self, call: Callable[[Collected], None]) -> None:
        """Make durable at once what a call stores, also where it raises; the event loop is not held up meanwhile."""
        collected = Collected(self)
        try:
            with collecting(collected):
                call(collected)
        finally:
            await self._persist(collected)

    async def _persist(self, collected: Collected) -> None:
        """Commit what was collected, in the order of calls; return when it is durable."""
        tickets = self._submit(collected)
        if not tickets and self._store.has_unwritten():
            tickets = [(self._store, self._store.submit([]))]
        for store, ticket in tickets:
            await off_loop(store.drain, ticket)

    def _submit(self, collected: Collected) -> list[tuple[SessionStore, Ticket]]:
        """Put what was collected in line."""
        stores = ((self._stored(session_id), changes) for session_id, changes in collected.changes.items())
        return [(store, store.submit(changes)) for store, changes in stores]
