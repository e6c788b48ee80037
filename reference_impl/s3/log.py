"""A change log in S3: one conditional PUT a commit, few requests a restore, and no object without its number.

Under the session's prefix lie::

    root                       which life of the session this is, and commit 0 (:mod:`.root`)
    <life>/c/<number>          a commit: its line, behind those of the commits before it in its run of 16
    <life>/s/<first>-<last>    a segment: the lines of many commits in one object, written beside them
    <life>/s/<first>-<last>-r  a rewritten history, which stands for everything up to its last number
    <life>/s/<first>-<last>-f  a folded one, which does so too
    <life>/rest                says which commits are of writers that have stopped (:mod:`.rest`)

Each object is a header and commit lines (:mod:`..log.commit_lines`). A commit's key is taken with
``If-None-Match: *``, so that no writer can overwrite another's, and the numbers give all commits one order. A commit
repeats what came before it in its run, so that a restore fetches one object in 16, and a segment every 256 commits,
merged four to one, keeps that few for any length. As a session grows, a history takes the place of its commits
(:mod:`.folding`), and their objects are removed where that is allowed: reading and writing need no more rights than
``s3:GetObject``, ``s3:PutObject`` and ``s3:ListBucket``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

from strands.types.exceptions import SessionException

from ..log.at_once import beside
from ..log.change_log import Behind
from ..log.commit_lines import Writer, commit_line, json_array
from ..log.forking import begin_anew_in_children
from . import sizes
from .conditional import expect_conditional_writes
from .deletion import withdraw
from .errors import Deleted, Moved, Unreadable
from .folding import Folding
from .life import Life
from .lines import LatestLines, Tail, tail
from .objects import NotThere, S3Objects
from .place import HEADER, REST, Place, commit_name
from .reading import read_lines
from .rest import Rest, read_rest
from .rewriting import empty_commits, empty_segments, empty_what_may_come
from .root import Root, life_of, new_life
from .segments import all_segments, compact, place_of

logger = logging.getLogger(__name__)

_MOVED = 5
"""How often a reader looks again where a history was rewritten beside it."""


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
        one_writer: Whether the store may ignore ``If-None-Match``: whoever says so sees to it that nobody else writes.
    """

    def __init__(
        self,
        objects: S3Objects,
        prefix: str,
        session_id: str,
        life: str = "",
        one_writer: bool = False,
    ) -> None:
        self.objects = objects
        self.prefix = prefix
        self._life = Life(objects, prefix, session_id, life)
        self._session_id = session_id
        self._lock = threading.RLock()
        self._is_new = False  # whether it was seen that there is no session
        self._latest = LatestLines()
        self._folding = Folding(self._life)
        self._rewritten = 0  # how many of the commits that were read last came from a rewritten history
        self._writer = Writer()  # of commits that have no label
        self._own: Rest | None = None  # the latest of its own commits, without another's between them
        self._rested = True
        self._one_writer = one_writer
        begin_anew_in_children(self)

    def leave_to_parent(self) -> None:
        """Begin anew, in a child that was forked: what was written is the parent's, and its lock may be held."""
        self._lock = threading.RLock()
        self._life.leave_to_parent()
        self._folding = Folding(self._life)
        self._writer = Writer()
        self._own, self._rested = None, True

    @property
    def life(self) -> str:
        """The name of the life of the session that was read or created, or shall be; empty before that."""
        return self._life.name

    def exists(self) -> bool:
        """Whether the session is there."""
        with self._lock:
            self._life.expect_not_over()
            if self._latest.next == 0:
                root = self._life.look()
                if root is not None and self._life.name not in ("", root.life):
                    raise self._life.deleted()
                return root is not None
            return True

    def create(self, body: bytes) -> bool:
        """Create the session with its first commit, which goes into the root; False if it is there already."""
        with self._lock:
            is_new, self._is_new = self._is_new, False
            if not is_new and self.exists():
                return False
            before, self._life.name, self._life.may_have_rest = self._life.name, new_life(), False
            try:
                self._expect_conditional_writes()
            except SessionException:
                self._life.name = before
                raise
            if not self._life.put_root(Root(self._life.name, body)):
                self._life.name = before
                return False
            lines = {0: commit_line(0, body)}
            self._life.is_read = True
            self._latest.note(0, lines)
            self._latest.run_start = 0
            self._folding.note_read(Place(), 0, lines)
            self._note_own(0, 1)
            return True

    def withdraw(self) -> None:
        """Remove the session that this object created, unless others have written to it meanwhile."""
        with self._lock, suppress(SessionException):  # without the right to delete an empty session stays
            withdraw(self.objects, self.prefix, self._session_id, self._life.name)

    def _expect_conditional_writes(self) -> None:
        if not self._one_writer and expect_conditional_writes(self.objects, self._life.key(REST), Rest(0, 0).data()):
            self._life.may_have_rest = True

    def _note_own(self, first: int, stop: int) -> None:
        """Note which commits it wrote."""
        if self._own is not None and self._own.stop == first:
            first = self._own.first
        self._own = Rest(first, stop)
        self._rested = False

    def mend_root(self, body: bytes) -> None:
        """Put a root in place of one that is damaged or missing: for repairs.

        Raises:
            SessionException: A session was started meanwhile, or it cannot be stored.
        """
        self._life.mend_root(body)

    # -- reading -------------------------------------------------------------------------------------------

    def read(self) -> bytes:
        """Return the JSON array of every commit. Nothing is written."""
        with self._lock:
            self._life.expect_not_over()
            if self._life.name:
                return self._read_whole()
            try:
                return self._read_first()
            except BaseException:
                self._life.name = ""  # nothing was read of this life: another one may follow it
                raise

    def _read_first(self) -> bytes:
        """Find out which life the session has, and read it.

        As a rule all objects are those of one life, which is taken for the session's until the root has come, beside
        the commits. It is the right one only if the root says so. A session that has a commit was whole before that:
        so the listing shows all there was of it, though it was made before the root was seen.
        """
        page = self.objects.page(self.prefix)
        if page.is_all and not page.items:
            self._is_new = True
            raise self._life.gone()
        self._life.name = life_of(page, self.prefix)
        if self._life.name:
            place = place_of(self._life, page)
            with beside(self._life.look) as after_listing, suppress(Moved, Unreadable, Deleted):
                rewritten, found = read_lines(self._life, place)
                root = after_listing()
                if root is not None and root.life == self._life.name:
                    return self._note_all(place, root, rewritten, found)
        root = self._life.look()
        if root is None:
            self._is_new = True
            raise self._life.gone()
        self._life.name = root.life
        return self._read_whole()

    def _read_whole(self) -> bytes:
        damaged = ""
        emptied: tuple[str, Place] | None = None
        for _ in range(_MOVED):
            place = self.place()
            # What deletes a session removes its root first. So if that is still there now, the listing, which was
            # made before, shows all there was.
            with beside(self._life.look) as after_listing:
                try:
                    rewritten, found = read_lines(self._life, place)
                except Moved as moved:
                    self._expect_moved(moved.name, place, emptied)
                    emptied = moved.name, place
                    continue
                except Unreadable as error:
                    self._life.expect_alive()  # a deletion may have begun meanwhile: that is no damage
                    if str(error) == damaged:
                        raise
                    damaged = str(error)  # on its way, perhaps, or it is compacted at this moment
                    continue
                root = self._life.expect_alive(after_listing())
            return self._note_all(place, root, rewritten, found)
        self._life.expect_alive()  # else what is empty was refused, after a deletion
        raise SessionException(
            f"session {self._session_id!r}: it was rewritten {_MOVED} times while it was read. Try again"
        )

    def _expect_moved(self, name: str, place: Place, before: tuple[str, Place] | None) -> None:
        """Make sure that what took an emptied object's place may yet be found.

        Raises:
            Deleted: The session was deleted.
            Unreadable: Nothing did, as nothing did at the look before this one: it was lost.
        """
        if before == (name, place):
            self._life.expect_alive()
            raise self._life.unreadable(name, "it was emptied when the history was rewritten, and that is missing")

    def place(self) -> Place:
        """Return where the commits lie."""
        return place_of(self._life)

    def _note_all(self, place: Place, root: Root, rewritten: list[bytes], found: Tail) -> bytes:
        """Note what was read, and return it as an array."""
        lines = found.lines if place.base else {0: commit_line(0, root.body), **found.lines}
        self._is_new = False
        self._rewritten = len(rewritten)
        self._latest.base = place.base
        self._latest.note_all(Tail(lines, found.begins), place.next)
        self._life.is_read = True
        self._folding.note_read(place, sum(map(len, rewritten)), lines)
        return json_array(b"".join((*rewritten, *(lines[number] for number in range(place.base, place.next)))))

    def changed(self) -> bool:
        """Whether others have appended.

        Raises:
            Deleted: Others have deleted the session.
        """
        with self._lock:
            self._life.expect_not_over()
            return self._latest.next == 0 or bool(self._others())

    def news(self) -> bytes | None:
        """Return the JSON array of the commits that others appended; None where the history was rewritten, too.

        Raises:
            Deleted: Others have deleted the session.
        """
        with self._lock:
            self._life.expect_not_over()
            known = self._latest.next
            try:
                found = tail(self._life, known, self._others())
            except Moved:
                return None
            except Unreadable:
                self._life.expect_alive()
                return None  # it is read as a whole, and found to be damaged or not
            self._latest.note_tail(known, found)
            self._folding.note_others(found.lines)
            return json_array(b"".join(found.lines.values()))

    def _others(self) -> list[int]:
        """Return the numbers of the commits that others appended."""
        known = self._latest.next
        numbers = [number for number, _ in self._life.commits(known - 2)]
        if numbers[:1] != [known - 1]:  # the newest that was known is no longer there, or is the root
            self._life.expect_alive()
        return [number for number in numbers if number >= known]

    # -- writing -------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """Say that nobody is known to have written: a conditional PUT tells."""
        with self._lock:
            yield False

    def append(self, body: bytes, label: str = "") -> None:
        """Append a commit durably.

        Raises:
            Behind: Others have written.
            Deleted: Others have deleted the session, and this became known: see :data:`.life.SURE`.
        """
        with self._lock:
            self._life.expect_not_over()
            if self._own is None:
                self._expect_conditional_writes()
            number = self._latest.next
            line = commit_line(number, body, label=label or self._writer.next_id())
            lines = b"".join(self._latest.repeated(number)) + line
            if not self._put(number, lines, line):
                raise Behind
            self._note_own(number, number + 1)
            self._expect_in_place(number)
            self._latest.note(number, {number: line})
            self._folding.note_written(number, line, len(lines))
            if (number + 1) % sizes.SEGMENT == 0 and not self._folding.is_near():
                self._folding.note_segment(compact(self._life, self._latest, number))

    def compact_if_due(self, fold: Callable[[bytearray], list[bytes]]) -> None:
        """Fold the commits if their objects have outgrown what they add up to, beside whoever writes."""
        self._folding.fold_if_due(self._latest.next - 1, fold)

    def make_durable(self) -> None:
        """Do nothing: what can be read of S3 is durable."""

    def _expect_in_place(self, number: int) -> None:
        """See, now and then, that the session is still there, and that no history stands for this number already.

        The objects of commits that were folded are gone, and their numbers are free. Whoever has not written for long
        may take one of them.

        Raises:
            Behind: One does: the commit is void.
            Deleted: Others have deleted the session.
        """
        if not self._life.is_unsure_after(number):
            return
        with beside(lambda: all_segments(self._life)) as segments:
            self._life.see()
        if any(segment.rewritten and segment.last >= number for segment in segments()):
            self._life.empty([commit_name(number)])
            raise Behind
        with suppress(SessionException):  # it is done with the next look, or at the end
            empty_what_may_come(self._life)

    def _put(self, number: int, lines: bytes, own: bytes) -> bool:
        """Store a commit's object; False where the number is another's.

        An answer may be lost though the write was applied, and then the client's own second attempt finds the key
        taken: who took it is told by the commit's id.
        """
        key = self._life.key(commit_name(number))
        if self._life.objects.put_new(key, HEADER + lines, {}):
            return True
        try:
            return self._life.objects.get(key).data.endswith(own)
        except NotThere:
            return False

    def rewrite(self, bodies: list[bytes], change: bytes, touched: Collection[int] | None, label: str = "") -> None:
        """Put a rewritten history in place of all commits, and empty the objects that hold what must go.

        Raises:
            Behind: Others have written, and nothing was replaced.
        """
        with self._lock:
            self._life.expect_not_over()
            if self._own is None:
                self._expect_conditional_writes()
            number, base, known = self._latest.next, self._latest.base, self._rewritten
            self._take(number, change, label)  # from here on everybody has the new history
            # A history that others put meanwhile holds this change: it is not void, and what it replaces must still go.
            if self._life.is_unsure_after(number):
                self._life.see()
            kept = self._put_rewritten(number, bodies)
            try:
                self._life.expect_alive()
            except Deleted:  # what deleted the session may have listed its objects before
                self._life.empty([kept])
                raise
            gone = empty_commits(self._life, number, base, known, touched)
            empty_segments(self._life, kept, number, gone)
            self._life.empty_the_rest()

    def replace(self, bodies: list[bytes]) -> None:
        """Put a history in place of all commits, and leave the objects that hold them as they are: for repairs.

        Raises:
            Behind: Others have written, and nothing was replaced.
        """
        with self._lock:
            number = self._latest.next = self.place().next
            self._take(number, bodies[0])
            self._put_rewritten(number, bodies)

    def _take(self, number: int, change: bytes, label: str = "") -> None:
        """Store a commit that repeats none."""
        line = commit_line(number, change, label=label or self._writer.next_id())
        if not self._put(number, line, line):
            raise Behind
        self._note_own(number, number + 1)
        self._latest.note(number, {number: line})
        self._latest.run_start = number
        self._folding.note_taken(number, line)

    def _put_rewritten(self, number: int, bodies: list[bytes]) -> str:
        """Store a history that stands for all commits up to one, and return its object's name."""
        lines = b"".join(commit_line(index, body) for index, body in enumerate(bodies))
        name = f"s/{0:010d}-{number:010d}-r"
        try:
            self._life.objects.put_new(self._life.key(name), HEADER + lines, {})
        except SessionException:  # S3 may carry it out later, and others may redact what it holds before that
            self._life.empty_later(name)
            raise
        self._latest.base = number + 1
        self._rewritten = len(bodies)
        self._folding.note_rewritten(name, number + 1, len(lines))
        return name

    def rest(self) -> None:
        """Leave word that this object is not writing any more, if it wrote.

        Raises:
            Deleted: Others have deleted the session.
        """
        with self._lock:
            self._folding.wait()
            with suppress(SessionException):
                self._life.empty_the_rest()
                empty_what_may_come(self._life)
            self._life.expect_not_over()
            if self._rested or self._own is None:
                return
            try:
                self._say_at_rest(self._own)
            except Deleted:
                raise
            except SessionException as error:  # the session counts as in use for a while longer
                logger.warning("session_id=<%s>, error=<%s> | cannot say that it is at rest", self._session_id, error)
            else:
                self._life.note_rest()
            self._rested = True

    def _say_at_rest(self, own: Rest) -> None:
        """Say which commits are of a writer that has stopped, beside those of which others have said so.

        Raises:
            Deleted: Others have deleted the session.
            SessionException: It cannot be stored.
        """
        key, said = self._life.key(REST), False
        if not self._life.may_have_rest:
            self._life.expect_alive()
            said = self.objects.put_new(key, own.data(), {})
        if not said:
            with beside(lambda: read_rest(self.objects, self._life.key(""))) as at_rest:
                self._life.expect_alive()
            known = at_rest()
            self.objects.put(key, (known.with_own(own) if known is not None else own).data(), {})
        self._life.may_have_rest = True

    def close(self) -> None:
        """Leave word as :meth:`rest` does: there is nothing else to let go of."""
        with suppress(Deleted):
            self.rest()
