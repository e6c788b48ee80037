"""Operations: what a class can do to whole sessions, which the SDK's contract has no names for."""

from __future__ import annotations

import inspect
from typing import Any

from ..process import closing, wait_for, way_to_close, will_be_closed
from .backend import OpenManager
from .building import Builder
from .workspace import Workspace


def operations(builder: Builder, open_manager: OpenManager) -> dict[str, Any]:
    """Return what a manager's class can do, by the names of :class:`Backend`'s fields."""
    clean_up = builder.static("clean_up", {"older_than", "now"})
    listing = builder.static("list_sessions", set())
    repair = builder.static("repair", {"session_id"})
    found: dict[str, Any] = {}
    if callable(getattr(builder.found, "delete_session", None)):

        def delete(session_id: str, workspace: Workspace) -> None:
            manager = open_manager(session_id, workspace)
            will_be_closed(manager, way_to_close(manager))
            with closing(manager):
                delete_session(manager, session_id)

        found["delete"] = delete
    if clean_up is not None:
        found["clean_up"] = lambda older_than, workspace, now: clean_up(workspace, older_than=older_than, now=now)
    if listing is not None:
        found["list_sessions"] = listing
    if repair is not None:
        found["repair"] = lambda session_id, workspace: repair(workspace, session_id=session_id)
    return found


def delete_session(owner: Any, session_id: str) -> None:
    """Call ``delete_session`` as it is: with the session's id or without, and awaited where it is a coroutine."""
    kinds = {p.kind for p in inspect.signature(owner.delete_session).parameters.values()}
    takes_id = bool(kinds & {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD})
    wait_for(owner.delete_session(session_id) if takes_id else owner.delete_session())
