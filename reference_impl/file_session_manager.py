"""FileSessionManager: sessions in journals on the local file system, and what is done to whole sessions there."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from strands.types.exceptions import SessionException

from .file.copies import put_aside
from .file.folders import leftovers, remove_folder, remove_leftover
from .file.journal import Damage
from .file.journal_file import JournalFile
from .file.posix import check_platform
from .file.salvage import salvage
from .file.scanning import json_array
from .log.at_rest import AtRest, opened, sealed, sealing
from .log.codec import decode, encode
from .log.commit_lines import ID_LENGTH, bodies_of, latest
from .log.history import SessionHistory, commits_noted
from .log.ids import check_id, folder_name
from .log.inspection import Repair, SessionInfo, Verification, salvaged
from .log.manager import ChangeLogSessionManager
from .log.sdk_layout import SdkFolder, read_sdk_session, sdk_folder
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
        self._journals: dict[str, JournalFile] = {}
        super().__init__(session_id, **kwargs)

    def _open_store(self, session_id: str) -> SessionStore:
        # What was closed is opened again as it was: a session that was begun since under its id is another one.
        if session_id not in self._journals:
            self._journals[session_id] = _journal(self._folder, session_id)
        return SessionStore(sealing(self._journals[session_id], self._at_rest, session_id), session_id)

    def _import(self, session_id: str) -> SessionHistory | None:
        return read_sdk_session(SdkFolder(Path(self._folder), session_id), session_id)

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
        """
        found = [info for folder in _folders(_parent(storage_dir)) if (info := _info(folder)) is not None]
        return sorted(found, key=lambda info: info.updated_at, reverse=True)

    @staticmethod
    def clean_up(older_than: timedelta, storage_dir: str | None = None, *, now: datetime | None = None) -> list[str]:
        """Remove the sessions that were not written for some time, and what crashes left behind.

        A session that a manager has open, in whatever process, is kept.

        Args:
            older_than: How long a session must not have been written.
            storage_dir: The folder; ``~/.strands/sessions`` by default.
            now: The time to count from, with a time zone; now by default.

        Returns:
            The ids of the sessions that were removed.

        Raises:
            SessionException: A session cannot be removed.
        """
        limit = (now or datetime.now(timezone.utc)) - older_than
        parent = _parent(storage_dir)
        removed = []
        for folder in _folders(parent):
            removed += _remove_if_older(folder, limit)
        for left in leftovers(parent):
            with contextlib.suppress(FileNotFoundError):
                if datetime.fromtimestamp(left.stat().st_mtime, timezone.utc) < limit:
                    remove_leftover(left)
        return removed

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
        return Verification(session_id, True, look.found.number, (), look.found.torn)

    @staticmethod
    def repair(session_id: str, storage_dir: str | None = None, *, at_rest: AtRest | None = None) -> Repair:
        """Bring back all whole commits of a damaged session. The damaged journal is kept beside the new one.

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
            if not isinstance(look.found, Damage):
                return Repair(session_id, look.found.number, ())
            found = salvage(look.data)
            if not found.commits:
                raise SessionException(
                    f"session {session_id!r}: in {journal.path} nothing is whole ({look.found}). Nothing was changed."
                    " Restore it from a backup, or remove the session with delete_session()"
                )
            history, more = salvaged([opened(body, at_rest, session_id) for body, _ in found.commits], session_id)
            history.apply_one(commits_noted(latest(label[:ID_LENGTH] for _, label in found.commits)))
            repaired = [sealed(encode([change]), at_rest, session_id) for change in history.changes()]
            kept = put_aside(journal.path, look.data)
            journal.rewrite(repaired, repaired[0], None)
        return Repair(session_id, len(found.commits), (*found.lost, *more), kept)


def delete_session(session_id: str, storage_dir: str | None = None) -> None:
    """Remove a session and all that belongs to it, also what the SDK's manager left of it.

    Args:
        session_id: The session.
        storage_dir: The folder; ``~/.strands/sessions`` by default.

    Raises:
        ValueError: The id cannot name a session.
        SessionException: There is no such session, or it cannot be removed.
    """
    journal = _journal(storage_dir, session_id)
    old = sdk_folder(journal.folder.parent, session_id)
    folders = [folder for folder in (old, journal.folder) if folder.is_dir() and not folder.is_symlink()]
    if not folders:
        raise SessionException(f"Session {session_id} does not exist")
    for folder in folders:
        try:
            remove_folder(folder)
        except OSError as error:
            raise SessionException(f"session {session_id!r}: cannot remove {folder}: {error.strerror}") from error


def _journal(storage_dir: str | None, session_id: str) -> JournalFile:
    return JournalFile(_parent(storage_dir) / folder_name(check_id(session_id, "session")), session_id)


def _parent(storage_dir: str | None) -> Path:
    return Path(os.path.realpath(storage_dir or default_storage_dir()))


def _folders(parent: Path) -> list[Path]:
    check_platform()
    return sorted(parent.glob("journal_*"))


def _info(folder: Path) -> SessionInfo | None:
    """Return what is known of the session in a folder; None where it is damaged or gone, or has another's name.

    A folder that was copied beside the original says that it is the original, which nobody may remove for it.
    """
    try:
        look = JournalFile(folder, folder.name).look()
        if isinstance(look.found, Damage):
            return None
        session = decode(bodies_of(json_array(look.data, look.found))[0])[0]["session"]
        if folder_name(session["session_id"]) != folder.name:
            return None
        return SessionInfo(
            session["session_id"],
            datetime.fromisoformat(session["created_at"]),
            datetime.fromtimestamp(look.status.st_mtime, timezone.utc),
            look.status.st_size,
        )
    except (SessionException, LookupError, TypeError, AttributeError, ValueError):
        return None


def _remove_if_older(folder: Path, limit: datetime) -> list[str]:
    """Remove the session in a folder if nobody uses it and it was not written since; return the ids that are gone."""
    info = _info(folder)
    if info is None or info.updated_at >= limit:
        return []
    with JournalFile(folder, info.session_id).unused() as unused:
        again = _info(folder) if unused else None  # it may have been written, and closed, before it was locked
        if again is None or again.updated_at >= limit:
            return []
        try:
            delete_session(again.session_id, str(folder.parent))
        except SessionException:
            if folder.exists():
                raise
            return []  # somebody else removed it, which needs no lock
    return [again.session_id]
