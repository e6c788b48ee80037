"""Backends: a session manager plus how to open it and where it keeps its data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from .capability import Capability
from .sdk import SessionManager
from .workspace import Workspace

if TYPE_CHECKING:
    from .backend_spec import BackendSpec

OpenManager = Callable[[str, Workspace], "SessionManager[Any]"]


class ListedSession(Protocol):
    """What a listing says of a session."""

    @property
    def session_id(self) -> str:
        """The session's id."""

    @property
    def updated_at(self) -> datetime:
        """When it was written last, with a time zone."""


class CleanUp(Protocol):
    """Removes sessions by age."""

    def __call__(self, older_than: timedelta, workspace: Workspace, now: datetime) -> object:
        """Remove the sessions of a workspace that were not written for ``older_than``, as seen at ``now``."""


@dataclass(frozen=True)
class Backend:
    """How the harness opens a session manager, for those who want full control.

    The SDK's contract has no names for what is done to whole sessions, so a class is looked through for
    ``delete_session``, as the SDK's managers have it (with the session's id or without, a coroutine or not), and for
    the static methods ``clean_up(older_than, now)``, ``list_sessions()`` and ``repair(session_id)``, each with the
    constructor arguments that it takes besides.

    Give one as ``--session-manager=mypkg:BACKEND``::

        BACKEND = Backend(name="redis", open=lambda session_id, workspace: RedisSessionManager(session_id, client))

    Attributes:
        name: What reports and test ids call it: letters, digits, ``-``, ``_`` and ``.``.
        open: Builds a manager for a session id in a workspace. Called again for every reader and every new process,
            it must share nothing with earlier calls but what lies in the workspace, or in the service behind it.
        capabilities: What the backend can do; None to have it detected.
        delete: Deletes a session; given its id and the workspace.
        clean_up: Removes sessions by age.
        list_sessions: Lists the sessions of a workspace.
        repair: Brings back what can be of a damaged session; given its id and the workspace.
        on_s3: Whether it is to be given a bucket: ``workspace.values["bucket"]``.
        spec: The importable name the backend was found by, or None where another process cannot find it. Set by
            the harness.
    """

    name: str
    open: OpenManager
    capabilities: frozenset[Capability] | None = None
    delete: Callable[[str, Workspace], object] | None = None
    clean_up: CleanUp | None = None
    list_sessions: Callable[[Workspace], Iterable[ListedSession]] | None = None
    repair: Callable[[str, Workspace], object] | None = None
    on_s3: bool = False
    spec: BackendSpec | None = None
