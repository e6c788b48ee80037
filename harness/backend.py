"""Backends: a session manager plus how to open it and where it keeps its data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .capability import Capability
from .sdk import SessionManager
from .workspace import Workspace

if TYPE_CHECKING:
    from .backend_spec import BackendSpec

OpenManager = Callable[[str, Workspace], "SessionManager[Any]"]


@dataclass(frozen=True)
class Backend:
    """How the harness opens a session manager, for those who want full control.

    Give one as ``--session-manager=mypkg:BACKEND``::

        BACKEND = Backend(name="redis", open=lambda session_id, workspace: RedisSessionManager(session_id, client))

    Attributes:
        name: What reports and test ids call it: letters, digits, ``-``, ``_`` and ``.``.
        open: Builds a manager for a session id in a workspace. Called again for every reader and every new process,
            it must share nothing with earlier calls but what lies in the workspace, or in the service behind it.
        capabilities: What the backend can do; None to have it detected.
        spec: The importable name the backend was found by, or None where another process cannot find it. Set by
            the harness.
    """

    name: str
    open: OpenManager
    capabilities: frozenset[Capability] | None = None
    spec: BackendSpec | None = None
