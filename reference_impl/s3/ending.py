"""The end of a life: an object at the number of its next commit, which whoever goes on writing meets.

A writer takes the next number, whatever happened to those before it. So a deletion takes each number first that
somebody who has the session open may take, and leaves nothing else. Later writers look at the root by themselves
(:data:`.life.SURE`): when the ends are an hour old, nobody needs them, and a clean-up removes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timezone
from itertools import count

from strands.types.exceptions import SessionException

from ..log.at_once import at_once
from .life import Life
from .objects import Listed, NotThere
from .place import ENDED, Segment, commit_name
from .requests import is_withheld
from .rest import Rest, read_rest
from .writers import last_of_each, names_of


def end(life: Life, listed: Sequence[Listed], *, begun: bool = False) -> set[str]:
    """Take the numbers that those may take next who may be writing, and return the keys of the objects that did.

    Args:
        life: The life, which its root does not name any more.
        listed: Its objects.
        begun: Whether somebody may be about to store the first commit.

    Raises:
        SessionException: One cannot be read or stored.
    """
    commits = _commits(life, listed)
    writing = last_of_each(commits, names_of(life, commits), _rest(life))
    if not writing and (commits or not begun):
        return set()
    number = 1 + _latest(life, listed)
    # What others wrote since the slowest of them looked is overwritten, so that at no time one of its numbers is free.
    keys = [life.key(commit_name(taken)) for taken in range(writing[0] + 1 if writing else number, number)]
    at_once(lambda key: life.objects.put(key, ENDED, {}), keys)
    while True:
        key = life.key(commit_name(number))
        if life.objects.put_new(key, ENDED, {}):
            return {*keys, key}
        with suppress(NotThere):
            if life.objects.get(key).data == ENDED:
                return {*keys, key}
            life.objects.put(key, ENDED, {})  # a writer was first
            keys.append(key)
            number += 1


def commits_behind(life: Life, listed: Sequence[Listed]) -> list[Listed]:
    """Return the commits that are there behind those that are listed: a store's listings may come late.

    Raises:
        SessionException: One cannot be read.
    """
    now = max((item.modified for item in listed), default=datetime.now(timezone.utc))
    rest, found = _rest(life), list[Listed]()
    for number in count(_latest(life, listed) + 1):
        key = life.key(commit_name(number))
        try:
            found.append(Listed(key, len(life.objects.get(key).data), now))
        except NotThere:
            if rest is None or number >= rest.stop:
                break
    return found


def _commits(life: Life, listed: Sequence[Listed]) -> list[tuple[int, datetime]]:
    """Return the numbers of the commits that are listed, and when they were written."""
    names = [(item.key.removeprefix(life.key("")), item.modified) for item in listed]
    return [
        (int(name.removeprefix("c/")), at)
        for name, at in names
        if name.startswith("c/") and name.removeprefix("c/").isdecimal()
    ]


def _latest(life: Life, listed: Sequence[Listed]) -> int:
    """Return the number of the latest commit that a listing knows of."""
    segments = [Segment.named(item.key.removeprefix(life.key("")), 0) for item in listed]
    latest = [segment.last for segment in segments if segment is not None]
    return max([0, *(number for number, _ in _commits(life, listed)), *latest])


def _rest(life: Life) -> Rest | None:
    """Return which writers have stopped; None where S3 does not give that: then each of them may be writing."""
    try:
        return read_rest(life.objects, life.key(""))
    except SessionException as failure:
        if not is_withheld(failure):
            raise
        return None
