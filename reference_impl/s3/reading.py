"""Reading: all lines of a session, from its segments and the objects of the commits behind them."""

from __future__ import annotations

from .life import Life
from .lines import Tail, newest_of_runs, parse, tail
from .place import Place


def read_lines(life: Life, place: Place) -> tuple[list[bytes], Tail]:
    """Return the lines of the rewritten history, and the commits behind it that are not in the root.

    Raises:
        Moved: The history was rewritten meanwhile.
        Unreadable: An object is missing or damaged.
        SessionException: One cannot be read.
    """
    rewritten: list[bytes] = []
    lines: dict[int, bytes] = {}
    names = [*(segment.key for segment in place.segments), *newest_of_runs(place.tail)]
    fetched = dict(zip(names, life.fetch(names), strict=True))
    for segment in place.segments:
        found = parse(life, segment.key, fetched[segment.key], 0 if segment.rewritten else segment.first)
        if segment.rewritten:
            rewritten = list(found.values())
            continue
        if max(found, default=-1) != segment.last:
            raise life.unreadable(segment.key, "it holds fewer commits than its name says")
        lines.update(found)
    newest = tail(life, place.segments[-1].last + 1 if place.segments else 1, place.tail, fetched)
    lines.update(newest.lines)
    return rewritten, Tail(lines, newest.begins)
