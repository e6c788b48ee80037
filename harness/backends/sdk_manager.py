"""Judging a repository or a storage: a backend whose manager is the SDK's own one over it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..process import blocking, closing, way_to_close, will_be_closed
from ..sdk import RepositorySessionManager, SessionManager, SnapshotSessionManager
from ._operations import delete_session
from .backend import Backend
from .interface import Interface
from .workspace import Workspace


def under_sdk_manager(backend: Backend, open_part: Callable[[Workspace], Any], *, can_delete: bool = False) -> Backend:
    """Return a backend whose manager is the SDK's own one over a repository or a storage.

    Args:
        backend: What is known of it, its interface included.
        open_part: Opens the repository or the storage.
        can_delete: Whether the repository has ``delete_session``, which the SDK's own have and the contract has not.
    """
    open_part = blocking(open_part)
    parts: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

    def over(manager: SessionManager[Any], part: Any) -> SessionManager[Any]:
        parts[manager] = part
        return manager

    def close(opened: Any) -> object:
        """Close a repository or storage, or that of a manager: the SDK's managers close nothing."""
        way = way_to_close(parts.get(opened, opened))
        return way() if way is not None else None

    @contextmanager
    def closed_after(opened: Any) -> Iterator[Any]:
        if not backend.in_process:
            will_be_closed(opened, lambda: close(opened))
        with closing(opened):
            yield opened

    if backend.interface is Interface.STORAGE:

        def over_storage(session_id: str, workspace: Workspace) -> SessionManager[Any]:
            part = open_part(workspace)
            return over(SnapshotSessionManager(session_id, storage=part), part)

        def delete_snapshots(session_id: str, workspace: Workspace) -> None:
            with closed_after(over_storage(session_id, workspace)) as manager:
                delete_session(manager, session_id)

        return replace(backend, open=over_storage, storage=open_part, delete=delete_snapshots, close=close)

    def over_repository(session_id: str, workspace: Workspace) -> SessionManager[Any]:
        part = open_part(workspace)
        return over(RepositorySessionManager(session_id, part), part)

    def delete(session_id: str, workspace: Workspace) -> None:
        with closed_after(open_part(workspace)) as part:
            delete_session(part, session_id)

    return replace(
        backend, open=over_repository, repository=open_part, delete=delete if can_delete else None, close=close
    )
