"""Requirements: what a backend must meet, each a sentence with an id, a level, a source and what it needs."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from ..backends import Capability, Durability
from ..process import HANG_LIMIT_S, clock, within_limit
from ..sdk import SdkFeature


class Level(Enum):
    """How binding a requirement is, in the words of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"


SOURCES = {
    "D": "the SDK's documentation of session management",
    "A": "the SDK's API contract",
    "B": "a public bug report",
    "F": "the field's practice",
}
"""What the letters of a requirement's source stand for."""

_ID = re.compile(r"[A-Z][A-Z0-9]{2}-\d{2}")

COROUTINE_LIMIT_S = 10 * HANG_LIMIT_S
"""Seconds of real time that a check which is a coroutine may take: the conversations that it plays have limits too."""

FIRST_EDITION = "2026.11"
"""The edition of all requirements that were there when editions began."""


@dataclass(frozen=True)
class Requirement:
    """One sentence that a backend must meet.

    Attributes:
        id: Stable: a requirement that is dropped keeps its number unused. The first three letters name the group.
        level: MUST or SHOULD.
        sentence: What must hold, as a black box sees it.
        source: A letter of :data:`SOURCES`, then where exactly.
        needs: The capabilities without which it does not apply.
        since: The edition of the requirements that it belongs to since it was written, a year and a month.
        sdk: What the installed SDK must be able to do, or it does not apply.
        promise: What a backend must promise, or it does not apply; None where it applies to every promise.
    """

    id: str
    level: Level
    sentence: str
    source: str
    needs: frozenset[Capability] = frozenset()
    since: str = FIRST_EDITION
    sdk: frozenset[SdkFeature] = frozenset()
    promise: Durability | None = None

    @property
    def group(self) -> str:
        """The three letters of its group."""
        return self.id[:3]

    @property
    def source_text(self) -> str:
        """Its source in words."""
        letters, _, where = self.source.partition(":")
        words = " and ".join(SOURCES[letter] for letter in letters.split(","))
        return f"{words}: {where.strip()}" if where else words


_registry: dict[str, Requirement] = {}

Check = TypeVar("Check", bound=Callable[..., Any])


def requirements() -> list[Requirement]:
    """Return every requirement whose suite was imported, in order of group and number as the suites give them."""
    return list(_registry.values())


class _NamedById:
    """A check in a suite's class body: it ends up in the class under its requirement's id, not under its own name.

    So a test is called ``ORD-01``, whatever naming patterns the user's project has configured. What a decorator above
    :func:`requirement` marks is the check: this stands in its place only until the class is made.
    """

    check: Callable[..., Any]
    requirement: Requirement

    def __init__(self, check: Callable[..., Any], requirement: Requirement) -> None:
        vars(self).update(check=check, requirement=requirement)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.check, name, value)

    def __set_name__(self, owner: type, name: str) -> None:
        delattr(owner, name)
        setattr(owner, self.requirement.id, self.check)


def _within_limit(check: Callable[..., Coroutine[Any, Any, Any]], id: str) -> Callable[..., Any]:
    @functools.wraps(check)
    def call(*args: Any, **kwargs: Any) -> Any:
        return within_limit(lambda: clock.run(check(*args, **kwargs)), f"the check of {id}", COROUTINE_LIMIT_S)

    return call


def requirement(
    id: str,
    *,
    source: str,
    level: Level = Level.MUST,
    needs: Iterable[Capability] = (),
    since: str = FIRST_EDITION,
    sdk: Iterable[SdkFeature] = (),
    promise: Durability | None = None,
) -> Callable[[Check], Check]:
    """Declare a suite's method to be the check of a requirement. Its docstring is the sentence.

    A check that is a coroutine function is run to its end in the harness's loop, for :data:`COROUTINE_LIMIT_S` seconds
    at most.

    Args:
        id: Three letters for the group, a hyphen, two digits.
        source: A letter of :data:`SOURCES`, or several with commas, then a colon and where exactly.
        level: MUST, or SHOULD.
        needs: The capabilities without which the requirement does not apply.
        since: The first edition that it belongs to.
        sdk: What the installed SDK must be able to do, or it does not apply.
        promise: What a backend must promise, or it does not apply; None where it applies to every promise.

    Raises:
        ValueError: The id or source is malformed, the id is taken, or there is no docstring.
    """

    def declare(check: Check) -> Check:
        sentence = " ".join((check.__doc__ or "").split())
        if not _ID.fullmatch(id):
            raise ValueError(f"{id!r} is no requirement id: expected three capitals, a hyphen, two digits")
        if not sentence:
            raise ValueError(f"{id} has no sentence: write it as the docstring of its check")
        if not set(source.partition(":")[0].split(",")) <= set(SOURCES):
            raise ValueError(f"{id} has the source {source!r}: expected {', '.join(SOURCES)}, then where")
        declared = Requirement(id, level, sentence, source, frozenset(needs), since, frozenset(sdk), promise)
        if _registry.get(id, declared) != declared:
            raise ValueError(f"{id} is taken by: {_registry[id].sentence}")
        _registry[id] = declared
        judged: Any = _within_limit(check, id) if inspect.iscoroutinefunction(check) else check
        judged.requirement = declared
        judged.__test__ = True  # pytest collects it under any naming pattern
        return _NamedById(judged, declared)  # type: ignore[return-value]

    return declare
