"""Operations: what a class can do to whole sessions, which the SDK's contract has no names for."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..process import closing, wait_for, way_to_close, will_be_closed
from .backend import OpenManager
from .building import Builder
from .workspace import Workspace


def operations(builder: Builder, open_manager: OpenManager) -> dict[str, Any]:
    """Return what a manager's class can do, by the names of :class:`Backend`'s fields.

    Static and class methods are called with what they take of the workspace; methods of an instance are those of a
    manager that is opened for it.
    """
    clean_up = builder.static("clean_up", {"older_than", "now"})
    listing = builder.static("list_sessions", set())
    repair = builder.static("repair", {"session_id"})
    found = _of_instances(builder.found, open_manager)
    if clean_up is not None:
        found["clean_up"] = lambda older_than, workspace, now: clean_up(workspace, older_than=older_than, now=now)
    if listing is not None:
        found["list_sessions"] = listing
    if repair is not None:
        found["repair"] = lambda session_id, workspace: repair(workspace, session_id=session_id)
    return found


_CARETAKER = "session-conformance-caretaker"
"""The session that a manager is opened for where it is asked for something about all of them."""


def operations_of(manager: Any, open_manager: OpenManager) -> dict[str, Any]:
    """Return what a manager can do that a callable has opened, by the names of :class:`Backend`'s fields.

    It is asked for methods, static or not, that need nothing but what :class:`Backend` says that they are given.
    """
    return _operations(manager, open_manager, ())


def _of_instances(made: type, open_manager: OpenManager) -> dict[str, Any]:
    return _operations(made, open_manager, (None,))


def _operations(owner: Any, open_manager: OpenManager, itself: tuple[None, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if callable(getattr(owner, "delete_session", None)):
        found["delete"] = lambda session_id, workspace: _delete(open_manager(session_id, workspace), session_id)
    if _takes(owner, "clean_up", *itself, older_than=None, now=None):

        def clean_up(older_than: Any, workspace: Workspace, now: Any) -> object:
            with _opened(open_manager, _CARETAKER, workspace) as caretaker:
                return wait_for(caretaker.clean_up(older_than=older_than, now=now))

        found["clean_up"] = clean_up
    if _takes(owner, "list_sessions", *itself):

        def list_sessions(workspace: Workspace) -> list[Any]:
            with _opened(open_manager, _CARETAKER, workspace) as caretaker:
                listed = list(wait_for(caretaker.list_sessions()))
            return [one for one in listed if getattr(one, "session_id", one) != _CARETAKER]  # some make what they open

        found["list_sessions"] = list_sessions
    if _takes(owner, "repair", *itself, session_id=None):

        def repair(session_id: str, workspace: Workspace) -> object:
            with _opened(open_manager, _CARETAKER, workspace) as caretaker:
                return wait_for(caretaker.repair(session_id=session_id))

        found["repair"] = repair
    return found


def _takes(owner: Any, name: str, *itself: None, **given: Any) -> bool:
    """Whether a method can be called with what is given, and with the instance where the owner is a class."""
    method = getattr(owner, name, None)
    if not callable(method) or (itself and not inspect.isfunction(inspect.getattr_static(owner, name))):
        return False
    try:
        inspect.signature(method).bind(*itself, **given)
    except (TypeError, ValueError):
        return False
    return True


@contextmanager
def _opened(open_manager: OpenManager, session_id: str, workspace: Workspace) -> Iterator[Any]:
    manager = open_manager(session_id, workspace)
    will_be_closed(manager, way_to_close(manager))
    with closing(manager):
        yield manager


def _delete(manager: Any, session_id: str) -> None:
    will_be_closed(manager, way_to_close(manager))
    with closing(manager):
        delete_session(manager, session_id)


def delete_session(owner: Any, session_id: str) -> None:
    """Call ``delete_session`` as it is: with the session's id or without, and awaited where it is a coroutine."""
    kinds = {p.kind for p in inspect.signature(owner.delete_session).parameters.values()}
    takes_id = bool(kinds & {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD})
    wait_for(owner.delete_session(session_id) if takes_id else owner.delete_session())
