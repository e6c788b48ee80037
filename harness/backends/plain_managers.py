"""Plain managers: the SDK's own over plain stores, without what one that is built on them may have mended or chosen."""

from __future__ import annotations

from typing import Any

from ..sdk import (
    HookOrder,
    HookRegistry,
    MessageUpdatedEvent,
    RepositorySessionManager,
    SessionManager,
    SnapshotSessionManager,
)
from .plain_stores import PlainRepository, PlainStorage
from .workspace import Workspace


class MendedRepositoryManager(RepositorySessionManager):
    """The SDK's manager, but messages are stored before hooks are told of them, and what replaces one is stored.

    What it restores is what the SDK's restores. That manager leaves no message stored that it has not told hooks of,
    and so never comes to restore what one that has mended this does.

    Args:
        session_id: The session.
        storage_dir: The folder to keep the database in.
    """

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, PlainRepository(storage_dir))

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        """Register what stores a message ahead of all that is told of it."""
        super().register_hooks(_Early(registry), **kwargs)  # type: ignore[arg-type]
        if MessageUpdatedEvent is not None:
            registry.add_callback(MessageUpdatedEvent, self._update, order=HookOrder.SDK_FIRST)

    def _update(self, event: Any) -> None:
        for stored in self.session_repository.list_messages(self.session_id, event.agent.agent_id):
            if stored.message.get("tracking_id") == event.tracking_id:
                stored.message = event.message
                self.session_repository.update_message(self.session_id, event.agent.agent_id, stored)


class _Early:
    """A registry whose callbacks are called ahead of users'."""

    def __init__(self, registry: HookRegistry) -> None:
        self._registry = registry

    def add_callback(self, event_type: Any, callback: Any, order: int = HookOrder.SDK_FIRST) -> None:
        self._registry.add_callback(event_type, callback, order=order)


def snapshots_of_each_message(session_id: str, workspace: Workspace) -> SessionManager[Any]:
    """Open the SDK's manager of snapshots as it keeps most: over a plain storage, saving at each message."""
    storage: Any = PlainStorage(str(workspace.folder))  # which has no search: nothing of this asks for it
    return SnapshotSessionManager(session_id, storage=storage, save_latest_on="message")
