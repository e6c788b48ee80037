"""Client objects as arguments: ``factory:module:function`` stands for what the function returns.

So a manager that takes a client, a pool or a session of a library's is configured in one line, without code of its own:
``factory:redis:Redis.from_url({redis_url})``, ``factory:psycopg:connect({postgres_url}, autocommit=true)``.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..process import wait_for, way_to_close, will_be_closed

_FACTORY = re.compile(r"factory:(?P<module>[\w.]+):(?P<function>[\w.]+)(?:\((?P<given>.*)\))?", re.DOTALL)


class FactoryError(ValueError):
    """What names a factory names none, or none that can be called so. The text says which."""


def names_factory(text: str) -> bool:
    """Whether an argument's text names a factory."""
    return text.startswith("factory:")


def asked_for_by(text: str) -> set[str]:
    """Return what a factory's parameters are called, where its text gives it no arguments.

    Raises:
        FactoryError: There is no such factory.
    """
    match = _matched(text)
    return set() if match["given"] is not None else set(_parameters(_found(match)))


def made_by(text: str, fill: Callable[[str], str], values: Mapping[str, str]) -> Any:
    """Call a factory, and return what it makes. It is closed as managers are.

    Args:
        text: ``factory:module:function(one, name=other)``, or without brackets: then its parameters get what the
            workspace has under their names, where it has something.
        fill: Puts values in the place of ``{placeholders}``.
        values: What the workspace has.

    Raises:
        FactoryError: There is no such factory.
        Exception: What it raised.
    """
    match = _matched(text)
    function = _found(match)
    if match["given"] is None:
        named = {name: values[name] for name in _parameters(function) if name in values}
        made = wait_for(function(**named))
    else:
        parts = [part.strip() for part in match["given"].split(",") if part.strip()]
        by_name = [part.partition("=") for part in parts if re.match(r"\w+=", part)]
        others = [_value(fill(part)) for part in parts if not re.match(r"\w+=", part)]
        made = wait_for(function(*others, **{name: _value(fill(part)) for name, _, part in by_name}))
    will_be_closed(made, way_to_close(made))
    return made


def _matched(text: str) -> re.Match[str]:
    match = _FACTORY.fullmatch(text)
    if match is None:
        raise FactoryError(f"{text!r} is no factory: expected factory:module:function, or factory:module:function(...)")
    return match


def _found(match: re.Match[str]) -> Callable[..., Any]:
    try:
        found: Any = importlib.import_module(match["module"])
        for name in match["function"].split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError) as error:
        raise FactoryError(f"factory {match['module']}:{match['function']} cannot be found: {error}") from error
    if not callable(found):
        raise FactoryError(
            f"factory {match['module']}:{match['function']} is a {type(found).__name__}, and no function"
        )
    return found  # type: ignore[no-any-return]


def _parameters(function: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except ValueError:  # what is written in C need not say
        return []


def _value(text: str) -> Any:
    """Return what a text stands for in JSON (``true``, ``5``, ``"5"``), or else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
