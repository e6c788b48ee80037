"""Finding a backend by its importable name."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..process import Ended, Hang, wait_for, within_limit
from ..sdk import SessionManager
from ..services import NoService
from ._operations import operations, operations_of
from .backend import Backend, OpenManager
from .building import BackendError, Builder, services_asked_for
from .durability import Durability
from .factories import plain_factory
from .interface import Interface
from .sdk_manager import under_sdk_manager
from .workspace import Workspace

_PLACES = (
    (r"(path|dir|directory|folder|(^|_)file|(^|_)filename)$", "{workdir}/data"),
    (r"(^|_)(table|prefix|namespace|schema|collection|keyspace|database|db|bucket)(_name)?$", "{unique}"),
)
"""How arguments end that say where data is kept (and ``profile``, ``api_key`` and ``region_name`` do not), and what to
give them."""


@dataclass(frozen=True)
class BackendSpec:
    """A backend as a user names it; it can be sent to another process, which finds the same backend.

    Attributes:
        name: What reports and test ids call the backend.
        target: ``module:attribute``.
        arguments: Constructor arguments: texts with ``{placeholders}`` such as ``{workdir}``, and any other values,
            which only this process can give where they cannot be pickled.
        interface: Whether the target is a session manager, a session repository or a storage.
        durability: What the backend promises, where that is not what it says of itself.
    """

    name: str
    target: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    interface: Interface = Interface.MANAGER
    durability: Durability | None = None

    def resolve(self) -> Backend:
        """Return the backend.

        Raises:
            BackendError: The name cannot be imported, or is nothing a backend can be made of.
        """
        found = self._import()
        backend = self._made_of(found)
        return replace(backend, services=backend.services | services_asked_for(self.arguments, found))

    def _made_of(self, found: Any) -> Backend:
        if self.interface is not Interface.MANAGER:
            return self._part(found)
        if isinstance(found, Backend):
            if self.arguments:
                raise BackendError(
                    f"{self.target} is a Backend, which takes no arguments: got {', '.join(self.arguments)}"
                )
            return replace(found, spec=self)
        if isinstance(found, type) and issubclass(found, SessionManager):
            builder = self._builder(found)
            open_manager = builder.opener()
            return Backend(
                name=self.name,
                open=open_manager,
                on_s3=builder.on_s3,
                spec=self,
                **operations(builder, open_manager),
            )
        if isinstance(found, type) or not callable(found):
            kind = f"the class {found.__qualname__}" if isinstance(found, type) else f"a {type(found).__name__}"
            raise BackendError(
                f"{self.target} is {kind}, which is no session manager: expected a subclass of"
                " strands.session.SessionManager, a callable (session_id, workspace), or a Backend"
            )
        return Backend(name=self.name, open=self._checked_call(found), spec=self)

    def _part(self, found: Any) -> Backend:
        """Return a backend that keeps what the SDK's manager stores in a repository or a storage."""
        is_class = isinstance(found, type)
        if is_class and self.interface.is_met_by(found):
            if self.interface is Interface.REPOSITORY and issubclass(found, SessionManager):
                raise BackendError(
                    f"{self.target} is a session manager: give it as --session-manager, which judges its repository"
                    " API too"
                )
            open_part, in_process = self._part_opener(found)
        elif isinstance(found, Backend) or is_class or not callable(found):
            what = f"the class {found.__qualname__}" if is_class else f"a {type(found).__name__}"
            raise BackendError(
                f"{self.target} is {what}, which is no {self.interface.value}: expected {self.interface.expected},"
                " or a callable (workspace) that returns one"
            )
        else:
            open_part, in_process = self._checked_part(found), False
        return under_sdk_manager(
            Backend(
                name=self.name,
                open=_no_manager,
                on_s3=self._builder(found).on_s3 if is_class else False,
                in_process=in_process,
                interface=self.interface,
                spec=self,
            ),
            open_part,
            can_delete=is_class and callable(getattr(found, "delete_session", None)),
        )

    def _part_opener(self, part: type) -> tuple[Callable[[Workspace], Any], bool]:
        """Return what opens a repository or a storage, and whether each workspace has one, shared by all that open it.

        One that is given nothing of the workspace can only keep its data in memory: what opens it a second time finds
        the same object.
        """
        build, given_a_place = self._builder(part).builder(set())
        if given_a_place:
            return lambda workspace: build(None, workspace), False
        opened: dict[str, Any] = {}

        def open_part(workspace: Workspace) -> Any:
            place = str(workspace.folder)
            if place not in opened:
                opened[place] = build(None, workspace)
            return opened[place]

        return open_part, True

    def _checked_part(self, function: Callable[..., Any]) -> Callable[[Workspace], Any]:
        self._expect_takes(function, "(workspace)", None)
        opened_by = plain_factory(function)

        def open_part(workspace: Workspace) -> Any:
            part = wait_for(opened_by(workspace))
            if not self.interface.is_met_by(part):
                raise BackendError(
                    f"{self.target} returned a {type(part).__name__}: expected {self.interface.expected}"
                )
            return part

        return open_part

    @property
    def is_callable(self) -> bool:
        """Whether the target is a callable that opens managers: they are asked for what a class is looked through for.

        Raises:
            BackendError: The name cannot be imported.
        """
        return self.interface is Interface.MANAGER and not isinstance(self._import(), type | Backend)

    def at_defaults(self) -> dict[str, Any]:
        """Return the arguments that are left at their defaults, where the target is a class, and those defaults.

        Raises:
            BackendError: The name cannot be imported.
        """
        found = self._import()
        always = {"session_id"} if self.interface is Interface.MANAGER else set[str]()
        return self._builder(found).at_defaults(always) if isinstance(found, type) else {}

    def place_to_give(self) -> tuple[str, str] | None:
        """Return an argument that looks as if it said where data is kept, and a place for it of each workspace's own.

        Returns:
            Its name and a value with a placeholder; None where none that is left at its default looks like one.

        Raises:
            BackendError: The name cannot be imported.
        """
        for names, value in _PLACES:
            for argument in self.at_defaults():
                if re.search(names, argument):
                    return argument, value
        return None

    def takes(self, argument: str) -> bool:
        """Whether the backend is a class whose constructor takes an argument of this name.

        Raises:
            BackendError: The name cannot be imported.
        """
        found = self._import()
        return isinstance(found, type) and self._builder(found).takes(argument)

    def _builder(self, found: type) -> Builder:
        return Builder(self.target, found, self.arguments)

    def _import(self) -> Any:
        module_name, separator, attribute = self.target.partition(":")
        if not separator or not module_name or not attribute:
            raise BackendError(
                f"{self.target!r} is neither a configured name nor of the form module:attribute"
                " (example: mypkg.sessions:RedisSessionManager)"
            )
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            missing = error.name or module_name
            if module_name == missing or module_name.startswith(f"{missing}."):
                raise BackendError(
                    f"cannot import {module_name!r}: no module {missing!r} is on the path: install your project"
                    " (pip install -e .), or name its folder in pytest's configuration (pythonpath = ['src'])"
                ) from error
            raise BackendError(
                f"cannot import {module_name!r}: it needs {missing!r}, which is not installed"
            ) from error
        except (Exception, SystemExit) as error:
            raise BackendError(f"importing {module_name!r} raised {_one_line(error)}") from error
        found: Any = module
        for part in attribute.split("."):
            if not hasattr(found, part):
                near = [name for name in dir(found) if name.endswith("Manager") or name.isupper()]
                hint = f" (it has {', '.join(sorted(near)[:6])})" if near else ""
                raise BackendError(f"{module_name!r} has no attribute {attribute!r}{hint}")
            found = getattr(found, part)
        return found

    def _checked_call(self, function: Callable[..., Any]) -> OpenManager:
        self._expect_takes(function, "(session_id, workspace)", "session", None)
        opened_by = plain_factory(function)

        def open_manager(session_id: str, workspace: Workspace) -> SessionManager[Any]:
            manager = wait_for(opened_by(session_id, workspace))
            if not isinstance(manager, SessionManager):
                raise BackendError(
                    f"{self.target} returned a {type(manager).__name__}: expected a strands.session.SessionManager"
                )
            return manager

        return open_manager

    def _expect_takes(self, function: Callable[..., Any], form: str, *given: Any) -> None:
        if self.arguments:
            raise BackendError(
                f"{self.target} is a callable, which takes no arguments: got {', '.join(self.arguments)}"
            )
        try:
            inspect.signature(function).bind(*given)
        except TypeError as error:
            raise BackendError(f"{self.target} must take {form}: {error}") from error


