"""A change log in S3: one conditional PUT a commit, few requests a restore, and no object without its number.

Under the session's prefix lie::

    root                       which life of the session this is, and commit 0 (:mod:`.s3_root`)
    <life>/c/<number>          a commit: its line, behind those of the commits before it in its run of 16
    <life>/s/<first>-<last>    a segment: the lines of many commits in one object, written beside them
    <life>/s/<first>-<last>-r  a rewritten history, which stands for everything up to its last number
    <life>/rest                says that the writer of a commit has stopped

Each object is a header and commit lines (:mod:`.commit_lines`). A commit's key is taken with ``If-None-Match: *``, so
that no writer can overwrite another's, and the numbers give all commits one order. A commit repeats what came before it
in its run, so that a restore fetches one object in 16, and a segment every 256 commits, merged four to one, keeps that
few for any length. Objects are never deleted but with their session: reading and writing need no more rights than
``s3:GetObject``, ``s3:PutObject`` and ``s3:ListBucket``.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import repeat

from strands.types.exceptions import SessionException

from ..log.change_log import Behind
from ..log.commit_lines import END, PREFIX, are_whole, commit_line, json_array, whole_commit
from .objects import NotThere, S3Objects
from .place import HEADER, Place, Segment, cover
from .root import ROOT, DamagedRoot, Root, new_life, read_root

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

SURE = 300.0
"""How many seconds a writer takes for granted that nobody deleted the session: then it looks, with one request."""

_WRITER = "writer"
"""Metadata of a commit: what tells a writer its own from another's."""

_MOVED = 5
"""How often a reader looks again where a history was rewritten beside it."""


class Unreadable(SessionException):
    """An object of a session is missing, or is not what was stored."""


