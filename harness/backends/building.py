"""Building: objects of a class, made of what its signature asks for, the workspace has and the user gave."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..process import wait_for
from ..sdk import LocalFileStorage, Storage
from ..services import PLACEHOLDERS, boto_session
from .client_factories import FactoryError, asked_for_by, made_by, names_factory
from .workspace import Workspace


class BackendError(Exception):
    """A backend that cannot be found or built. The text is one line that says what to do."""


OF_S3 = ("bucket", "prefix", "endpoint_url", "region_name")
"""What a workspace has for backends that keep their data in S3."""


@dataclass(frozen=True)
class Builder:
    """Builds objects of a class, and calls its static methods.

    Attributes:
        target: ``module:attribute`` of the class, for error messages.
        found: The class.
        arguments: Constructor arguments: texts with ``{placeholders}`` such as ``{workdir}``, and any other values.
    """

    target: str
    found: type
    arguments: Mapping[str, Any]

    @property
    def on_s3(self) -> bool:
        """Whether the objects are to be given a bucket."""
        asked_for = any("{bucket}" in str(value) for value in self.arguments.values())
        return asked_for or ("bucket" in inspect.signature(self.found).parameters and "bucket" not in self.arguments)

    def takes(self, argument: str) -> bool:
        """Whether the constructor takes an argument of this name."""
        parameters = inspect.signature(self.found).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        return argument in parameters or (takes_any and not _ignores_extra_arguments(self.found))

    def opener(self) -> Callable[[str, Workspace], Any]:
        """Return what builds an object for a session id in a workspace.

        Raises:
            BackendError: The class takes no session id, one argument less, or needs one more.
        """
        if "session_id" not in _named(self.found):
            raise BackendError(f"{self.target} takes no session_id: expected a constructor (session_id, ...)")
        build, _ = self.builder({"session_id"})
        return build

    def builder(self, always: set[str]) -> tuple[Callable[[str | None, Workspace], Any], bool]:
        """Return what builds the objects, and whether they are given a place of the workspace.

        Args:
            always: The constructor's parameters that are given at each call: ``session_id`` or none.

        Raises:
            BackendError: The class takes an argument less, or needs one more.
        """
        named, hints = _named(self.found), _type_hints(self.found.__init__)  # type: ignore[misc]
        for name in self.arguments:
            if not self.takes(name):
                known = ", ".join(n for n in named if n not in always) or "no other"
                raise BackendError(f"{self.target} takes no argument {name!r} (it takes {known})")
        on_s3 = self.on_s3
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

        on_dynamodb = "dynamodb" in services_asked_for(self.arguments, self.found)
        shares_session = on_dynamodb and "boto_session" in named and "boto_session" not in self.arguments

        def build(session_id: str | None, workspace: Workspace) -> Any:
            given: dict[str, Any] = {name: _provide(name, workspace, hints.get(name)) for name in provided}
            wants_prefix = on_s3 and "prefix" in named and "prefix" not in self.arguments
            if wants_prefix and workspace.values["prefix"]:
                given["prefix"] = workspace.values["prefix"]
            if shares_session:
                given["boto_session"] = boto_session()
            for name, value in self.arguments.items():
                given[name] = _filled(value, workspace.placeholders(session_id), hints.get(name))
            if always:
                given["session_id"] = session_id
            return self.found(**given)

        texts = [str(value) for value in self.arguments.values()]
        placed = any(_PLACEHOLDER.search(text) or names_factory(text) for text in texts)
        return build, bool(provided) or on_s3 or placed

    def at_defaults(self, always: set[str]) -> dict[str, Any]:
        """Return the constructor's parameters that nobody has given, and their defaults."""
        named, hints = _named(self.found), _type_hints(self.found.__init__)  # type: ignore[misc]
        return {
            name: p.default
            for name, p in named.items()
            if name not in {*always, *self.arguments} and not _provides(p, hints.get(name), self.on_s3)
        }

    def static(self, name: str, given: set[str]) -> Callable[..., Any] | None:
        """Return a static or class method that needs no more than what is given and what the workspace has, or None."""
        if not isinstance(inspect.getattr_static(self.found, name, None), staticmethod | classmethod):
            return None
        function = getattr(self.found, name)
        parameters = inspect.signature(function).parameters
        hints = _type_hints(function)
        provided = {name for name, p in parameters.items() if _provides(p, hints.get(name), self.on_s3)}
        needed = {name for name, p in parameters.items() if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
        if not given <= set(parameters) or needed - given - provided - set(self.arguments):
            return None

        def call(workspace: Workspace, **values: Any) -> Any:
            values |= {name: _provide(name, workspace, hints.get(name)) for name in provided}
            for argument, value in self.arguments.items():
                if argument in parameters:
                    placeholders = workspace.placeholders(str(values.get("session_id", "")))
                    values[argument] = _filled(value, placeholders, hints.get(argument))
            return wait_for(function(**values))

        return call


def services_asked_for(arguments: Mapping[str, object], found: object) -> frozenset[str]:
    """Return the services whose placeholders arguments name, or whose names a class's constructor has."""
    names = set(_PLACEHOLDER.findall(str(dict(arguments))))
    for value in arguments.values():
        if isinstance(value, str) and names_factory(value):
            try:
                names |= asked_for_by(value)
            except FactoryError as error:
                raise BackendError(str(error)) from error
    if isinstance(found, type):
        names |= {name for name, p in _named(found).items() if name in PLACEHOLDERS and _provides(p, None, False)}
        names -= set(arguments)
    return frozenset(PLACEHOLDERS[name] for name in names if name in PLACEHOLDERS)


def _named(found: type) -> dict[str, inspect.Parameter]:
    """Return the parameters of a class's constructor that are given by name."""
    parameters = inspect.signature(found).parameters
    return {name: p for name, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


def _type_hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception:  # a forward reference that only type checkers resolve
        return {}


def _ignores_extra_arguments(manager: type) -> bool:
    """Whether a constructor takes ``**kwargs`` "for future extensibility" only: they would swallow a misspelt name."""
    return manager.__module__.startswith(("strands.", "session_conformance."))


_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def _provides(parameter: inspect.Parameter, hint: Any, on_s3: bool) -> bool:
    name = parameter.name
    if on_s3 and name in OF_S3:
        return name == "bucket" or parameter.default is parameter.empty
    if name in PLACEHOLDERS:
        return name.endswith(("_url", "_endpoint")) or parameter.default is parameter.empty
    return name in ("storage_dir", "base_dir") or (name == "storage" and Storage in (hint, *typing.get_args(hint)))


def _provide(name: str, workspace: Workspace, hint: Any) -> Any:
    if name in OF_S3:
        return workspace.values[name]
    if name in PLACEHOLDERS:
        return _typed(workspace.values[name], hint)
    return LocalFileStorage(str(workspace.folder)) if name == "storage" else str(workspace.folder)


def _fill(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            here = ", ".join(sorted(set(values) - set(PLACEHOLDERS)))
            servers = ", ".join(name for name in PLACEHOLDERS if name.endswith(("_url", "_endpoint")))
            raise BackendError(f"unknown placeholder {{{name}}}: there is {here}, and of servers {servers}")
        return values[name]

    return _PLACEHOLDER.sub(value, text)


def _filled(value: Any, values: Mapping[str, str], hint: Any) -> Any:
    if not isinstance(value, str):
        return value
    if names_factory(value):
        try:
            return made_by(value, lambda text: _fill(text, values), values)
        except FactoryError as error:
            raise BackendError(str(error)) from error
    return _typed(_fill(value, values), hint)


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
