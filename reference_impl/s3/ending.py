"""The end of a life: an object at the number of its next commit, which whoever goes on writing meets.

A writer takes the next number, whatever happened to those before it. So a deletion takes it first, where somebody may
have the session open, and leaves nothing else. Later writers look at the root by themselves (:data:`.life.SURE`): when
the end is an hour old, nobody needs it, and a clean-up removes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from .objects import Listed, NotThere, S3Objects
from .place import ENDED, Segment
from .rest import read_rest
from .root import ROOT

RECENT = timedelta(hours=1)
"""How much older than a life's newest object one may be, so that its writer may still take the life for granted."""


def may_be_open(objects: S3Objects, place: str, life: str, listed: Sequence[Listed]) -> bool:
    """Whether somebody who has a life open may take for granted that it goes on.

    Args:
        objects: The bucket.
        place: The session's prefix.
        life: The life's name.
        listed: What lies under the prefix.

    Raises:
        SessionException: It cannot be read.
    """
    spans: list[tuple[int, int, Listed]] = []
    for item in listed:
        name = item.key.removeprefix(place)
        number = _number(name, life)
        segment = Segment.named(name.removeprefix(f"{life}/"), item.size)
        if name == ROOT:
            spans.append((0, 0, item))
        elif number is not None:
            spans.append((number, number, item))
        elif segment is not None and not segment.rewritten:
            spans.append((segment.first, segment.last, item))
    if not spans:
        return False
    since = max(item.modified for _, _, item in spans) - RECENT
    rest = read_rest(objects, f"{place}{life}/")
    return rest is None or any(
        first < rest.first or last >= rest.stop for first, last, item in spans if item.modified >= since
    )


def end(objects: S3Objects, place: str, life: str, listed: Sequence[Listed]) -> str:
    """Take the number of a life's next commit, and return the key of the object that did.

    Args:
        objects: The bucket.
        place: The session's prefix.
        life: The life's name.
        listed: What lies under the prefix.

    Raises:
        SessionException: It cannot be stored.
    """
    names = [item.key.removeprefix(place) for item in listed]
    segments = [Segment.named(name.removeprefix(f"{life}/"), 0) for name in names if name.startswith(f"{life}/")]
    taken = [number for number in (_number(name, life) for name in names) if number is not None]
    number = max([0, *taken, *(segment.last for segment in segments if segment is not None)]) + 1
    while True:
        key = f"{place}{life}/c/{number:010d}"
        if objects.put_new(key, ENDED, {}):
            return key
        with suppress(NotThere):  # a writer was first, or a deletion before this one
            if objects.get(key).data == ENDED:
                return key
            number += 1


def _number(name: str, life: str) -> int | None:
    """Return the number of the commit whose object a key, without its session's prefix, is."""
    commits = f"{life}/c/"
    number = name.removeprefix(commits)
    return int(number) if name.startswith(commits) and number.isdecimal() else None
