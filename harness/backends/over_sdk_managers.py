"""Finding a backend by its importable name, and building its managers from what their signature asks for."""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..process import clock
from ..sdk import (
    LocalFileStorage,
    RepositorySessionManager,
    SessionManager,
    SessionRepository,
    SnapshotSessionManager,
    Storage,
)
from .backend import Backend, OpenManager
from .interface import Kind
from .workspace import Workspace


class BackendError(Exception):
    """A backend that cannot be found or built. The text is one line that says what to do."""


@dataclass(frozen=True)
class BackendSpec:
    """A backend as a user names it; it can be sent to another process, which finds the same backend.

    Attributes:
        name: What reports and test ids call the backend.
        target: ``module:attribute``.
        arguments: Constructor arguments, with ``{placeholders}`` such as ``{workdir}``.
        kind: Whether the target is a session manager, a session repository or a storage.
    """

    name: str
    target: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    kind: Kind = Kind.MANAGER

    def resolve(self) -> Backend:
        """Return the backend.

        Raises:
            BackendError: The name cannot be imported, or is nothing a backend can be made of.
        """
        found = self._import()
        if self.kind is not Kind.MANAGER:
            return self._part(found)
        if isinstance(found, Backend):
            if self.arguments:
                raise BackendError(
                    f"{self.target} is a Backend, which takes no arguments: got {', '.join(self.arguments)}"
                )
            return replace(found, spec=self)
        if isinstance(found, type) and issubclass(found, SessionManager):
            open_manager = self._opener(found)
            operations = self._operations(found, open_manager)
            return Backend(name=self.name, open=open_manager, on_s3=self._on_s3(found), spec=self, **operations)
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
        if is_class and is_of(found, self.kind):
            if self.kind is Kind.REPOSITORY and issubclass(found, SessionManager):
                raise BackendError(
                    f"{self.target} is a session manager: give it as --session-manager, which judges its repository"
                    " API too"
                )
            open_part, in_process = self._part_opener(found)
        elif isinstance(found, Backend) or is_class or not callable(found):
            what = f"the class {found.__qualname__}" if is_class else f"a {type(found).__name__}"
            raise BackendError(
                f"{self.target} is {what}, which is no {self.kind.value}: expected {EXPECTED[self.kind]}, or a callable"
                " (workspace) that returns one"
            )
        else:
            open_part, in_process = self._checked_part(found), False
        return wrapped(
            Backend(
                name=self.name,
                open=_no_manager,
                on_s3=self._on_s3(found) if is_class else False,
                in_process=in_process,
                kind=self.kind,
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
        build, given_a_place = self._builder(part, set())
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

        def open_part(workspace: Workspace) -> Any:
            part = function(workspace)
            if not is_of(part, self.kind):
                raise BackendError(f"{self.target} returned a {type(part).__name__}: expected {EXPECTED[self.kind]}")
            return part

        return open_part

    def _on_s3(self, manager: type) -> bool:
        asked_for = any("{bucket}" in text for text in self.arguments.values())
        return asked_for or ("bucket" in inspect.signature(manager).parameters and "bucket" not in self.arguments)

    def takes(self, argument: str) -> bool:
        """Whether the backend is a class whose constructor takes an argument of this name.

        Raises:
            BackendError: The name cannot be imported.
        """
        found = self._import()
        if not isinstance(found, type):
            return False
        parameters = inspect.signature(found).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        return argument in parameters or (takes_any and not _ignores_extra_arguments(found))

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
                raise BackendError(f"cannot import {module_name!r}: no module {missing!r} is on the path") from error
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

    def _opener(self, manager: type[SessionManager[Any]]) -> OpenManager:
        if "session_id" not in _named(manager):
            raise BackendError(f"{self.target} takes no session_id: expected a constructor (session_id, ...)")
        build, _ = self._builder(manager, {"session_id"})
        return build

    def _builder(self, found: type, always: set[str]) -> tuple[Callable[[str | None, Workspace], Any], bool]:
        """Return what builds objects of a class, and whether they are given a place of the workspace.

        Args:
            found: The class.
            always: The constructor's parameters that are given at each call: ``session_id`` or none.

        Raises:
            BackendError: The class takes an argument less, or needs one more.
        """
        named, hints = _named(found), _type_hints(found)
        for name in self.arguments:
            if not self.takes(name):
                known = ", ".join(n for n in named if n not in always) or "no other"
                raise BackendError(f"{self.target} takes no argument {name!r} (it takes {known})")
        on_s3 = self._on_s3(found)
        provided = {name for name, p in named.items() if name not in always and _provides(p, hints.get(name), on_s3)}
        provided -= set(self.arguments)
        missing = [
            name
            for name, p in named.items()
            if p.default is p.empty and name not in {*always, *provided, *self.arguments}
        ]
        if missing:
            form = "(session_id, workspace)" if always else "(workspace)"
            raise BackendError(
                f"{self.target} needs {', '.join(missing)}, which the workspace does not have: give"
                f" --session-manager-arg '{missing[0]}=...', or a callable {form}"
            )

        def build(session_id: str | None, workspace: Workspace) -> Any:
            given: dict[str, Any] = {name: _provide(name, workspace) for name in provided}
            if on_s3 and "prefix" in named and workspace.values["prefix"]:
                given["prefix"] = workspace.values["prefix"]
            for name, text in self.arguments.items():
                given[name] = _typed(_fill(text, workspace.placeholders(session_id)), hints.get(name))
            if always:
                given["session_id"] = session_id
            return found(**given)

        placed = any(_PLACEHOLDER.search(text) for text in self.arguments.values())
        return build, bool(provided) or on_s3 or placed

    def _operations(self, manager: type[SessionManager[Any]], open_manager: OpenManager) -> dict[str, Any]:
        """Return what the class can do to whole sessions: see :class:`Backend`."""
        clean_up = self._static(manager, "clean_up", {"older_than", "now"})
        listing = self._static(manager, "list_sessions", set())
        repair = self._static(manager, "repair", {"session_id"})
        found: dict[str, Any] = {}
        if callable(getattr(manager, "delete_session", None)):

            def delete(session_id: str, workspace: Workspace) -> None:
                opened: Any = open_manager(session_id, workspace)
                _delete(opened, session_id)

            found["delete"] = delete
        if clean_up is not None:
            found["clean_up"] = lambda older_than, workspace, now: clean_up(workspace, older_than=older_than, now=now)
        if listing is not None:
            found["list_sessions"] = listing
        if repair is not None:
            found["repair"] = lambda session_id, workspace: repair(workspace, session_id=session_id)
        return found

    def _static(self, manager: type, name: str, given: set[str]) -> Callable[..., Any] | None:
        """Return a static or class method that needs no more than what is given and what the workspace has."""
        if not isinstance(inspect.getattr_static(manager, name, None), staticmethod | classmethod):
            return None
        function = getattr(manager, name)
        parameters = inspect.signature(function).parameters
        hints = _type_hints_of(function)
        provided = {name for name, p in parameters.items() if _provides(p, hints.get(name), self._on_s3(manager))}
        needed = {name for name, p in parameters.items() if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
        if not given <= set(parameters) or needed - given - provided - set(self.arguments):
            return None

        def call(workspace: Workspace, **values: Any) -> Any:
            values |= {name: _provide(name, workspace) for name in provided}
            for argument, text in self.arguments.items():
                if argument in parameters:
                    filled = _fill(text, workspace.placeholders(str(values.get("session_id", ""))))
                    values[argument] = _typed(filled, hints.get(argument))
            return function(**values)

        return call

    def _checked_call(self, function: Callable[..., Any]) -> OpenManager:
        self._expect_takes(function, "(session_id, workspace)", "session", None)

        def open_manager(session_id: str, workspace: Workspace) -> SessionManager[Any]:
            manager = function(session_id, workspace)
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


EXPECTED: dict[Kind, str] = {
    Kind.MANAGER: "a strands.session.SessionManager",
    Kind.REPOSITORY: "a strands.session.SessionRepository",
    Kind.STORAGE: "a strands.storage.Storage (write, read, delete and list)",
}


def is_of(found: Any, kind: Kind) -> bool:
    """Whether an object, or a class, is what is given as a kind. A storage need not have ``search``."""
    if kind is Kind.STORAGE:
        return all(callable(getattr(found, name, None)) for name in ("write", "read", "delete", "list"))
    base: type = SessionManager if kind is Kind.MANAGER else SessionRepository
    return issubclass(found, base) if isinstance(found, type) else isinstance(found, base)


def wrapped(backend: Backend, open_part: Callable[[Workspace], Any], *, can_delete: bool = False) -> Backend:
    """Return a backend whose manager is the SDK's own one over a repository or a storage.

    Args:
        backend: What is known of it, its kind included.
        open_part: Opens the repository or the storage.
        can_delete: Whether the repository has ``delete_session``, which the SDK's own have and the contract has not.
    """
    if backend.kind is Kind.STORAGE:

        def over_storage(session_id: str, workspace: Workspace) -> SessionManager[Any]:
            return SnapshotSessionManager(session_id, storage=open_part(workspace))

        def delete_snapshots(session_id: str, workspace: Workspace) -> None:
            _delete(over_storage(session_id, workspace), session_id)

        return replace(backend, open=over_storage, storage=open_part, delete=delete_snapshots)

    def over_repository(session_id: str, workspace: Workspace) -> SessionManager[Any]:
        return RepositorySessionManager(session_id, open_part(workspace))

    def delete(session_id: str, workspace: Workspace) -> None:
        _delete(open_part(workspace), session_id)

    return replace(backend, open=over_repository, repository=open_part, delete=delete if can_delete else None)


def _no_manager(session_id: str, workspace: Workspace) -> SessionManager[Any]:
    raise NotImplementedError


def _delete(manager: Any, session_id: str) -> None:
    """Call ``delete_session`` as it is: with the session's id or without, and awaited where it is a coroutine."""
    kinds = {p.kind for p in inspect.signature(manager.delete_session).parameters.values()}
    takes_id = bool(kinds & {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD})
    deleted = manager.delete_session(session_id) if takes_id else manager.delete_session()
    if inspect.isawaitable(deleted):

        async def finish() -> None:
            await deleted

        clock.run(finish())


def try_out(backend: Backend, workspace: Workspace) -> None:
    """Build what was given once, so that a backend that cannot be built is found before any test.

    Raises:
        BackendError: Building it raised, or gave something of another kind.
    """
    opened: Any
    try:
        if backend.kind is Kind.MANAGER:
            opened = backend.open("try-out", workspace)
        else:
            part: Any = backend.repository if backend.kind is Kind.REPOSITORY else backend.storage
            opened = part(workspace)
    except BackendError:
        raise
    except (Exception, SystemExit) as error:
        raise BackendError(f"building {backend.name} raised {_one_line(error)}") from error
    if not is_of(opened, backend.kind):
        raise BackendError(f"{backend.name} opened a {type(opened).__name__}: expected {EXPECTED[backend.kind]}")


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _named(found: type) -> dict[str, inspect.Parameter]:
    """Return the parameters of a class's constructor that are given by name."""
    parameters = inspect.signature(found).parameters
    return {name: p for name, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


def _type_hints(manager: type) -> dict[str, Any]:
    return _type_hints_of(manager.__init__)  # type: ignore[misc]


def _type_hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception:  # a forward reference that only type checkers resolve
        return {}


def _ignores_extra_arguments(manager: type) -> bool:
    """Whether a constructor takes ``**kwargs`` "for future extensibility" only: they would swallow a misspelt name."""
    return manager.__module__.startswith(("strands.", "session_conformance."))


_PLACEHOLDER = re.compile(r"\{(\w+)\}")

OF_S3 = ("bucket", "prefix", "endpoint_url", "region_name")
"""What a workspace has for backends that keep their data in S3."""


def _provides(parameter: inspect.Parameter, hint: Any, on_s3: bool) -> bool:
    name = parameter.name
    if on_s3 and name in OF_S3:
        return name == "bucket" or parameter.default is parameter.empty
    return name in ("storage_dir", "base_dir") or (name == "storage" and Storage in (hint, *typing.get_args(hint)))


def _provide(name: str, workspace: Workspace) -> Any:
    if name in OF_S3:
        return workspace.values[name]
    return LocalFileStorage(str(workspace.folder)) if name == "storage" else str(workspace.folder)


def _fill(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            raise BackendError(f"unknown placeholder {{{name}}}: there is {', '.join(sorted(values))}")
        return values[name]

    return _PLACEHOLDER.sub(value, text)


def _typed(text: str, hint: Any) -> Any:
    """Turn an argument's text into what the constructor's annotation asks for; text where it asks for none."""
    kinds = {hint, *typing.get_args(hint)}
    if str in kinds or hint is None:
        return text
    if bool in kinds and text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(text)
            except ValueError:
                raise BackendError(f"{text!r} is no {kind.__name__}") from None
    return text