def _no_manager(session_id: str, workspace: Workspace) -> SessionManager[Any]:
    raise NotImplementedError


def try_out(backend: Backend, workspace: Workspace, session_id: str = "try-out") -> Backend:
    """Build a backend once before any test runs, so that the run ends early if that fails.

    Args:
        backend: What was given.
        workspace: A fresh workspace.
        session_id: The session to open; some managers make it by that.

    Returns:
        The backend, and where a callable was given, what the manager that it has opened can do to whole sessions.

    Raises:
        BackendError: Building it raised, or gave something that does not implement its interface.
    """
    found: list[Any] = []
    try:
        within_limit(lambda: found.append(_opened(backend, workspace, session_id)), f"building {backend.name}")
    except BackendError:
        raise
    except Hang as error:
        if not found:  # else it is closing that does not end, which is for the requirements to say
            raise BackendError(f"{error}{error.where}") from error
    except NoService as error:  # it is the server that fails, not the backend
        raise BackendError(str(error)) from error
    except Exception as error:
        raised = error.__cause__ if isinstance(error, Ended) and error.__cause__ else error
        raise BackendError(f"building {backend.name} raised {_one_line(raised)}") from raised
    [opened] = found
    if not backend.interface.is_met_by(opened):
        raise BackendError(f"{backend.name} opened a {type(opened).__name__}: expected {backend.interface.expected}")
    asked = isinstance(backend.spec, BackendSpec) and backend.spec.is_callable
    return replace(backend, **operations_of(opened, backend.open)) if asked else backend


def _opened(backend: Backend, workspace: Workspace, session_id: str) -> Any:
    if backend.interface is Interface.MANAGER:
        return backend.open_manager(session_id, workspace)
    if backend.interface is Interface.REPOSITORY:
        return backend.repository_for(session_id, workspace)
    return backend.open_storage(workspace)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
