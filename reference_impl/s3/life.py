"""A life of a session in S3: the objects below its name, for as long as the session's root names it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from strands.types.exceptions import SessionException

from ..log.at_once import at_once
from .errors import Deleted, Gone, Moved, Unreadable
from .objects import Listed, NotThere, Page, S3Objects
from .place import ENDED, HEADER, commit_name, is_ours
from .root import ROOT, DamagedRoot, Root, read_root

logger = logging.getLogger(__name__)

SURE = 300.0
"""How many seconds a writer whose commits others can see takes for granted that nobody deleted the session without
leaving word (:mod:`.ending`): then it looks, with one request."""


class Life:
    """The objects of one life of a session, by their names below it.

    Attributes:
        objects: The bucket.
        prefix: The session's prefix, with a slash at its end.
        session_id: The session's id, for errors.
        name: The name of this life; empty before the session was read or created.
        over: Whether it is known that it was deleted.
        may_have_rest: Whether somebody may have said that a writer has stopped (:mod:`.rest`).
        is_read: Whether something was read or written of it: then no other life may follow it.

    Args:
        objects: The bucket.
        prefix: The session's prefix, with a slash at its end.
        session_id: The session's id, for errors.
        name: The only life of the session that may be read, if it was read before.
    """

    def __init__(self, objects: S3Objects, prefix: str, session_id: str, name: str = "") -> None:
        self.objects = objects
        self.prefix = prefix
        self.session_id = session_id
        self.name = name
        self.over = False
        self.may_have_rest = True
        self.is_read = False
        self._sure_at: tuple[float, float] | None = None  # when it was seen last that it was not, behind a commit
        self._to_empty: set[str] = set()  # the objects of which nobody could say that they were
        self._unsure: list[int] = []  # the commits that were written since its root was seen

    def leave_to_parent(self) -> None:
        """Forget, in a child that was forked, what was written: the child has written nothing."""
        self._sure_at = None
        self._unsure = []

    def key(self, name: str) -> str:
        """Return the key of an object of this life."""
        return f"{self.prefix}{self.name}/{name}"

    # -- objects -------------------------------------------------------------------------------------------

    def get(self, name: str) -> bytes:
        """Return an object.

        Raises:
            Moved: It was emptied: what it held was rewritten.
            Deleted: It is the end of this life.
            SessionException: It is missing, or cannot be read.
        """
        try:
            data = self.objects.get(self.key(name)).data
        except NotThere:
            raise self.unreadable(name, "it is missing") from None
        if data == HEADER:
            raise Moved(name)
        if data == ENDED:
            self.over = self.is_read
            raise self.deleted()
        return data

    def fetch(self, names: Sequence[str]) -> list[bytes]:
        """Return objects, fetched at once; raises what :meth:`get` raises."""
        return at_once(self.get, names)

    def store(self, name: str, data: bytes) -> None:
        """Store an object in place of any other.

        Raises:
            SessionException: It cannot be stored.
        """
        self.objects.put(self.key(name), data, {})

    def empty(self, names: Collection[str]) -> None:
        """Leave nothing in objects but the header. What cannot be emptied now is tried again by :meth:`empty_the_rest`.

        Raises:
            SessionException: One cannot be stored.
        """
        self._to_empty |= set(names)
        at_once(self._empty, sorted(names))

    def _empty(self, name: str) -> None:
        self.store(name, HEADER)
        self._to_empty.discard(name)

    def empty_later(self, name: str) -> None:
        """Have :meth:`empty_the_rest` empty an object."""
        self._to_empty.add(name)

    def empty_the_rest(self) -> None:
        """Empty what could not be emptied before.

        Raises:
            SessionException: It still cannot be.
        """
        if self._to_empty:
            self.empty(set(self._to_empty))

    def page(self) -> Page:
        """Return the first objects of this life, listed again where some are not ours: see :meth:`listed`.

        Raises:
            SessionException: They cannot be listed.
        """
        prefix = self.key("")
        page = self.objects.page(prefix)
        if not all(is_ours(item.key.removeprefix(prefix)) for item in page.items):
            page = self.objects.page(prefix)
        return page

    def commits(self, after: int) -> list[tuple[int, int]]:
        """Return number and size of the commits' objects behind one, in order; -1 for all.

        Raises:
            SessionException: They cannot be listed.
        """
        prefix = self.key("c/")
        found = self.listed(prefix, f"{prefix}{after:010d}" if after >= 0 else "", str.isdecimal)
        return [(int(item.key.removeprefix(prefix)), item.size) for item in found]

    def listed(self, prefix: str, after: str, is_ours: Callable[[str], bool]) -> list[Listed]:
        """Return the objects under a prefix whose names behind it are ours, listed again where some are not.

        Args:
            prefix: The prefix.
            after: Only objects with keys behind this one.
            is_ours: Whether a name is. One that is not may have been changed on its way, or be a stranger's.

        Raises:
            SessionException: They cannot be listed.
        """
        found = list(self.objects.list(prefix, after))
        ours = [item for item in found if is_ours(item.key.removeprefix(prefix))]
        if len(ours) < len(found):
            ours = [item for item in self.objects.list(prefix, after) if is_ours(item.key.removeprefix(prefix))]
        return ours

    # -- the root ------------------------------------------------------------------------------------------

    def look(self) -> Root | None:
        """Return the session's root, whichever life it names; None where there is none.

        Raises:
            SessionException: It is damaged, or cannot be read.
        """
        try:
            return read_root(self.objects, self.prefix)
        except DamagedRoot:
            raise self._unreadable(self.prefix + ROOT, "it is no whole root") from None

    def put_root(self, root: Root) -> bool:
        """Store a root; False if the session has another.

        Raises:
            SessionException: It cannot be stored.
        """
        if not self.objects.put_new(self.prefix + ROOT, root.data(), {}):
            found = self.look()  # an answer may be lost though the root was stored
            if found is None or found.life != root.life:
                return False
        return True

    def mend_root(self, body: bytes) -> None:
        """Put a root in place of one that is damaged or missing: for repairs.

        Raises:
            SessionException: A session was started meanwhile, or it cannot be stored.
        """
        root = Root(self.name, body)
        with suppress(DamagedRoot):
            found = read_root(self.objects, self.prefix)
            if found is None and self.put_root(root):
                return
            raise SessionException(
                f"session {self.session_id!r}: it was started anew at s3://{self.objects.bucket}/{self.prefix} while"
                " it was repaired, and that is left as it is"
            )
        self.objects.put(self.prefix + ROOT, root.data(), {})

    # -- whether it goes on --------------------------------------------------------------------------------

    def is_unsure_after(self, number: int) -> bool:
        """Note that a commit was stored; return whether it is to be seen (:meth:`see`) that the session is still there.

        A deletion leaves word for those whose commits show that they write. Who has written none, or has stopped since,
        looks at the root when the first one is stored: one of the two sees what the other did. Then it is looked at
        now and then.
        """
        self.is_read = True
        self._unsure.append(number)
        if self._sure_at is None:
            return True
        return max(at - before for at, before in zip(_now(), self._sure_at, strict=True)) >= SURE

    def see(self) -> None:
        """See that the session is still there.

        Raises:
            Deleted: It is not.
        """
        now = _now()
        try:
            self.expect_alive()
        except Deleted:
            raise
        except SessionException as error:  # the commit itself is stored
            logger.warning("session_id=<%s>, error=<%s> | cannot see the session's root", self.session_id, error)
        else:
            self._sure_at = now

    def note_rest(self) -> None:
        """Note that this writer said that it has stopped."""
        self._sure_at = None

    def expect_alive(self, *seen: Root | None) -> Root:
        """Return the root, if it is still that of this life.

        Args:
            seen: What was found to be the root; it is fetched if this is not given.

        Raises:
            Deleted: It is not.
            SessionException: It cannot be read.
        """
        root = seen[0] if seen else self.look()
        if root is None or root.life != self.name:
            if self.is_read:
                self.over = True
                self._leave_nothing()
            raise self.deleted()
        self._unsure.clear()
        return root

    def expect_not_over(self) -> None:
        """Raise :class:`Deleted` if it is known that this life is over."""
        if self.over:
            raise self.deleted()

    def _leave_nothing(self) -> None:
        """Empty what was written after a deletion: it repeats what was deleted.

        Where the history is still there, the deletion goes on and will find these, or was cut short, or only the root
        was lost: that is no reason to remove anything. A deletion removes the first commit before all others, so that
        what is there without it is what others have written after the deletion, too. A listing may come late: it is not
        asked for what this writer has stored, nor believed that the first commit is still there.
        """
        try:
            found = dict(self.commits(0)) if self._unsure else {}
            doubted = [number for number in self._unsure if number not in found] + [1] * (1 in found)
            found |= dict(zip(doubted, at_once(self._size, doubted), strict=True))
            there = {number for number, size in found.items() if size > len(ENDED)}  # each other one says nothing
            own = there & set(self._unsure)
            is_over = 1 not in there or there == own
            if own and is_over and all(item.size <= len(HEADER) for item in self.objects.list(self.key("s/"))):
                self.empty([commit_name(number) for number in own])
        except SessionException as error:
            logger.warning("session_id=<%s>, error=<%s> | not all was emptied", self.session_id, error)

    def _size(self, number: int) -> int:
        """Return how many bytes a commit's object has; 0 where there is none."""
        try:
            return len(self.objects.get(self.key(commit_name(number))).data)
        except NotThere:
            return 0

    # -- errors --------------------------------------------------------------------------------------------

    def deleted(self) -> Deleted:
        """Return what says that the session was deleted."""
        return Deleted(
            f"session {self.session_id!r} at s3://{self.objects.bucket}/{self.prefix} was deleted while it was open."
            " What is said now is not stored. To start a session with this id, open it with a new manager"
        )

    def gone(self) -> Gone:
        """Return what says that there is no session."""
        return Gone(
            f"session {self.session_id!r} is gone: there is nothing at s3://{self.objects.bucket}/{self.prefix}"
        )

    def unreadable(self, name: str, what: str) -> Unreadable:
        """Return what says that an object is damaged, and how."""
        return self._unreadable(self.key(name), what)

    def _unreadable(self, key: str, what: str) -> Unreadable:
        return Unreadable(
            f"session {self.session_id!r}: s3://{self.objects.bucket}/{key} is damaged: {what}."
            " Nothing was changed. S3SessionManager.verify() says more, S3SessionManager.repair() brings back what is"
            " whole, from earlier versions too where the bucket keeps them"
        )


def _now() -> tuple[float, float]:
    """Return the seconds of two clocks: one stands still while the machine sleeps, and the other can be set."""
    return time.monotonic(), time.time()
