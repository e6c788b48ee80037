"""Backends: a session manager plus how to open it and where it keeps its data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from ..process import blocking, way_to_close, will_be_closed
from ..sdk import SessionManager, SessionRepository, Storage
from .capability import Capability
from .durability import Durability
from .factories import Lifespan, plain_factory
from .interface import Interface
from .workspace import Workspace

T = TypeVar("T")

OpenManager = Callable[[str, Workspace], "SessionManager[Any]"]
OpenRepository = Callable[[Workspace], SessionRepository]
OpenStorage = Callable[[Workspace], Storage]


class ListedSession(Protocol):
    """What a listing says of a session."""

    @property
    def session_id(self) -> str:
        """The session's id."""

    @property
    def updated_at(self) -> datetime:
        """When it was written last, with a time zone."""


class Findable(Protocol):
    """The importable name of a backend: picklable, so that another process can find the same backend."""

    @property
    def name(self) -> str:
        """What reports and test ids call the backend."""

    @property
    def target(self) -> str:
        """``module:attribute``."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Constructor arguments, with ``{placeholders}``."""

    @property
    def interface(self) -> Interface:
        """The interface of the SDK that the target implements."""

    def resolve(self) -> Backend:
        """Return the backend."""


class CleanUp(Protocol):
    """Removes sessions by age."""

    def __call__(self, older_than: timedelta, workspace: Workspace, now: datetime) -> object:
        """Remove the sessions of a workspace that were not written for ``older_than``, as seen at ``now``."""


@dataclass(frozen=True)
class Backend:
    """How the harness opens your session manager, where you want full control.

    The SDK's contract has no names for what is done to whole sessions. So the harness looks in a class for
    ``delete_session``, as the SDK's managers have it (with the session's id or without, a coroutine or not), and for
    the methods ``clean_up(older_than, now)``, ``list_sessions()`` and ``repair(session_id)``, static ones with the
    constructor arguments that it needs.

    Give one as ``--session-manager=mypkg:BACKEND``::

        BACKEND = Backend(name="redis", open=lambda session_id, workspace: RedisSessionManager(session_id, client))

    ``open``, ``repository`` and ``storage`` may be generator functions, as pytest's fixtures may: they yield what they
    open, and what follows the ``yield`` closes it.

    Each function may be a coroutine function. The harness runs each call to its end in a loop of its own, so what it
    returns must not belong to that loop: a manager connects when it is first used, as it has to anyway where the SDK
    opens it without a loop.

    Attributes:
        name: What reports and test ids call it: letters, digits, ``-``, ``_`` and ``.``.
        open: Builds a manager for a session id in a workspace. The harness calls it again for every reader and every
            new process: two calls may share only what lies in the workspace, or in the service behind it.
        capabilities: What the backend can do; None to have it detected.
        delete: Deletes a session; given its id and the workspace.
        clean_up: Removes sessions by age.
        close: Closes what was opened, or returns what does so when it is awaited; given the manager, or what
            ``repository`` or ``storage`` has opened. By default that is its ``close()`` or ``aclose()``, or what leaves
            it as a context manager, where it has one of them.
        list_sessions: Lists the sessions of a workspace.
        repair: Brings back as much as possible of a damaged session; given its id and the workspace.
        on_s3: Whether each workspace has a bucket for it: ``workspace.values["bucket"]``.
        services: The servers on which each workspace has a place for it from the beginning: ``postgres``, ``mysql``,
            ``redis``, ``valkey``, ``mongodb``, ``dynamodb``. What its arguments or its class's constructor name, such
            as ``{postgres_url}``, is found without it, and so is what it asks a workspace for.
        repository: Opens the session repository in which the managers keep their data, if the repository can be opened
            without a manager. A manager that is a ``SessionRepository``, or has one as ``session_repository``, needs
            none.
        storage: Opens the storage that the managers keep their data in.
        lifespan: Returns a context manager, also an asynchronous one, that each process enters once before it opens
            the first manager, and leaves at the end of the run: to create a database and drop it, say, or to share a
            pool of connections. An asynchronous one has an event loop of its own.
        in_process: Whether it keeps its data in the memory of this process, where no other process finds it.
        durability: What it promises to have stored when its process is killed.
        interface: The SDK's interface that the user's class implements; set by the harness.
        spec: The importable name the backend was found by, or None where another process cannot find it. Set by
            the harness.
    """

    name: str
    open: OpenManager
    capabilities: frozenset[Capability] | None = None
    delete: Callable[[str, Workspace], object] | None = None
    clean_up: CleanUp | None = None
    close: Callable[[Any], object] | None = None
    list_sessions: Callable[[Workspace], Iterable[ListedSession]] | None = None
    repair: Callable[[str, Workspace], object] | None = None
    on_s3: bool = False
    services: frozenset[str] = frozenset()
    repository: OpenRepository | None = None
    storage: OpenStorage | None = None
    lifespan: Lifespan | None = None
    in_process: bool = False
    durability: Durability = Durability.MESSAGE
    interface: Interface = Interface.MANAGER
    spec: Findable | None = None

    def __post_init__(self) -> None:
        for name in ("open", "delete", "clean_up", "list_sessions", "repair", "repository", "storage"):
            function = getattr(self, name)
            if function is not None:
                plain = plain_factory if name in ("open", "repository", "storage") else blocking
                object.__setattr__(self, name, plain(function))

    def open_manager(self, session_id: str, workspace: Workspace) -> SessionManager[Any]:
        """Open a manager that is closed when its loop, its thread or its requirement is done, whichever is first.

        Raises:
            Exception: What opening it raised.
        """
        return self._noted(self.open(session_id, workspace))

    def open_storage(self, workspace: Workspace) -> Storage:
        """Open the storage, and have it closed.

        Raises:
            Exception: What opening it raised.
        """
        assert self.storage is not None
        return self._noted(self.storage(workspace))

    def _noted(self, opened: T) -> T:
        if not self.in_process:  # what all workspaces share lives on
            close = self.close
            will_be_closed(opened, (lambda: close(opened)) if close is not None else way_to_close(opened))
        return opened

    def repository_for(self, session_id: str, workspace: Workspace) -> SessionRepository | None:
        """Open the session repository, or return None where there is none.

        Args:
            session_id: The session that a manager is opened for, where the manager is what has the repository.
            workspace: Where its data lies.
        """
        if self.repository is not None:
            return self._noted(self.repository(workspace))
        return repository_of(self.open_manager(session_id, workspace)) if self.interface is Interface.MANAGER else None


def repository_of(manager: SessionManager[Any]) -> SessionRepository | None:
    """Return the session repository that a manager is, or has as ``session_repository``, or None."""
    found = manager if isinstance(manager, SessionRepository) else getattr(manager, "session_repository", None)
    return found if isinstance(found, SessionRepository) else None
