"""A journal on disk: durable commits, several processes at a time, and nothing ever overwritten."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import threading
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from strands.types.exceptions import SessionException

from ..log.change_log import Deleted
from ..log.commit_lines import bodies_of, commit_line
from ..log.commit_lines import json_array as array_of
from ..log.forking import begin_anew_in_children
from ..log.ownership import take_after
from ..log.paths import is_folder, is_link
from ..log.sdk_layout import sdk_folder
from .compaction import Compaction, Fold
from .copies import NEW, remove_replacements, warn_of_copies, write_new
from .descriptors import forget, is_held_here, note_use
from .errors import told_of
from .folders import hide, new_folder, remove_leftovers, unlock, unused_folder
from .handle import FILE, Handle, open_regular
from .journal import BLOCK, TRAILER, Damage, Header, Scan, new_journal, new_life
from .posix import check_platform, fcntl, make_private, sync_all, sync_folder, sync_names
from .posix import sync as _sync
from .posix import write_at as _write
from .reading import Look, ends_with_trailer, header_of, life_of, look_at, read_up_to_nul
from .room import make_room
from .scanning import follow_lines, json_array
from .torn import WITHDRAWN

logger = logging.getLogger(__name__)

_NEVER = ("", -1)


class JournalFile:
    """The journal of one session, and of one life of it: that which was read or created first.

    Every method raises ``SessionException`` where the file is damaged, gone, or cannot be read or written; the text
    names the session, the file, what was found and what to do. Once another life has begun it is :class:`Deleted`.

    A child that is forked shares its parent's descriptors, and with them its locks: the two would not keep each other
    out. So a child begins with none (:meth:`leave_to_parent`).

    Args:
        folder: The session's folder, which holds nothing but the journal and what repairs put aside.
        session_id: The session's id, for errors.

    Raises:
        SessionException: The system has no locks or syncs of the kind that is needed.
    """

    def __init__(self, folder: Path, session_id: str) -> None:
        check_platform()
        self.folder = folder
        self.path = folder / FILE
        self._session_id = session_id
        self._handle = Handle(folder, session_id)
        self._life = ""
        self._known: Scan | None = None  # what was read or written last; None if that must be read again
        self._durable = _NEVER  # the generation, and the end of what is known to be durable there, names included
        self._descriptor: int | None = None  # of the journal, while it is being written
        self._compaction = Compaction(self)
        self._lock = threading.RLock()
        begin_anew_in_children(self)

    def exists(self) -> bool:
        """Whether the session is there: its folder is, since that comes into being with the journal in it."""
        with self._errors("read"):
            return is_folder(self.folder) or is_link(self.folder)

    def create(self, body: bytes) -> bool:
        """Create the session with its first commit, durably and at once.

        Returns:
            False if it is there already.
        """
        if self.exists():
            return False
        data, found = new_journal([(body, "")], new_life())
        with self._lock, self._errors("create"):
            make_private(self.folder.parent)
            self._remove_leftovers()
            with new_folder(self.folder) as unfinished:
                os.close(write_new(unfinished / FILE, data))
                sync_folder(unfinished)
                try:
                    unfinished.rename(self.folder)
                except OSError as error:
                    if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                        return False
                    raise
            sync_names(self.folder)
            self._life, self._durable = found.life, (found.header.generation, found.end)
        return True

    def withdraw(self) -> None:
        """Remove the session that this object created, unless others have it open or have written to it meanwhile."""
        with self._lock, self._errors("remove"), contextlib.suppress(SessionException):
            self._handle.drop()
            self._handle.rest()
            with unused_folder(self.folder) as is_unused:
                if not is_unused:
                    return
                look = self.look()
                if not isinstance(look.found, Damage) and (look.found.life, look.found.number) == (self._life, 1):
                    shutil.rmtree(hide(self.folder), ignore_errors=True)
                    sync_folder(self.folder.parent)

    # -- reading -------------------------------------------------------------------------------------------

    def read(self) -> bytearray:
        """Return the JSON array of every commit, and remember where they end. Nothing is written."""
        with self._lock, self._errors("read"):
            was_held = self._handle.is_held
            self._handle.hold()  # before the look: whoever removes unused sessions looks again once nobody can come
            try:
                look = self.look()
                if isinstance(look.found, Damage):
                    raise look.found
                self._expect_same_life(look.found.life)
            except BaseException:
                if not was_held:
                    self._handle.rest()
                raise
            if look.found.torn:
                logger.warning(
                    "session_id=<%s>, file=<%s>, offset=<%d>, bytes=<%d> | a commit that a crash cut short is left out",
                    self._session_id,
                    self.path,
                    look.found.end,
                    look.found.torn,
                )
            self._life = look.found.life
            self._known = look.found
            note_use(self)
            return json_array(look.data, look.found)

    def look(self) -> Look:
        """Return what is in the file, and what that holds. Nothing is remembered, and nothing is written.

        A reader beside a writer may see half of a write, with any of its bytes missing. So what looks torn or damaged
        is looked at once more while nobody writes.
        """
        with self._lock, self._errors("read"):
            self._handle.check_folder()
            descriptor, _ = open_regular(self.path, os.O_RDONLY)
            try:
                look = look_at(descriptor)
                if (isinstance(look.found, Damage) or look.found.torn) and self._descriptor is None:
                    fcntl.flock(descriptor, fcntl.LOCK_SH)
                    try:
                        look = look_at(descriptor)
                    finally:
                        fcntl.flock(descriptor, fcntl.LOCK_UN)
                return look
            finally:
                os.close(descriptor)

    def changed(self) -> bool:
        """Whether the file is not as it was when it was read or written last."""
        with self._lock, self._errors("read"):
            self._handle.check_folder()
            try:
                descriptor, _ = open_regular(self.path, os.O_RDONLY)
            except FileNotFoundError:
                return True
            try:
                header = header_of(descriptor)
                if header is not None:
                    self._expect_same_life(life_of(descriptor, header))
                return not self._is_known(descriptor, header) or self._has_more(descriptor)
            finally:
                os.close(descriptor)

    def news(self) -> bytes | None:
        """Return the array of the commits that others appended; None where the whole journal must be read again."""
        with self._lock, self._errors("read"):
            if self._known is None or self._descriptor is None:
                return None
            descriptor, known = self._descriptor, replace(self._known)
            if not self._is_known(descriptor, self._handle.header):
                return None
            if known.torn and os.pread(descriptor, len(WITHDRAWN), known.end) == WITHDRAWN:
                return array_of(b"")  # what this object took back: nobody has put anything in its place
            lines = read_up_to_nul(descriptor, known.end)
            size = os.fstat(descriptor).st_size
            if follow_lines(lines, known) != len(lines) or not ends_with_trailer(descriptor, size):
                return None  # torn, withdrawn or damaged: a scan tells
            known.capacity = size
            if lines:
                known.torn = (
                    0  # whoever put something there has cleared it; else it may begin behind bytes that are missing
                )
            self._known = known
            return array_of(lines)

    def rest(self) -> None:
        """No longer count as a user of the session, until it is read or written again."""
        self._compaction.wait()
        with self._lock:
            self._handle.rest()

    # -- writing -------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self) -> Iterator[bool]:
        """Keep every other writer out. Yields whether others have written since this object last looked."""
        with self._lock, self._errors("write"):
            try:
                try:
                    self._descriptor = descriptor = self._handle.lock()
                    note_use(self)
                    header = self._handle.header
                    if header is not None and header.life != self._life:
                        self._expect_same_life(life_of(descriptor, header))
                    yield not self._is_known(descriptor, header) or self._has_more(descriptor)
                except BaseException:
                    self._handle.drop_if_dead()
                    raise
                finally:
                    self._let_others_in()
            finally:
                self._let_others_in()  # again, in case that the handler of a signal broke off the first one

    def _let_others_in(self) -> None:
        self._descriptor = None
        self._handle.unlock()

    def append(self, body: bytes, label: str = "") -> None:
        """Append a commit, and return when it is durable. Only while :meth:`writing`, and when up to date."""
        with self._errors("write"):
            self._append(body, label)

    def _append(self, body: bytes, label: str) -> None:
        known, self._known = self._known, None  # nothing is known of a commit that something breaks off
        assert known is not None
        if not known.header.generation:
            known = self._write_anew(known)
        line = commit_line(known.number, body, known.before, label)
        try:
            self._make_durable(known)
            make_room(self._writable, known, len(line))
            self._write_durably(line, known)
        except OSError:
            self._known = known
            raise
        self._known = known
        self._durable = (known.header.generation, known.end)

    def make_durable(self) -> None:
        """Make all durable that was read. Only while :meth:`writing`, and when up to date."""
        assert self._known is not None
        self._make_durable(self._known)

    def _write_durably(self, line: bytes, known: Scan) -> None:
        descriptor = self._writable
        known.torn = len(line)  # until it is known to be durable
        try:
            _write(descriptor, line, known.end)
            _sync(descriptor)
        except BaseException:
            # The disk may have any part of it. So it says of itself that it does not count, in every sector.
            with contextlib.suppress(OSError):
                _write(descriptor, WITHDRAWN + line[len(WITHDRAWN) :], known.end)
            raise
        known.torn = 0
        known.follow(line)

    def _make_durable(self, known: Scan) -> None:
        """Make all durable that others wrote: whoever did may have been killed before it was, or have failed to.

        A file system takes what it failed to write for written, and a sync does nothing more about it. So something is
        written again, as it is, to each page of the last commit: where that lies in one, the byte behind it. All before
        it was durable when it was begun.
        """
        if (known.header.generation, known.end) == self._durable:
            return
        descriptor = self._writable
        start, stop = known.last, known.end
        if start // BLOCK == stop // BLOCK:
            start, stop = stop, stop + 1
        _write(descriptor, os.pread(descriptor, stop - start, start), start)
        if self._durable[0] == known.header.generation:
            _sync(descriptor)
        else:
            sync_all(descriptor)
            sync_folder(self.folder)
            sync_names(self.folder)
        self._durable = (known.header.generation, known.end)

    def rewrite(self, bodies: list[bytes], change: bytes, touched: Collection[int] | None, label: str = "") -> None:
        """Replace the journal by another, durably and at once. Only while :meth:`writing`.

        Copies that others made are left alone: what a repair put aside, and what the SDK's manager left of a
        session that was imported. Where some of the commits must go (``touched``), a warning names such copies.
        """
        self.replace_by([(body, "") for body in bodies])
        if touched is not None:
            with contextlib.suppress(OSError):
                self._remove_leftovers()
            warn_of_copies(self.folder, self._session_id)

    def replace_by(self, commits: list[tuple[bytes, str]]) -> None:
        """Replace the journal by one with these commits, each its body and label. Only while :meth:`writing`."""
        header = self._handle.header
        life = self._life or (life_of(self._writable, header) if header is not None else "") or new_life()
        data, found = new_journal(commits, life)
        folder, name = self._handle.held, f"{NEW}{found.header.generation}"
        descriptor = write_new(name, data, folder)
        try:
            self.put_in_place(name, descriptor, found)
        except BaseException:
            remove_replacements(folder)
            raise

    def put_in_place(self, name: str, descriptor: int, found: Scan) -> None:
        """Give a file of the session's folder the journal's name. Only while :meth:`writing`.

        It is locked before it has the name, so that nobody else writes there before this object is done. And it stays
        in the folder that is held: the session may be deleted meanwhile, and begun anew under its name.

        Args:
            name: The file's name.
            descriptor: A descriptor of it, which this object closes from here on.
            found: What of it is known: up to there, at least, it is durable.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._known, folder = None, self._handle.held
            if take_after(descriptor, FILE, folder):
                sync_all(descriptor)
            # Before it, since whoever is killed behind it has redacted something for everybody who looks.
            remove_replacements(folder, but=name)
            os.replace(name, FILE, src_dir_fd=folder, dst_dir_fd=folder)
            self._handle.adopt(descriptor, found.header)
        except BaseException:  # the handler of a signal may raise at any time, and nobody may wait for this for ever
            if not self._handle.has(descriptor):
                unlock(descriptor)
            raise
        self._descriptor = descriptor
        sync_all(folder)
        if not self._durable[0]:
            sync_names(self.folder)
        self._known, self._durable = found, (found.header.generation, found.end)

    def compact_if_due(self, fold: Fold) -> None:
        """Fold the journal, beside its writers, if it has outgrown what it holds. Only while nobody writes with this.

        Args:
            fold: Returns the bodies of the fewest commits that add up to those in a JSON array.
        """
        known = self._known
        if known is not None and known.header.generation:
            self._compaction.begin_if_due(known, fold)

    def known(self) -> Scan | None:
        """Return what was read or written last. Only while :meth:`writing`."""
        return self._known

    def header(self) -> Header | None:
        """Return the first line of the file that has the journal's name. Only while :meth:`writing`."""
        return self._handle.header

    def descriptors(self) -> tuple[int, int]:
        """Return descriptors of the session's folder and of the journal. Only while :meth:`writing`."""
        return self._handle.held, self._writable

    def close(self) -> None:
        """Let go of the file, and no longer count as a user of the session."""
        self._compaction.wait()
        with self._lock:
            self._handle.drop()
            self._handle.rest()
            forget(self)

    def let_go(self) -> bool:
        """Close the file, and no longer count as a user of the session until the next change, if it is idle now."""
        if is_held_here(self._lock):  # the handler of a signal asks, in the midst of what its own thread does
            return False
        try:
            try:
                if not self._lock.acquire(blocking=False):
                    return False
                self._handle.drop()
                self._handle.rest()
                return True
            finally:
                self._give_back()
        finally:
            self._give_back()  # again, in case that the handler of a signal broke off the first one

    def _give_back(self) -> None:
        if is_held_here(self._lock):
            self._lock.release()

    @contextlib.contextmanager
    def unused(self) -> Iterator[bool]:
        """Keep the session from being opened by others. Yields False if somebody has it open, or it is gone."""
        with self._errors("lock"), unused_folder(self.folder) as nobody_has_it:
            yield nobody_has_it

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    def leave_to_parent(self) -> None:
        """Begin anew in a child that was forked: close what is the parent's, which keeps its locks."""
        self._lock = threading.RLock()  # a thread that there is not in the child may have had it
        self._descriptor = self._known = None
        self._compaction = Compaction(self)
        self._handle.leave_to_parent()

    # -- inside --------------------------------------------------------------------------------------------

    def _remove_leftovers(self) -> None:
        """Remove what deletions that were killed have left of the session, as the SDK's manager kept it and as here."""
        for place in (sdk_folder(self.folder.parent, self._session_id), self.folder):
            remove_leftovers(place)

    @property
    def _writable(self) -> int:
        assert self._descriptor is not None
        return self._descriptor

    def _errors(self, action: str) -> contextlib.AbstractContextManager[None]:
        return told_of(action, self.path, self._session_id)

    def _expect_same_life(self, life: str) -> None:
        if self._life and life != self._life:
            self._handle.drop()
            self._handle.rest()
            raise Deleted(
                f"session {self._session_id!r} in {self.folder} was deleted while it was open. What is said now is not"
                " stored. To go on with the session that has this id now, open it with a new manager"
            )

    def _is_known(self, descriptor: int, header: Header | None) -> bool:
        """Whether a file is the one that was read or written last, and still has what that had at its end."""
        known = self._known
        if known is None or known.header != header or not known.header.generation:
            return False
        return os.pread(descriptor, len(known.mark), known.last) == known.mark

    def _has_more(self, descriptor: int) -> bool:
        if self._known is None or self._known.torn:  # somebody else may have cleared it, or may be about to
            return True
        seen = os.pread(descriptor, 1, self._known.end)
        return seen[:1] not in (b"\0", TRAILER[:1])

    def _write_anew(self, known: Scan) -> Scan:
        """Write a journal of the first edition of the format anew, in this one."""
        look = self.look()
        if isinstance(look.found, Damage) or (look.found.end, look.found.before) != (known.end, known.before):
            raise SessionException(f"session {self._session_id!r}: {self.path} changed while it was written. Try again")
        self.replace_by([(body, "") for body in bodies_of(json_array(look.data, look.found))])
        found, self._known = self._known, None
        assert found is not None
        return found
