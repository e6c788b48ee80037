"""FileSessionManager: sessions in journals on the local file system, and what is done to whole sessions there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from strands.types.exceptions import SessionException

from .file.copies import put_aside
from .file.journal import Damage
from .file.journal_file import JournalFile
from .file.listing import folders, look_into, unlisted
from .file.posix import check_platform
from .file.removal import clean_up, delete
from .file.salvage import salvage
from .file.scanning import json_array
from .log.at_rest import AtRest, opened, sealed, sealing
from .log.codec import encode
from .log.commit_lines import ID_LENGTH, bodies_of, latest
from .log.history import commits_noted
from .log.ids import check_id, folder_name
from .log.inspection import (
    CleanUp,
    Repair,
    SessionInfo,
    Skipped,
    Verification,
    back,
    note_repair,
    problems_in,
    salvaged,
)
from .log.manager import ChangeLogSessionManager
from .log.sdk_layout import SdkFolder, SdkSession
from .log.session_store import SessionStore


def default_storage_dir() -> Path:
    """Return where sessions are kept if nothing else is said: ``~/.strands/sessions``, as with the SDK."""
    return Path.home() / ".strands" / "sessions"


class FileSessionManager(ChangeLogSessionManager):
    """Keeps each session in one journal on the local file system, with the constructor of the SDK's own manager.

    What is promised, and what is not, stands in ``docs/reference-file.md``. In short: a message is on disk
    (``fdatasync``) before any hook hears of it; a crash or power cut loses nothing that was acknowledged; damage is an
    error and never a wrong history; several processes may write one session at once, on a local file system. It needs a
    POSIX system; on Windows it cannot be made.
    """

    _OPEN = ChangeLogSessionManager._OPEN | {"_journals"}

    def __init__(
        self, session_id: str, storage_dir: str | None = None, *, at_rest: AtRest | None = None, **kwargs: Any
    ) -> None:
        """Open the session, or create it. A session that the SDK's manager left there is imported.

        Args:
            session_id: The session's id; not empty, and without path separators.
            storage_dir: The folder to keep sessions in; ``~/.strands/sessions`` by default. A relative one, or a
                symbolic link, means the folder that it leads to now, wherever the process or the link goes later.
            at_rest: Seals what is stored, and opens it again, such as with encryption.
            **kwargs: For future extensibility, as in the SDK.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: The session cannot be read or created, or the system is none of the kind that is needed;
                the text says why and what to do.
        """
        self.storage_dir = storage_dir or str(default_storage_dir())
        self._folder = str(_parent(storage_dir))
        self._at_rest = at_rest
        super().__init__(session_id, **kwargs)

    def _begin_anew(self) -> None:
        super()._begin_anew()
        self._journals: dict[str, JournalFile] = {}

    def _open_store(self, session_id: str) -> SessionStore:
        # What was closed is opened again as it was: a session that was begun since under its id is another one.
        if session_id not in self._journals:
            self._journals[session_id] = _journal(self._folder, session_id)
        return SessionStore(sealing(self._journals[session_id], self._at_rest, session_id), session_id)

    def _sdk_session(self, session_id: str) -> SdkSession:
        return SdkFolder(Path(self._folder), session_id)

    def delete_session(self, session_id: str, **kwargs: Any) -> None:
        """Remove a session and all that belongs to it, also what the SDK's manager left of it.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: There is no such session, or it cannot be removed.
        """
        store = self._stores.pop(session_id, None)
        if store is not None:
            store.close()
        if session_id != self.session_id:
            self._journals.pop(session_id, None)
        delete_session(session_id, self._folder)

    @staticmethod
    def list_sessions(storage_dir: str | None = None) -> list[SessionInfo]:
        """Return the sessions in a folder, the most recently written first.

        Sessions that are damaged, or that this user may not read, are left out (:meth:`verify` says what is wrong), and
        so are folders that were copied under another name.

        Args:
            storage_dir: The folder; ``~/.strands/sessions`` by default.

        Raises:
            SessionException: The folder cannot be read. One that is not there has no sessions.
        """
        check_platform()
        with _listing(parent := _parent(storage_dir)):
            found = [found.info for folder in folders(parent) if (found := look_into(folder)) is not None]
        return sorted(filter(None, found), key=lambda info: info.updated_at, reverse=True)

    @staticmethod
    def list_unreadable(storage_dir: str | None = None) -> list[Skipped]:
        """Return what :meth:`list_sessions` leaves out: the name of each folder that has a session's, and the reason.

        Args:
            storage_dir: The folder; ``~/.strands/sessions`` by default.

        Raises:
            SessionException: The folder cannot be read. One that is not there has no sessions.
        """
        check_platform()
        with _listing(parent := _parent(storage_dir)):
            return unlisted(parent)

    @staticmethod
    def clean_up(
        older_than: timedelta,
        storage_dir: str | None = None,
        *,
        now: datetime | None = None,
        damaged: bool = False,
        dry_run: bool = False,
    ) -> CleanUp:
        """Remove the sessions that were not written for some time, and what crashes left behind.

        A session that a manager has open, in whatever process, is kept. What is kept though it is old is told, also in
        a logged warning: what is open, damaged, a copy or a link, or may not be read.

        Args:
            older_than: How long a session must not have been written.
            storage_dir: The folder; ``~/.strands/sessions`` by default.
            now: The time to count from, with a time zone; now by default.
            damaged: Whether damaged sessions are removed too, of which a repair may bring back what is whole.
            dry_run: Whether nothing is removed, and it is only said what would be.

        Returns:
            The ids of the sessions that were removed (of damaged ones the names of their folders), and as ``skipped``
            what was not, and why.
        """
        check_platform()
        limit = back(now or datetime.now(timezone.utc), older_than)
        return clean_up(_parent(storage_dir), limit, damaged=damaged, dry_run=dry_run)

    @staticmethod
    def verify(session_id: str, storage_dir: str | None = None) -> Verification:
        """Read a session without opening it, and say whether it is whole. Nothing is changed.

        Args:
            session_id: The session.
            storage_dir: The folder; ``~/.strands/sessions`` by default.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: There is no such session, or its file cannot be read at all.
        """
        look = _journal(storage_dir, session_id).look()
        if isinstance(look.found, Damage):
            found = salvage(look.data)
            return Verification(session_id, False, len(found.commits), (str(look.found), *found.lost))
        problems = problems_in(bodies_of(json_array(look.data, look.found)))
        return Verification(session_id, not problems, look.found.number, tuple(problems), look.found.torn)

    @staticmethod
    def repair(session_id: str, storage_dir: str | None = None, *, at_rest: AtRest | None = None) -> Repair:
        """Bring back all that is whole of a damaged session. The damaged journal is kept beside the new one.

        That is each whole commit, wherever it lies, and each whole message of a damaged one. What is whole and cannot
        be restored all the same is left out. ``lost`` says what that was, by agent and tracking id where those can be
        read.

        Other writers wait meanwhile, and go on with what was brought back. The damaged journal is kept for you to look
        at what was lost: it holds what was said, no redaction changes it, and it stays until you remove it or the
        session.

        Args:
            session_id: The session.
            storage_dir: The folder; ``~/.strands/sessions`` by default.
            at_rest: As the constructor's, for a session that is sealed.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: There is no such session, nothing in it is whole, or it cannot be written.
        """
        with contextlib.closing(_journal(storage_dir, session_id)) as journal, journal.writing():
            look = journal.look()
            found = salvage(look.data)
            if not isinstance(look.found, Damage) and not problems_in(
                opened(body, at_rest, session_id) if at_rest is not None else body for body, _ in found.commits
            ):
                return Repair(session_id, look.found.number, ())
            if not found.commits:
                raise SessionException(
                    f"session {session_id!r}: in {journal.path} nothing is whole (damaged {look.found}). Nothing was"
                    " changed. Restore it from a backup, or remove the session with delete_session()"
                )
            history, more = salvaged([opened(body, at_rest, session_id) for body, _ in found.commits], session_id)
            history.apply_one(commits_noted(latest(label[:ID_LENGTH] for _, label in found.commits)))
            repaired = [sealed(encode([change]), at_rest, session_id) for change in history.changes()]
            kept = put_aside(journal.path, look.data)
            journal.rewrite(repaired, repaired[0], None)
        return note_repair(Repair(session_id, len(found.commits), (*found.lost, *more), kept))


def delete_session(session_id: str, storage_dir: str | None = None) -> None:
    """Remove a session and all that belongs to it, also what the SDK's manager left of it.

    Args:
        session_id: The session.
        storage_dir: The folder; ``~/.strands/sessions`` by default.

    Raises:
        ValueError: The id cannot name a session.
        SessionException: There is no such session, or it cannot be removed.
    """
    check_platform()
    delete(check_id(session_id, "session"), _parent(storage_dir))


@contextlib.contextmanager
def _listing(parent: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SessionException(f"cannot list the sessions in {parent}: {error.strerror}") from error


def _journal(storage_dir: str | None, session_id: str) -> JournalFile:
    return JournalFile(_parent(storage_dir) / folder_name(check_id(session_id, "session")), session_id)


def _parent(storage_dir: str | None) -> Path:
    return Path(os.path.realpath(storage_dir or default_storage_dir()))
