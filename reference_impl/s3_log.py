"""A change log in S3: one conditional PUT a commit, few requests a restore, and no object without its number.

Under the session's prefix lie::

    c/<number>          a commit: its line, behind those of the commits before it in its run of 16
    s/<first>-<last>    a segment: the lines of many commits in one object, written beside them
    s/<first>-<last>-r  a rewritten history, which stands for everything up to its last number
    rest                says that the writer of a commit has stopped

Each object is a header and commit lines (:mod:`.commit_lines`). A commit's key is taken with ``If-None-Match: *``, so
that no writer can overwrite another's, and the numbers give all commits one order. A commit repeats what came before it
in its run, so that a restore fetches one object in 16, and a segment every 256 commits, merged four to one, keeps that
few for any length. Objects are never deleted but with their session: reading and writing need no more rights than
``s3:GetObject``, ``s3:PutObject`` and ``s3:ListBucket``.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

from strands.types.exceptions import SessionException

from .change_log import Behind
from .commit_lines import END, PREFIX, are_whole, commit_line, json_array, whole_commit
from .s3_objects import NotThere, S3Objects
from .s3_place import HEADER, Place, Segment, cover

logger = logging.getLogger(__name__)

REST = "rest"
RUN = 16
"""How many commits, at most, an object repeats and adds to."""

RUN_BYTES = 64 * 1024
"""How many bytes, at most, it repeats."""

SEGMENT = 256
"""After how many commits a segment is written."""

MERGE = 4
"""How many segments make the next larger one."""

SEGMENT_BYTES = 64 * 1024 * 1024
"""Segments that would be larger are not merged."""

_REMEMBERED = 4 * 1024 * 1024
"""How many bytes of the latest lines are kept for the next segment."""

_WRITER = "writer"
BORN = "session"
"""Metadata of every object: what tells a session from an earlier one with its id, which was deleted."""

_MOVED = 5
"""How often a reader looks again where a history was rewritten beside it."""


class Unreadable(SessionException):
    """An object of a session is missing, or is not what was stored."""


class _Moved(Exception):
    """The history was rewritten while it was read."""


class S3Log:
    """One session's commits in a bucket.

    Attributes:
        objects: The bucket.
        prefix: The session's prefix, with a slash at its end.

    Args:
        objects: The bucket.
        prefix: The session's prefix, with a slash at its end.
        session_id: The session's id, for errors.
    """

    def __init__(self, objects: S3Objects, prefix: str, session_id: str) -> None:
        self.objects = objects
        self.prefix = prefix
        self._session_id = session_id
        self._born = ""
        self._lock = threading.RLock()
        self._listed: Place | None = None  # what exists() saw, for the read that follows it
        self._next = 0
        self._base = 0
        self._rewritten = 0  # how many of the commits that were read last came from a rewritten history
        self._lines: dict[int, bytes] = {}  # of the latest commits, in order, without a gap
        self._run_start = 0  # the number of the first commit that the next one may repeat
        self._wrote = False

    # -- the change log's methods --------------------------------------------------------------------------

    def exists(self) -> bool:
        """Whether the session is there."""
        with self._lock:
            if self._next == 0 and (self._listed is None or not self._listed.next):
                self._listed = self.place()
                return self._listed.next > 0
            return True

    def create(self, bodies: list[bytes]) -> bool:
        """Create the session with its first commits, in one object; False if another process was first."""
        with self._lock:
            self._born = uuid.uuid4().hex
            body = b"[" + b",".join(body[1:-1] for body in bodies) + b"]"
            self._listed = None
            line = commit_line(0, body)
            if not self._put(0, line, line):
                return False
            self._note(0, {0: line})
            return True

    def read(self) -> bytes:
        """Return the JSON array of every commit. Nothing is written."""
        with self._lock:
            for _ in range(_MOVED):
                place, self._listed = self._listed or self.place(), None
                if not place.next:
                    raise SessionException(
                        f"session {self._session_id!r} is gone: there is nothing at s3://{self.objects.bucket}/"
                        f"{self.prefix}"
                    )
                try:
                    return self._read(place)
                except _Moved:
                    continue
            raise SessionException(
                f"session {self._session_id!r}: it was rewritten {_MOVED} times while it was read. Try again"
            )

    def changed(self) -> bool:
        """Whether others have appended."""
        with self._lock:
            return self._next == 0 or any(True for _ in self._numbers(self._next - 1))

    def news(self) -> bytes | None:
        """Return the JSON array of the commits that others appended; None where the history was rewritten, too."""
        with self._lock:
            known = self._next
            numbers = list(self._numbers(known - 1))
            try:
                lines = self._tail(known, numbers)
            except _Moved:
                return None
            self._note(known, lines)
            return json_array(b"".join(lines.values()))

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """Say that nobody is known to have written: a conditional PUT tells."""
        with self._lock:
            yield False

    def append(self, body: bytes) -> None:
        """Append a commit durably.

        Raises:
            Behind: Others have written.
        """
        with self._lock:
            number = self._next
            line = commit_line(number, body)
            repeated = b"".join(self._repeated(number))
            if not self._put(number, repeated + line, line):
                raise Behind
            self._note(number, {number: line})
            self._wrote = True
            if (number + 1) % SEGMENT == 0:
                self._compact(number)

    def rewrite(self, bodies: list[bytes], change: bytes, touched: Collection[int] | None) -> None:
        """Put a rewritten history in place of all commits, and empty the objects that hold what must go.

        Raises:
            Behind: Others have written, and nothing was replaced.
        """
        with self._lock:
            number, base, known = self._next, self._base, self._rewritten
            line = commit_line(number, change)
            if not self._put(number, line, line):  # from here on everybody has the new history
                raise Behind
            self._note(number, {number: line})
            self._run_start = number
            lines = b"".join(commit_line(index, body) for index, body in enumerate(bodies))
            kept = f"s/{0:010d}-{number:010d}-r"
            self._store(kept, HEADER + lines)
            self._base = number + 1
            self._rewritten = len(bodies)
            gone = range(number) if touched is None else [base + index - known for index in touched if index >= known]
            self._empty({holder for commit in gone for holder in _holders(commit, number)})
            self._empty(
                segment.key
                for segment in self._all_segments()
                if segment.key != kept
                and segment.last <= number
                and (
                    (segment.rewritten and (touched is None or any(index < known for index in touched)))
                    or any(segment.first <= commit <= segment.last for commit in gone)
                )
            )

    def replace(self, bodies: list[bytes]) -> None:
        """Put a history in place of all commits, and leave the objects that hold them as they are: for repairs.

        Raises:
            Behind: Others have written, and nothing was replaced.
        """
        with self._lock:
            self._next = self.place().next
            self.rewrite(bodies, bodies[0], ())

    def rest(self) -> None:
        """Leave word that nobody is writing any more, if this object wrote."""
        with self._lock:
            if self._wrote:
                self._wrote = False
                try:
                    self._store(REST, b"%d" % self._next)
                except SessionException as error:  # the session counts as in use for a while longer
                    logger.warning(
                        "session_id=<%s>, error=<%s> | cannot say that it is at rest", self._session_id, error
                    )

    def close(self) -> None:
        """Leave word as :meth:`rest` does: there is nothing else to let go of."""
        self.rest()

    # -- listing -------------------------------------------------------------------------------------------

    def place(self) -> Place:
        """Return where the commits lie: two listings, however many there are."""
        place = cover(self._all_segments())
        for number, modified in self._commits(place.next - 1):
            place.tail.append(number)
            place.modified = modified
        if not place.tail and place.segments:
            place.modified = max((modified for _, modified in self._commits(place.next - 2)), default=None)
        return place

    def _all_segments(self) -> list[Segment]:
        listed = self.objects.list(f"{self.prefix}s/")
        found = [Segment.named(item.key.removeprefix(self.prefix), item.size) for item in listed]
        return [segment for segment in found if segment is not None and segment.size > len(HEADER)]

    def _commits(self, after: int) -> Iterator[tuple[int, datetime]]:
        prefix = f"{self.prefix}c/"
        for item in self.objects.list(prefix, f"{prefix}{after:010d}" if after >= 0 else ""):
            name = item.key.removeprefix(prefix)
            if name.isdecimal():
                yield int(name), item.modified

    def _numbers(self, after: int) -> Iterator[int]:
        return (number for number, _ in self._commits(after))

    # -- reading -------------------------------------------------------------------------------------------

    def _read(self, place: Place) -> bytes:
        rewritten: list[bytes] = []
        lines: dict[int, bytes] = {}
        for segment, data in zip(place.segments, self._fetch([segment.key for segment in place.segments]), strict=True):
            if segment.rewritten:
                rewritten = list(self._parse(segment.key, data, 0).values())
                continue
            found = self._parse(segment.key, data, segment.first)
            if max(found, default=-1) != segment.last:
                raise self._unreadable(segment.key, "it holds fewer commits than its name says")
            lines.update(found)
        after = place.segments[-1].last + 1 if place.segments else 0
        tail = self._tail(after, place.tail)
        lines.update(tail)
        self._base, self._rewritten = place.base, len(rewritten)
        self._lines, self._next = {}, after
        newest = dict(list(lines.items())[-SEGMENT:])
        self._note(min(newest, default=after), newest)
        return json_array(b"".join((*rewritten, *(lines[number] for number in range(place.base, place.next)))))

    def _tail(self, start: int, numbers: Sequence[int]) -> dict[int, bytes]:
        """Return the lines of the commits from ``start`` on, of which these numbers are there."""
        if not numbers:
            return {}
        newest = sorted({number // RUN: number for number in sorted(numbers)}.values())
        lines: dict[int, bytes] = {}
        last = numbers[-1]
        for number, data in zip(newest, self._fetch([f"c/{number:010d}" for number in newest]), strict=True):
            begin = max(start, number // RUN * RUN)
            found = self._parse(f"c/{number:010d}", data, None)
            if max(found, default=-1) != number:
                raise self._unreadable(f"c/{number:010d}", "its last commit is not its own")
            lines.update({at: line for at, line in found.items() if at >= begin})
            self._run_start = min(found)  # what the newest object does not repeat, no later one shall
            missing = min(found) - 1
            while missing >= begin:  # larger messages are not repeated
                key = f"c/{missing:010d}"
                [more] = self._fetch([key])
                found = self._parse(key, more, None)
                if max(found, default=-1) != missing:
                    raise self._unreadable(key, "its last commit is not its own")
                lines.update({at: line for at, line in found.items() if at >= begin})
                missing = min(found) - 1
        for number in range(start, last + 1):
            if number not in lines:
                raise self._unreadable(f"c/{number:010d}", "it is missing, and later ones are there")
        return dict(sorted(lines.items()))

    def _fetch(self, keys: Sequence[str]) -> list[bytes]:
        if len(keys) <= 1:
            return [self._get(key) for key in keys]
        with ThreadPoolExecutor(max_workers=min(8, len(keys)), thread_name_prefix="session-restore") as pool:
            return list(pool.map(self._get, keys))

    def _get(self, key: str) -> bytes:
        try:
            found = self.objects.get(self.prefix + key)
        except NotThere:
            raise self._unreadable(key, "it is missing") from None
        if found.data == HEADER:
            raise _Moved
        self._born = found.metadata.get(BORN, self._born)
        return found.data

    def _parse(self, key: str, data: bytes, first: int | None) -> dict[int, bytes]:
        """Return an object's lines by number. ``first`` is the number that it must begin with, if that is known."""
        if not data.startswith(HEADER):
            raise self._unreadable(key, "it is empty" if not data else "it has no header")
        whole = self._whole_lines(data, first)
        if whole:
            return whole
        lines: dict[int, bytes] = {}
        position, number = len(HEADER), first
        while position < len(data):
            commit = whole_commit(data, position)
            if commit is None or (number is not None and commit.number != number):
                raise self._unreadable(key, f"at byte {position} there is no whole commit")
            lines[commit.number] = data[position : commit.stop]
            position, number = commit.stop, commit.number + 1
        return lines

    def _whole_lines(self, data: bytes, first: int | None) -> dict[int, bytes]:
        """Return an object's lines by number, if they are whole all of them; else none."""
        match = PREFIX.match(data, len(HEADER))
        if match is None or not data.endswith(END):
            return {}
        number = int(match.group(3), 16) if first is None else first
        lines = data[len(HEADER) : -len(END)].split(END)
        return {number + index: line + END for index, line in enumerate(lines)} if are_whole(lines, number) else {}

    def _unreadable(self, key: str, what: str) -> Unreadable:
        return Unreadable(
            f"session {self._session_id!r}: s3://{self.objects.bucket}/{self.prefix}{key} is damaged: {what}."
            " Nothing was changed. S3SessionManager.verify() says more, S3SessionManager.repair() brings back what is"
            " whole, from earlier versions too where the bucket keeps them"
        )

    # -- writing -------------------------------------------------------------------------------------------

    def _put(self, number: int, lines: bytes, own: bytes) -> bool:
        """Store a commit's object; False where the number is another's.

        An answer may be lost though the write was applied, and then the client's own second attempt finds the key
        taken: who took it is told by what is stored with it.
        """
        key = f"{self.prefix}c/{number:010d}"
        attempt = uuid.uuid4().hex
        if self.objects.put_new(key, HEADER + lines, {_WRITER: attempt, BORN: self._born}):
            return True
        try:
            found = self.objects.get(key)
        except NotThere:
            return False
        return found.metadata.get(_WRITER) == attempt and found.data.endswith(own)

    def _note(self, first: int, lines: dict[int, bytes]) -> None:
        """Remember the newest lines, as many as the next segment needs."""
        if first != self._next:
            self._lines = {}
        self._lines.update(lines)
        self._next = max(lines, default=self._next - 1) + 1
        block = (self._next - 1) // SEGMENT * SEGMENT
        size = sum(map(len, self._lines.values()))
        for number in sorted(self._lines):
            if number >= min(block, self._next - RUN) and size <= _REMEMBERED:
                break
            size -= len(self._lines.pop(number))

    def _repeated(self, number: int) -> list[bytes]:
        """Return the lines that the object of a commit repeats: the latest of its run, as far as they are small."""
        lines: list[bytes] = []
        size = 0
        for earlier in range(number - 1, max(number // RUN * RUN, self._run_start, self._base - 1) - 1, -1):
            line = self._lines.get(earlier)
            size += len(line or b"")
            if line is None or size > RUN_BYTES:
                break
            lines.append(line)
        return lines[::-1]

    def _compact(self, last: int) -> None:
        """Write the largest segment that ends with a commit. What is not done here is done with a later one."""
        size = SEGMENT
        while (last + 1) % (size * MERGE) == 0:
            size *= MERGE
        try:
            while size >= SEGMENT:
                place = cover(self._all_segments())
                first = max(last + 1 - size, place.base)
                lines = self._between(place, first, last)
                data = HEADER + b"".join(lines[number] for number in range(first, last + 1))
                if len(data) <= SEGMENT_BYTES:
                    break
                size //= MERGE
            else:
                return
            key = f"s/{first:010d}-{last:010d}"
            self.objects.put_new(self.prefix + key, data, {BORN: self._born})
            if any(segment.rewritten and segment.last >= first for segment in self._all_segments()):
                self._empty([key])  # the history was rewritten meanwhile
        except (_Moved, SessionException) as error:  # the commit itself is stored: restores take longer, that is all
            logger.warning("session_id=<%s>, error=<%s> | no segment was written", self._session_id, error)

    def _between(self, place: Place, first: int, last: int) -> dict[int, bytes]:
        """Return the lines of commits, from memory as far as they are there."""
        lines = {number: line for number, line in self._lines.items() if first <= number <= last}
        needed = min(lines, default=last + 1)
        for segment in reversed(place.segments):
            if not segment.rewritten and segment.first < needed and segment.last >= first and needed > first:
                [data] = self._fetch([segment.key])
                lines |= {
                    number: line
                    for number, line in self._parse(segment.key, data, segment.first).items()
                    if first <= number < needed
                }
        for number in range(first, last + 1):
            if number not in lines:
                stop = next((n for n in range(number, last + 1) if n in lines), last + 1)
                lines |= self._tail(number, range(number, stop))
        return lines

    def _empty(self, keys: Collection[str] | Iterator[str]) -> None:
        for key in keys:
            self._store(key, HEADER)

    def _store(self, key: str, data: bytes) -> None:
        self.objects.put(self.prefix + key, data, {BORN: self._born})


def _holders(commit: int, stop: int) -> list[str]:
    """Return the keys of the commits' objects, before ``stop``, that may hold a commit."""
    return [f"c/{number:010d}" for number in range(commit, min((commit // RUN + 1) * RUN, stop))]
