"""Folding: as storage grows, a history of fewest changes takes the place of its commits, and their objects go.

It is done beside the conversation, on a thread of its own. Whoever may be writing takes it for granted for some minutes
that a number is free only if nobody took it: so the objects of commits stay from the last one on of the slowest of them
(:mod:`.writers`), and whoever looks whether the session is still there looks too whether a history stands for its
number already.
A write whose answer did not come is sent again, and S3 may carry out the first one later: where the object is gone by
then, that brings back what was redacted meanwhile. So histories and segments are emptied first, and what is empty is
removed only when it is an hour old: S3 refuses a request that is older than 15 minutes. For the same reason the commits
before a rewriting stay until it is an hour old: whoever rewrites empties some of them, and that must not be undone.
Objects are removed only with ``s3:DeleteObject``: without it a session grows with each change.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime

from strands.types.exceptions import SessionException

from ..log.commit_lines import commit_line, json_array
from .errors import Moved
from .life import Life
from .lines import parse
from .objects import Listed
from .place import HEADER, Place, Segment, commit_name, is_end
from .reading import read_lines
from .rest import read_rest
from .segments import dated_segments, place_of
from .writers import RECENT, Dated, Known, last_of_each, names_of

logger = logging.getLogger(__name__)

LEAST = 768 * 1024
"""Up to how many bytes a session may grow, however little it says."""

_TIMES = 2
"""How many times what the folded history takes, the objects behind it may take."""

_REMEMBERED = 4 * 1024 * 1024
"""How many bytes of lines are kept for the next folding; if there are more, they are read again."""

_REPEATED = 8
"""How many bytes the objects of small commits take, for each byte in the segment that holds them too."""

DatedSegment = tuple[Segment, datetime]
"""A segment, and when it was written."""

Fold = Callable[[bytearray], list[bytes]]


class Folding:
    """Folds a life's history when its objects have grown enough. Thread-safe.

    Args:
        life: The life.
    """

    def __init__(self, life: Life) -> None:
        self._life = life
        self._lock = threading.RLock()  # the handler of a signal may store something while this thread holds it
        self._base = 0
        self._name = ""  # of the object with that history
        self._folded = 0  # bytes of the history that stands for what is before the base
        self._grown = 0  # bytes of the objects behind it
        self._lines: dict[int, bytes] | None = None  # of the commits from the base on, if they are known
        self._known = Known()
        self._may_delete = True
        self._thread: threading.Thread | None = None

    def note_read(self, place: Place, rewritten: int, lines: dict[int, bytes]) -> None:
        """Note what was read: where it lies, the bytes of its rewritten history, and the lines behind that."""
        with self._lock:
            self._base, self._folded = place.base, rewritten
            self._name = place.segments[0].key if place.base else ""
            self._grown = place.tail_bytes + _REPEATED * sum(s.size for s in place.segments if not s.rewritten)
            self._lines = dict(lines)
            self._known.note(place.base, lines)
            self._forget()

    def note_written(self, number: int, line: bytes, size: int) -> None:
        """Note a commit that was stored, in an object of so many bytes."""
        with self._lock:
            self._grown += size
            self._known.note(number, {number: line})
            if self._lines is not None:
                self._lines[number] = line
                self._forget()

    def fold_if_due(self, last: int, fold: Fold) -> None:
        """Fold the history up to a commit where its objects have grown enough, beside whoever writes.

        Args:
            last: The commit's number.
            fold: Returns the bodies of the fewest commits that add up to those in an array.
        """
        with self._lock:
            is_due = self._grown > max(LEAST - self._folded, _TIMES * self._folded)
            if not is_due or not self._may_delete or (self._thread is not None and self._thread.is_alive()):
                return
            thread = threading.Thread(target=self._fold, args=(last, fold), name="session-fold", daemon=False)
            with suppress(RuntimeError):  # the process is ending
                thread.start()
                self._thread = thread

    def note_others(self, lines: dict[int, bytes]) -> None:
        """Note the commits of others."""
        if not lines:
            return
        with self._lock:
            self._grown += _REPEATED * sum(map(len, lines.values()))
            self._known.note(min(lines), lines)
            if self._lines is not None:
                self._lines.update(lines)
                self._forget()

    def is_near(self) -> bool:
        """Whether the history will be folded before long, so that nobody needs a segment."""
        return self._may_delete and self._grown > LEAST // 3

    def note_segment(self, size: int) -> None:
        """Note a segment that was stored."""
        with self._lock:
            self._grown += size

    def note_taken(self, number: int, line: bytes) -> None:
        """Note the commit of a rewriting."""
        with self._lock:
            self._known.note(number, {number: line})

    def note_rewritten(self, name: str, base: int, size: int) -> None:
        """Note that a rewritten history stands for all commits before the base, whose objects are still there."""
        with self._lock:
            self._grown += self._folded
            self._name, self._base, self._folded, self._lines = name, base, size, {}

    def wait(self) -> None:
        """Return when no folding goes on."""
        if self._thread is not None:
            self._thread.join()

    def _forget(self) -> None:
        if self._lines is not None and sum(map(len, self._lines.values())) > max(_REMEMBERED, _TIMES * self._folded):
            self._lines = None

    def _fold(self, last: int, fold: Fold) -> None:
        try:
            with self._lock:
                base, name = self._base, self._name
                lines = dict(self._lines) if self._lines is not None else None
            array = bytearray(json_array(b"".join(self._lines_up_to(base, name, lines, last))))
            folded, segments = self._put(last, fold(array))
            if folded:
                kept = self._remove(last, segments)
                with self._lock:
                    self._base, self._name = last + 1, _name(last)
                    self._folded, self._grown = folded, kept
                    if self._lines is not None:
                        self._lines = {number: line for number, line in self._lines.items() if number >= last}
                return
        except (Moved, SessionException, LookupError, TypeError, ValueError) as error:  # storage is larger: that is all
            if "access denied" in str(error):
                self._may_delete = False
                logger.info(
                    "session_id=<%s> | without s3:DeleteObject it grows with each change", self._life.session_id
                )
            else:
                logger.warning("session_id=<%s>, error=<%s> | it was not folded", self._life.session_id, error)
        with self._lock:
            self._grown, self._lines = 0, None

    def _lines_up_to(self, base: int, name: str, lines: dict[int, bytes] | None, last: int) -> list[bytes]:
        """Return the lines of the whole history up to a commit: from memory, as far as they are there."""
        life = self._life
        if lines is not None and all(number in lines for number in range(base or 1, last + 1)):
            if base:
                before = list(parse(life, name, life.get(name), 0).values())
            else:
                before = [commit_line(0, life.expect_alive().body)]
            return [*before, *(lines[number] for number in range(base or 1, last + 1))]
        place = place_of(life)
        if place.next <= last:
            raise life.unreadable(commit_name(last), "it is missing")
        rewritten, found = read_lines(life, place)
        if not place.base:
            rewritten = [commit_line(0, life.expect_alive().body)]
        return [*rewritten, *(line for number, line in found.lines.items() if max(place.base, 1) <= number <= last)]

    def _put(self, last: int, bodies: list[bytes]) -> tuple[int, list[DatedSegment]]:
        """Store the history; return how many bytes it takes, 0 where it is not needed, and the segments there are."""
        life, name = self._life, _name(last)
        data = HEADER + b"".join(commit_line(index, body) for index, body in enumerate(bodies))
        needed = False
        try:
            life.objects.put_new(life.key(name), data, {})
            # Everyone stores first and looks then: so one of two sees what the other did.
            segments = dated_segments(life)
            needed = not any(
                segment.rewritten and segment.last > last and segment.size > len(HEADER) for segment, _ in segments
            )
            root = life.look()
            needed = needed and root is not None and root.life == life.name
        finally:
            if not needed:
                life.empty([name])
        return (len(data) if needed else 0), segments

    def _remove(self, last: int, segments: list[DatedSegment]) -> int:
        """Remove the objects that nobody needs any more, and return how many bytes the others behind it take."""
        life = self._life
        prefix = life.key("c/")
        listed = life.listed(prefix, "", str.isdecimal)
        if any(is_end(item.key, item.size) for item in listed):
            return 0  # the session was deleted meanwhile: what says so must stay, and the deletion removes all else
        commits = [(int(item.key.removeprefix(prefix)), item.modified) for item in listed]
        emptied = _emptied(listed, commits)
        keep = min([last, *self._last_of_writers(last, commits, emptied)])
        since = max(at for _, at in segments) - RECENT
        first = max((s.last for s, at in segments if s.is_rewriting and at >= since), default=0)
        gone = [number for number, _ in commits if first <= number < keep and number not in emptied]
        old = [s.key for s, at in segments if s.size == len(HEADER) and at < since]
        needless = [s for s, _ in segments if (s.last < last if s.rewritten else s.last <= last)]
        life.empty([s.key for s in needless if s.size > len(HEADER)])
        if gone or old:
            life.objects.delete(map(life.key, [*map(commit_name, gone), *old]))
        if gone:
            self._empty_again(gone, {segment.key for segment, _ in segments})
        with self._lock:
            self._known.forget(keep)
        return sum(item.size for item, (number, _) in zip(listed, commits, strict=True) if number >= keep)

    def _empty_again(self, gone: Collection[int], seen: Collection[str]) -> None:
        """Put empty objects in place of those commits that a rewriting may have emptied just before they were removed.

        Who rewrites stores its history first and empties then: so either that is there now, or what it empties stays.

        Args:
            gone: The numbers of the commits that were removed.
            seen: The names of the segments that were there before.
        """
        new = (s.last for s, _ in dated_segments(self._life) if s.is_rewriting and s.key not in seen)
        stop = max(new, default=0)
        self._life.empty([commit_name(number) for number in gone if number < stop])

    def _last_of_writers(self, last: int, commits: Sequence[Dated], emptied: Collection[int]) -> list[int]:
        """Return the numbers of the last commits of those who may be writing, in order.

        Args:
            last: What is beyond this number does not matter.
            commits: The commits whose objects are there.
            emptied: Which of them were emptied, and keep their numbers.
        """
        life, numbers = self._life, {number for number, _ in commits}
        with self._lock:
            known, names = self._known.knows, self._known.names()
            # Whoever wrote what was emptied needs the next number to be kept: where that one is free, a folding before
            # this one knew of a later commit of the same writer.
            passed = {number for number in emptied if number + 1 in emptied or number + 1 not in numbers}
            passed |= {number for number in numbers if known(number)}
        passed -= names.keys()
        unknown = [commit for commit in commits if commit[0] not in passed and commit[0] not in names]
        if unknown:
            names = names_of(life, unknown) | names
        writing = last_of_each(commits, names, None, passed)
        if writing and writing[0] < last:  # some of them may have stopped
            writing = last_of_each(commits, names, read_rest(life.objects, life.key("")), passed)
        return writing


def _emptied(listed: Sequence[Listed], commits: Sequence[Dated]) -> set[int]:
    """Return the numbers of the objects that were emptied not long ago, and must stay for a while: see above."""
    if not commits:
        return set()
    since = max(at for _, at in commits) - RECENT
    return {
        number for item, (number, at) in zip(listed, commits, strict=True) if item.size == len(HEADER) and at >= since
    }


def _name(last: int) -> str:
    """Return the name of the history that stands for all commits up to one: never that of a rewriting."""
    return f"s/{0:010d}-{last:010d}-f"
