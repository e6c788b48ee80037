"""Who may be writing: what a listing, the commits' labels and the word of those who have stopped say about it.

A writer that stored a commit takes it for granted for some minutes that its next number is free only if nobody took it
(:data:`.life.SURE`). So what removes objects of commits must leave none of those numbers free.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from strands.types.exceptions import SessionException

from ..log.commit_lines import PREFIX
from . import sizes
from .errors import Deleted, Moved
from .life import Life
from .lines import parse
from .place import commit_name
from .rest import Rest

RECENT = timedelta(hours=1)
"""How much older than a life's newest commit one may be, so that its writer may still take its number for granted."""

_NAME = 16
"""How long a writer's name is, with which the id of its commits begins."""

NOBODY = "0" * 24
"""The id of a commit whose writer takes nothing for granted: what imports were stored under by earlier versions."""

Dated = tuple[int, datetime]
"""The number of a commit, and when its object was written."""


def writer_of(line: bytes) -> str:
    """Return the name of who wrote a commit, from its line; empty where nobody is named."""
    match = PREFIX.match(line)
    return ((match.group(5) or b"").decode() if match is not None else "")[:_NAME]


def last_of_each(
    commits: Sequence[Dated], names: Mapping[int, str], rest: Rest | None, passed: Container[int] = ()
) -> list[int]:
    """Return the numbers of the last commits of those who may be writing, in order.

    Args:
        commits: The commits whose objects are there.
        names: Who wrote commits, as far as that is known: each other one may be its writer's last.
        rest: Whose commits are those of writers that have stopped.
        passed: The commits that are known to be nobody's last.
    """
    since = max((at for _, at in commits), default=datetime.min) - RECENT if commits else None
    last: dict[str, int] = {}
    for number, at in commits:
        if since is not None and at >= since and number not in passed:
            last[names.get(number) or f"commit {number}"] = number
    last.pop(NOBODY[:_NAME], None)
    return sorted(number for number in last.values() if rest is None or not rest.first <= number < rest.stop)


def names_of(life: Life, commits: Sequence[Dated]) -> dict[int, str]:
    """Return who wrote recent commits, as far as they can be read: of each run, its newest object is."""
    if not commits:
        return {}
    since = max(at for _, at in commits) - RECENT
    newest = {number // sizes.RUN: number for number, at in commits if at >= since}
    names: dict[int, str] = {}
    for number in newest.values():
        name = commit_name(number)
        with suppress(SessionException, Moved, Deleted):
            names |= {number: writer_of(line) for number, line in parse(life, name, life.get(name), None).items()}
    return names


class Known:
    """Who wrote last, as far as somebody has followed a session's commits without a gap."""

    def __init__(self) -> None:
        self._first, self._stop = 0, 0
        self._last: dict[str, int] = {}

    def note(self, first: int, lines: Mapping[int, bytes]) -> None:
        """Note commits, from the first that was read on."""
        if not self._first <= first <= self._stop:
            self._first, self._stop, self._last = first, first, {}
        for number in sorted(lines):
            self._last[writer_of(lines[number]) or f"commit {number}"] = number
        self._stop = max([self._stop, first, *(number + 1 for number in lines)])

    def forget(self, stop: int) -> None:
        """Forget those whose last commit is before a number."""
        self._last = {name: number for name, number in self._last.items() if number >= stop}

    def names(self) -> dict[int, str]:
        """Return those who wrote, by the numbers of their last commits."""
        return {number: name for name, number in self._last.items()}

    def knows(self, number: int) -> bool:
        """Whether it is known who wrote a commit."""
        return self._first <= number < self._stop
