"""Segments: the lines of many commits in one object, so that a restore of any length takes few requests."""

from __future__ import annotations

import logging
from datetime import datetime

from strands.types.exceptions import SessionException

from ..log.commit_lines import commit_line
from . import sizes
from .errors import Moved
from .life import Life
from .lines import LatestLines, parse, tail
from .objects import Page
from .place import HEADER, REST, Place, Segment, commit_number, cover

logger = logging.getLogger(__name__)


def all_segments(life: Life) -> list[Segment]:
    """Return the segments that were not emptied.

    Raises:
        SessionException: They cannot be listed.
    """
    return [segment for segment, _ in dated_segments(life) if segment.size > len(HEADER)]


def dated_segments(life: Life) -> list[tuple[Segment, datetime]]:
    """Return all segments, also those that were emptied, each with when it was written.

    Raises:
        SessionException: They cannot be listed.
    """
    listed = life.listed(life.key("s/"), "", lambda name: Segment.named(f"s/{name}", 0) is not None)
    found = [(Segment.named(item.key.removeprefix(life.key("")), item.size), item.modified) for item in listed]
    return [(segment, at) for segment, at in found if segment is not None]


def place_of(life: Life, page: Page | None = None) -> Place:
    """Return where the commits lie: one listing, as long as one page shows all objects, and else few.

    The commits are listed before the segments, as their names are: whoever folds them stores the segment first.

    Args:
        life: The life.
        page: The first of its objects, if they were listed just now.

    Raises:
        SessionException: They cannot be listed.
    """
    prefix = life.key("")
    page = page or life.page()
    names = [(item.key.removeprefix(prefix), item.size) for item in page.items if item.key.startswith(prefix)]
    commits = [(number, size) for number, size in ((commit_number(name), size) for name, size in names) if number]
    if page.is_all:
        found = (Segment.named(name, size) for name, size in names)
        segments = [segment for segment in found if segment is not None and segment.size > len(HEADER)]
    else:
        segments = all_segments(life)
    life.may_have_rest = not page.is_all or any(name == REST for name, _ in names)
    place = cover(segments)
    behind = [(number, size) for number, size in commits if number >= place.next]
    if not page.is_all:
        behind += life.commits(max([place.next - 1, *(number for number, _ in commits)]))
    place.tail.extend(number for number, _ in behind)
    place.tail_bytes = sum(size for _, size in behind)
    return place


def compact(life: Life, latest: LatestLines, last: int) -> int:
    """Write the largest segment that ends with a commit. What is not done here is done with a later one.

    Returns:
        How many bytes it takes; 0 where none was written.
    """
    size = sizes.SEGMENT
    while (last + 1) % (size * sizes.MERGE) == 0:
        size *= sizes.MERGE
    try:
        while size >= sizes.SEGMENT:
            place = cover(all_segments(life))
            first = max(last + 1 - size, place.base)
            lines = _between(life, latest, place, first, last)
            data = HEADER + b"".join(lines[number] for number in range(first, last + 1))
            if len(data) <= sizes.SEGMENT_BYTES:
                break
            size //= sizes.MERGE
        else:
            return 0
        _write(life, f"s/{first:010d}-{last:010d}", data, first)
    except (Moved, SessionException) as error:  # the commit itself is stored: restores take longer, that is all
        logger.warning("session_id=<%s>, error=<%s> | no segment was written", life.session_id, error)
        return 0
    return len(data)


def _write(life: Life, name: str, data: bytes, first: int) -> None:
    """Store a segment, and empty it if the history was rewritten meanwhile, or the session deleted.

    See :func:`.rewriting.empty_segments`.
    """
    needless = True
    try:
        life.objects.put_new(life.key(name), data, {})
        needless = any(segment.rewritten and segment.last >= first for segment in all_segments(life))
        root = life.look()
        needless = needless or root is None or root.life != life.name
    finally:
        if needless:  # or nobody knows: it can be done without
            life.empty([name])


def _between(life: Life, latest: LatestLines, place: Place, first: int, last: int) -> dict[int, bytes]:
    """Return the lines of commits, from memory as far as they are there."""
    lines = latest.between(first, last)
    if first == 0 and 0 not in lines:
        lines = {0: commit_line(0, life.expect_alive().body), **lines}
    needed = min((number for number in lines if number), default=last + 1)
    for segment in reversed(place.segments):
        if not segment.rewritten and segment.first < needed and segment.last >= first and needed > first:
            found = parse(life, segment.key, life.get(segment.key), segment.first)
            lines |= {number: line for number, line in found.items() if first <= number < needed}
    for number in range(first, last + 1):
        if number not in lines:
            stop = next((n for n in range(number, last + 1) if n in lines), last + 1)
            lines |= tail(life, number, range(number, stop)).lines
    return lines