class Deleted(SessionException):
    """The session was deleted while it was open."""


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
        life: The only life of the session that may be read, if it was read before.
    """

    def __init__(self, objects: S3Objects, prefix: str, session_id: str, life: str = "") -> None:
        self.objects = objects
        self.prefix = prefix
        self._session_id = session_id
        self._life = life
        self._over = False  # whether it is known that this life was deleted
        self._sure_at = 0.0  # when it was known last that it was not
        self._unsure: list[int] = []  # the commits that were written since
        self._lock = threading.RLock()
        self._root: Root | None = None  # what exists() saw, for the read that follows it
        self._next = 0
        self._base = 0
        self._rewritten = 0  # how many of the commits that were read last came from a rewritten history
        self._lines: dict[int, bytes] = {}  # of the latest commits, in order, without a gap
        self._run_start = 0  # the number of the first commit that the next one may repeat
        self._wrote = False

    @property
    def life(self) -> str:
        """The name of the life of the session that was read or created, or shall be; empty before that."""
        return self._life

    # -- the change log's methods --------------------------------------------------------------------------

    def exists(self) -> bool:
        """Whether the session is there."""
        with self._lock:
            self._expect_not_over()
            if self._next == 0:
                self._root = self._look()
                if self._root is not None and self._life not in ("", self._root.life):
                    raise self._deleted()
                return self._root is not None
            return True

    def create(self, bodies: list[bytes]) -> bool:
        """Create the session with its first commits; False if another process was first.

        The first commit is the session's record, and goes into the root. All others, which are there if a session is
        imported, are stored before it, as one: where there is a root, there is all of it.
        """
        with self._lock:
            self._root = None
            life, self._life = self._life, new_life()
            lines = {0: commit_line(0, bodies[0])}
            if len(bodies) > 1:
                lines[1] = commit_line(1, b"[" + b",".join(body[1:-1] for body in bodies[1:]) + b"]")
                self._store(f"c/{1:010d}", HEADER + lines[1])
            if not self._put_root(Root(self._life, bodies[0])):
                self._life = life
                return False
            self._note(0, lines)
            self._run_start = 0
            return True

    def mend_root(self, body: bytes) -> None:
        """Put a root in place of one that is damaged or missing: for repairs.

        Raises:
            SessionException: A session was started meanwhile, or it cannot be stored.
        """
        root = Root(self._life, body)
        with suppress(DamagedRoot):
            found = read_root(self.objects, self.prefix)
            if found is None and self._put_root(root):
                return
            raise SessionException(
                f"session {self._session_id!r}: it was started anew at s3://{self.objects.bucket}/{self.prefix} while"
                " it was repaired, and that is left as it is"
            )
        self.objects.put(self.prefix + ROOT, root.data(), {})

    def read(self) -> bytes:
        """Return the JSON array of every commit. Nothing is written."""
        with self._lock:
            self._expect_not_over()
            known = self._life
            if not self._next:
                root, self._root = self._root or self._look(), None
                if root is None or known not in ("", root.life):
                    raise self._deleted() if known else self._gone()
                self._life = root.life
            try:
                return self._read_whole()
            except SessionException:
                if not self._next:
                    self._life = known  # nothing was read of this life: another one may follow it
                raise

    def _read_whole(self) -> bytes:
        for _ in range(_MOVED):
            place = self.place()
            # What deletes a session removes its root first. So if that is still there now, the listing, which was
            # made before, shows all there was.
            with ThreadPoolExecutor(max_workers=1, thread_name_prefix="session-restore") as pool:
                after_listing = pool.submit(self._look)
                try:
                    lines = self._read(place)
                except _Moved:
                    continue
                except Unreadable:
                    self._expect_alive()  # a deletion may have begun meanwhile: that is no damage
                    raise
                root = self._expect_alive(after_listing.result())
            return self._take(place, root, *lines)
        raise SessionException(
            f"session {self._session_id!r}: it was rewritten {_MOVED} times while it was read. Try again"
        )

    def changed(self) -> bool:
        """Whether others have appended.

        Raises:
            Deleted: Others have deleted the session.
        """
        with self._lock:
            self._expect_not_over()
            return self._next == 0 or bool(self._others())

    def news(self) -> bytes | None:
        """Return the JSON array of the commits that others appended; None where the history was rewritten, too.

        Raises:
            Deleted: Others have deleted the session.
        """
        with self._lock:
            self._expect_not_over()
            known = self._next
            try:
                lines = self._tail(known, self._others())
            except _Moved:
                return None
            except Unreadable:
                self._expect_alive()
                raise
            self._note(known, lines)
            return json_array(b"".join(lines.values()))

    def _others(self) -> list[int]:
        """Return the numbers of the commits that others appended."""
        numbers = list(self._numbers(self._next - 2))
        if numbers[:1] != [self._next - 1]:  # the newest that was known is no longer there, or is the root
            self._expect_alive()
        return [number for number in numbers if number >= self._next]

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """Say that nobody is known to have written: a conditional PUT tells."""
        with self._lock:
            yield False

    def append(self, body: bytes) -> None:
        """Append a commit durably.

        Raises:
            Behind: Others have written.
            Deleted: Others have deleted the session, and this became known: see :data:`SURE`.
        """
        with self._lock:
            self._expect_not_over()
            number = self._next
            line = commit_line(number, body)
            repeated = b"".join(self._repeated(number))
            if not self._put(number, repeated + line, line):
                raise Behind
            self._unsure.append(number)
            self._make_sure()
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
            self._expect_not_over()
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
            gone = set(range(number)) if touched is None else {base + n - known for n in touched if n >= known}
            holders = {holder for commit in gone for holder in _holders(commit, number)}
            if base and (touched is None or any(index < known for index in touched)):
                # which of the commits that an earlier rewriting stands for must go, nobody knows any more: all do
                gone |= set(range(base))
                holders -= {f"c/{commit:010d}" for commit in range(base)}
                holders |= self._full_commits(base)
            self._empty(holders)
            self._empty_segments(kept, number, gone)

    def _full_commits(self, stop: int) -> set[str]:
        """Return the keys of the commits before ``stop`` whose objects were not emptied yet."""
        numbered = self._listed_commits(-1)
        return {f"c/{number:010d}" for number, size in numbered if number < stop and size > len(HEADER)}

    def _empty_segments(self, kept: str, number: int, gone: Collection[int]) -> None:
        """Empty the segments that hold commits that must go, once a rewriting is stored.

        Others may write a segment at this moment, from what they have in memory, or another rewriting from what they
        read before this one. Everyone stores first and lists then: so one of two sees what the other stored. What
        begins at or before a rewriting's number is needed no more, also where it reaches beyond it.
        """
        segments = self._all_segments()
        earliest = min(gone, default=number)
        for segment in segments:
            if segment.key == kept:
                needless = any(other.rewritten and other.last > number for other in segments)  # what it says is older
            elif segment.rewritten:
                needless = earliest <= segment.last < number
            else:
                needless = segment.first <= number and any(segment.first <= n <= segment.last for n in gone)
            if needless:
                self._empty([segment.key])

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
            if self._wrote and not self._over:
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

    # -- the life of the session ---------------------------------------------------------------------------

    def _look(self) -> Root | None:
        try:
            return read_root(self.objects, self.prefix)
        except DamagedRoot:
            raise self._unreadable(self.prefix + ROOT, "it is no whole root") from None

    def _put_root(self, root: Root) -> bool:
        """Store a root; False if the session has another."""
        if not self.objects.put_new(self.prefix + ROOT, root.data(), {}):
            found = self._look()  # an answer may be lost though the root was stored
            if found is None or found.life != root.life:
                return False
        self._be_sure()
        return True

    def _be_sure(self) -> None:
        self._sure_at = time.monotonic()
        self._unsure.clear()

    def _make_sure(self) -> None:
        """See, after a commit was stored and now and then, that its session is still there."""
        if time.monotonic() - self._sure_at < SURE:
            return
        try:
            self._expect_alive()
        except Deleted:
            raise
        except SessionException as error:  # the commit itself is stored
            logger.warning("session_id=<%s>, error=<%s> | cannot see the session's root", self._session_id, error)

    def _expect_alive(self, *seen: Root | None) -> Root:
        """Return the root, if it is still that of this life.

        Args:
            seen: What was found to be the root; it is fetched if this is not given.

        Raises:
            Deleted: It is not.
        """
        root = seen[0] if seen else self._look()
        if root is None or root.life != self._life:
            if self._next:
                self._over = True
                self._leave_nothing()
            raise self._deleted()
        self._be_sure()
        return root

    def _expect_not_over(self) -> None:
        if self._over:
            raise self._deleted()

    def _leave_nothing(self) -> None:
        """Empty what was written after a deletion: it repeats what was deleted.

        Where commits from before are still there, the deletion goes on and will find these, or was cut short, or only
        the root was lost: that is no reason to remove anything.
        """
        try:
            there = list(self._numbers(0)) if self._unsure else []
            if 1 not in there and set(there) <= set(self._unsure):
                self._empty([f"c/{number:010d}" for number in there])
        except SessionException as error:
            logger.warning("session_id=<%s>, error=<%s> | not all was emptied", self._session_id, error)

    def _deleted(self) -> Deleted:
        return Deleted(
            f"session {self._session_id!r} at s3://{self.objects.bucket}/{self.prefix} was deleted while it was open."
            " What is said now is not stored. To start a session with this id, open it with a new manager"
        )

    def _gone(self) -> SessionException:
        return SessionException(
            f"session {self._session_id!r} is gone: there is nothing at s3://{self.objects.bucket}/{self.prefix}"
        )

    def _key(self, name: str) -> str:
        return f"{self.prefix}{self._life}/{name}"

    # -- listing -------------------------------------------------------------------------------------------

    def place(self) -> Place:
        """Return where the commits lie: two listings, however many there are."""
        place = cover(self._all_segments())
        place.tail.extend(self._numbers(place.next - 1))
        return place

    def _all_segments(self) -> list[Segment]:
        listed = self.objects.list(self._key("s/"))
        found = [Segment.named(item.key.removeprefix(self._key("")), item.size) for item in listed]
        return [segment for segment in found if segment is not None and segment.size > len(HEADER)]

    def _listed_commits(self, after: int) -> Iterator[tuple[int, int]]:
        """Yield number and size of the commits behind one."""
        prefix = self._key("c/")
        for item in self.objects.list(prefix, f"{prefix}{after:010d}" if after >= 0 else ""):
            name = item.key.removeprefix(prefix)
            if name.isdecimal():
                yield int(name), item.size

    def _numbers(self, after: int) -> Iterator[int]:
        return (number for number, _ in self._listed_commits(after))

    # -- reading -------------------------------------------------------------------------------------------

    def _read(self, place: Place) -> tuple[list[bytes], dict[int, bytes]]:
        """Return the lines of the rewritten history, and by number those of the commits that are not in the root."""
        rewritten: list[bytes] = []
        lines: dict[int, bytes] = {}
        for segment, data in zip(place.segments, self._fetch([segment.key for segment in place.segments]), strict=True):
            found = self._parse(segment.key, data, 0 if segment.rewritten else segment.first)
            if segment.rewritten:
                rewritten = list(found.values())
                continue
            if max(found, default=-1) != segment.last:
                raise self._unreadable(self._key(segment.key), "it holds fewer commits than its name says")
            lines.update(found)
        lines.update(self._tail(place.segments[-1].last + 1 if place.segments else 1, place.tail))
        return rewritten, lines

    def _take(self, place: Place, root: Root, rewritten: list[bytes], lines: dict[int, bytes]) -> bytes:
        """Note what was read, and return it as an array."""
        if not place.base:
            lines = {0: commit_line(0, root.body), **lines}
        self._base, self._rewritten = place.base, len(rewritten)
        newest = dict(list(lines.items())[-SEGMENT:])
        self._lines, self._next = {}, min(newest, default=place.next)
        self._note(self._next, newest)
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
                raise self._unreadable(self._key(f"c/{number:010d}"), "its last commit is not its own")
            lines.update({at: line for at, line in found.items() if at >= begin})
            self._run_start = min(found)  # what the newest object does not repeat, no later one shall
            missing = min(found) - 1
            while missing >= begin:  # larger messages are not repeated
                key = f"c/{missing:010d}"
                [more] = self._fetch([key])
                found = self._parse(key, more, None)
                if max(found, default=-1) != missing:
                    raise self._unreadable(self._key(key), "its last commit is not its own")
                lines.update({at: line for at, line in found.items() if at >= begin})
                missing = min(found) - 1
        for number in range(start, last + 1):
            if number not in lines:
                raise self._unreadable(self._key(f"c/{number:010d}"), "it is missing, and later ones are there")
        return dict(sorted(lines.items()))

    def _fetch(self, keys: Sequence[str]) -> list[bytes]:
        if len(keys) <= 1:
            return [self._get(key) for key in keys]
        with ThreadPoolExecutor(max_workers=min(8, len(keys)), thread_name_prefix="session-restore") as pool:
            return list(pool.map(self._get, keys))

    def _get(self, key: str) -> bytes:
        try:
            data = self.objects.get(self._key(key)).data
        except NotThere:
            raise self._unreadable(self._key(key), "it is missing") from None
        if data == HEADER:
            raise _Moved
        return data

    def _parse(self, key: str, data: bytes, first: int | None) -> dict[int, bytes]:
        """Return an object's lines by number. ``first`` is the number that it must begin with, if that is known."""
        if not data.startswith(HEADER):
            raise self._unreadable(self._key(key), "it is empty" if not data else "it has no header")
        whole = self._whole_lines(data, first)
        if whole:
            return whole
        lines: dict[int, bytes] = {}
        position, number = len(HEADER), first
        while position < len(data):
            commit = whole_commit(data, position)
            if commit is None or (number is not None and commit.number != number):
                raise self._unreadable(self._key(key), f"at byte {position} there is no whole commit")
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
            f"session {self._session_id!r}: s3://{self.objects.bucket}/{key} is damaged: {what}."
            " Nothing was changed. S3SessionManager.verify() says more, S3SessionManager.repair() brings back what is"
            " whole, from earlier versions too where the bucket keeps them"
        )

    # -- writing -------------------------------------------------------------------------------------------

    def _put(self, number: int, lines: bytes, own: bytes) -> bool:
        """Store a commit's object; False where the number is another's.

        An answer may be lost though the write was applied, and then the client's own second attempt finds the key
        taken: who took it is told by what is stored with it.
        """
        key = self._key(f"c/{number:010d}")
        attempt = uuid.uuid4().hex
        if self.objects.put_new(key, HEADER + lines, {_WRITER: attempt}):
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
            self._write_segment(f"s/{first:010d}-{last:010d}", data, first)
        except (_Moved, SessionException) as error:  # the commit itself is stored: restores take longer, that is all
            logger.warning("session_id=<%s>, error=<%s> | no segment was written", self._session_id, error)

    def _write_segment(self, key: str, data: bytes, first: int) -> None:
        """Store a segment, and empty it if the history was rewritten meanwhile: see :meth:`_empty_segments`."""
        rewritten = True
        try:
            self.objects.put_new(self._key(key), data, {})
            rewritten = any(segment.rewritten and segment.last >= first for segment in self._all_segments())
        finally:
            if rewritten:  # or nobody knows: it can be done without
                self._empty([key])

    def _between(self, place: Place, first: int, last: int) -> dict[int, bytes]:
        """Return the lines of commits, from memory as far as they are there."""
        lines = {number: line for number, line in self._lines.items() if first <= number <= last}
        if first == 0 and 0 not in lines:
            lines = {0: commit_line(0, self._expect_alive().body), **lines}
        needed = min((number for number in lines if number), default=last + 1)
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

    def _empty(self, keys: Collection[str]) -> None:
        if len(keys) <= 1:
            for key in keys:
                self._store(key, HEADER)
            return
        with ThreadPoolExecutor(max_workers=min(8, len(keys)), thread_name_prefix="session-rewrite") as pool:
            list(pool.map(self._store, sorted(keys), repeat(HEADER)))

    def _store(self, key: str, data: bytes) -> None:
        self.objects.put(self._key(key), data, {})


def _holders(commit: int, stop: int) -> list[str]:
    """Return the keys of the commits' objects, before ``stop``, that may hold a commit."""
    return [f"c/{number:010d}" for number in range(max(commit, 1), min((commit // RUN + 1) * RUN, stop))]
