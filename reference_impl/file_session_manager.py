"""FileSessionManager: sessions in journals on the local file system, and what is done to whole sessions there."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from strands.types.exceptions import SessionException

from .change_log_manager import ChangeLogSessionManager
from .codec import decode
from .commit_lines import bodies_of
from .history import SessionHistory
from .journal import Damage, json_array, salvage, scan
from .journal_file import FILE, JournalFile, remove_folder, unfinished_folders
from .names import check_id, folder_name
from .sdk_layout import SdkFolder, read_sdk_session, sdk_folder
from .session_care import Repair, SessionInfo, Verification, salvaged
from .session_store import SessionStore


def default_storage_dir() -> Path:
    """Return where sessions are kept if nothing else is said: ``~/.strands/sessions``, as with the SDK."""
    return Path.home() / ".strands" / "sessions"


class FileSessionManager(ChangeLogSessionManager):
    """Keeps each session in one journal on the local file system, with the constructor of the SDK's own manager.

    What is promised, and what is not, stands in ``docs/reference-file.md``. In short: a message is on disk
    (``fdatasync``) before any hook hears of it; a crash or power cut loses nothing that was acknowledged; damage is an
    error and never a wrong history; several processes may write one session at once, on a local POSIX file system.
    """

    def __init__(self, session_id: str, storage_dir: str | None = None, **kwargs: Any) -> None:
        """Open the session, or create it. A session that the SDK's manager left there is imported.

        Args:
            session_id: The session's id; not empty, and without path separators.
            storage_dir: The folder to keep sessions in; ``~/.strands/sessions`` by default.
            **kwargs: For future extensibility, as in the SDK.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: The session cannot be read or created; the text says why and what to do.
        """
        self.storage_dir = str(storage_dir or default_storage_dir())
        super().__init__(session_id, **kwargs)

    def _open_store(self, session_id: str) -> SessionStore:
        return SessionStore(_journal(self.storage_dir, session_id), session_id)

    def _import(self, session_id: str) -> SessionHistory | None:
        return read_sdk_session(SdkFolder(Path(self.storage_dir), session_id), session_id)

    def delete_session(self, session_id: str, **kwargs: Any) -> None:
        """Remove a session and all that belongs to it, also what the SDK's manager left of it.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: There is no such session, or it cannot be removed.
        """
        store = self._stores.pop(session_id, None)
        if store is not None:
            store.close()
        delete_session(session_id, self.storage_dir)

    @staticmethod
    def list_sessions(storage_dir: str | None = None) -> list[SessionInfo]:
        """Return the sessions in a folder, the most recently written first. Damaged ones are left out.

        Args:
            storage_dir: The folder; ``~/.strands/sessions`` by default.
        """
        found = []
        for folder in _folders(storage_dir):
            info = _info(folder)
            if info is not None:
                found.append(info)
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
        parent = Path(storage_dir) if storage_dir is not None else default_storage_dir()
        removed = []
        for folder in _folders(storage_dir):
            info = _info(folder)
            if info is None or info.updated_at >= limit:
                continue
            with JournalFile(folder, info.session_id).unused() as unused:
                if unused:
                    delete_session(info.session_id, str(parent))
                    removed.append(info.session_id)
        for left in unfinished_folders(parent):
            if datetime.fromtimestamp(left.stat().st_mtime, timezone.utc) < limit:
                shutil.rmtree(left, ignore_errors=True)
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
        journal = _journal(storage_dir, session_id)
        data = _bytes_of(journal, session_id)
        try:
            found = scan(data)
        except Damage as damage:
            commits, lost = salvage(data)
            return Verification(session_id, False, len(commits), (str(damage), *lost))
        return Verification(session_id, True, found.number, (), found.torn)

    @staticmethod
    def repair(session_id: str, storage_dir: str | None = None) -> Repair:
        """Bring back all whole commits of a damaged session. The damaged journal is kept beside the new one.

        No manager may have the session open.

        Args:
            session_id: The session.
            storage_dir: The folder; ``~/.strands/sessions`` by default.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: There is no such session, nothing in it is whole, or it cannot be written.
        """
        verification = FileSessionManager.verify(session_id, storage_dir)
        if verification.ok:
            return Repair(session_id, verification.commits, (), None)
        journal = _journal(storage_dir, session_id)
        bodies, lost = salvage(_bytes_of(journal, session_id))
        history, more = salvaged(bodies, session_id)
        lost += more
        number = 1
        while (journal.folder / f"{FILE}.damaged-{number}").exists():
            number += 1
        kept = journal.folder / f"{FILE}.damaged-{number}"
        os.link(journal.path, kept)
        SessionStore(journal, session_id).replace(history)
        return Repair(session_id, len(bodies), tuple(lost), kept)


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
    parent = Path(storage_dir) if storage_dir is not None else default_storage_dir()
    return JournalFile(parent / folder_name(check_id(session_id, "session")), session_id)


def _folders(storage_dir: str | None) -> list[Path]:
    parent = Path(storage_dir) if storage_dir is not None else default_storage_dir()
    return sorted(folder for folder in parent.glob("journal_*") if (folder / FILE).is_file())


def _info(folder: Path) -> SessionInfo | None:
    data, status = bytearray((folder / FILE).read_bytes()), (folder / FILE).stat()
    try:
        session = decode(bodies_of(json_array(data, scan(data)))[0])[0]["session"]
    except (Damage, IndexError, KeyError, ValueError):
        return None
    return SessionInfo(
        session["session_id"],
        datetime.fromisoformat(session["created_at"]),
        datetime.fromtimestamp(status.st_mtime, timezone.utc),
        status.st_size,
    )


def _bytes_of(journal: JournalFile, session_id: str) -> bytes:
    try:
        return journal.path.read_bytes()
    except OSError as error:
        raise SessionException(f"session {session_id!r}: cannot read {journal.path}: {error.strerror}") from error
