"""Who may be writing: what a listing, the commits' labels and the word of those who have stopped say about it.

A writer that stored a commit takes it for granted for some minutes that its next number is free only if nobody took it
(:data:`.life.SURE`). So what removes objects of commits must leave none of those numbers free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from strands.types.exceptions import SessionException

from ..log.commit_lines import PREFIX
from . import sizes
from .errors import Deleted, Moved
from .life import Life
from .lines import parse
from .rest import Rest

RECENT = timedelta(hours=1)
"""How much older than a life's newest commit one may be, so that its writer may still take its number for granted."""

_NAME = 16
"""How long a writer's name is, with which the id of its commits begins."""

NOBODY = "0" * 24
"""The id of a commit whose writer takes nothing for granted: what a session begins with."""

Dated = tuple[int, datetime]
"""The number of a commit, and when its object was written."""


def last_of_each(commits: Sequence[Dated], lines: Mapping[int, bytes], rest: Rest | None) -> list[int]:
    """Return the numbers of the last commits of those who may be writing, in order.

    Args:
        commits: The commits whose objects are there.
        lines: The lines of commits, as far as they are known: who wrote another, nobody knows.
        rest: Whose commits are those of writers that have stopped.
    """
    since = max((at for _, at in commits), default=datetime.min) - RECENT if commits else None
    last: dict[str, int] = {}
    for number, at in commits:
        if since is not None and at >= since:
            match = PREFIX.match(lines.get(number, b""))
            label = (match.group(5) or b"").decode() if match is not None else ""
            last[label[:_NAME] or f"commit {number}"] = number
    last.pop(NOBODY[:_NAME], None)
    return sorted(number for number in last.values() if rest is None or not rest.first <= number < rest.stop)


def lines_of(life: Life, commits: Sequence[Dated]) -> dict[int, bytes]:
    """Return the lines of recent commits, as far as they can be read: of each run, its newest object is."""
    if not commits:
        return {}
    since = max(at for _, at in commits) - RECENT
    newest = {number // sizes.RUN: number for number, at in commits if at >= since}
    lines: dict[int, bytes] = {}
    for number in newest.values():
        name = f"c/{number:010d}"
        with suppress(SessionException, Moved, Deleted):
            lines |= parse(life, name, life.get(name), None)
    return lines
