"""Judging a repository or a storage: a backend whose manager is the SDK's own one over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..process import plain
from ..sdk import RepositorySessionManager, SessionManager, SnapshotSessionManager
from .backend import Backend
from .interface import Interface
from .operations import delete_session
from .workspace import Workspace


def under_sdk_manager(backend: Backend, open_part: Callable[[Workspace], Any], *, can_delete: bool = False) -> Backend:
    """Return a backend whose manager is the SDK's own one over a repository or a storage.

    Args:
        backend: What is known of it, its interface included.
        open_part: Opens the repository or the storage.
        can_delete: Whether the repository has ``delete_session``, which the SDK's own have and the contract has not.
    """
    open_part = plain(open_part)
    if backend.interface is Interface.STORAGE:

        def over_storage(session_id: str, workspace: Workspace) -> SessionManager[Any]:
            return SnapshotSessionManager(session_id, storage=open_part(workspace))

        def delete_snapshots(session_id: str, workspace: Workspace) -> None:
            delete_session(over_storage(session_id, workspace), session_id)

        return replace(backend, open=over_storage, storage=open_part, delete=delete_snapshots)

    def over_repository(session_id: str, workspace: Workspace) -> SessionManager[Any]:
        return RepositorySessionManager(session_id, open_part(workspace))

    def delete(session_id: str, workspace: Workspace) -> None:
        delete_session(open_part(workspace), session_id)

    return replace(backend, open=over_repository, repository=open_part, delete=delete if can_delete else None)
