"""Mutants: a correct manager, each time with one thing broken: clean-up."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file_session_manager import delete_session
from strands.types.exceptions import SessionException

from tests.conforming.chained_journal_manager import ChainedJournalManager
from tests.conforming.snapshot_manager import SnapshotFileManager


def anybodys(*_: Any) -> None:
    """Take what lies there, whoever's it is."""


class WritesWhateverElseWasWritten(SnapshotFileManager):
    """What it holds in memory is the session, even where that was deleted."""

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        pass


class DeletesByPrefix(SnapshotFileManager):
    """user_1 takes user_10 with it."""

    def folder_name(self, session_id: str) -> str:
        return f"session_{session_id}"

    def delete_session(self, session_id: str) -> None:
        for folder in self._folder.parent.glob(f"session_{session_id}*"):
            shutil.rmtree(folder)


class DeletesTheIndexOnly(SnapshotFileManager):
    """What nobody finds is as good as deleted."""

    def delete_session(self, session_id: str) -> None:
        self._folder.rename(self._folder.parent / f"{self._folder.name}.deleted")


class RemovesSessionsInUse(FileSessionManager):
    """What was not written for long is removed under whoever has it open."""

    @staticmethod
    def clean_up(older_than: timedelta, storage_dir: str | None = None, *, now: datetime | None = None) -> list[str]:
        assert now is not None
        old = [one for one in FileSessionManager.list_sessions(storage_dir) if one.updated_at < now - older_than]
        for one in old:
            delete_session(one.session_id, storage_dir)
        return [one.session_id for one in old]


class RemovesAllIfOneIsOld(FileSessionManager):
    """Looks at the oldest session only."""

    @staticmethod
    def clean_up(older_than: timedelta, storage_dir: str | None = None, *, now: datetime | None = None) -> list[str]:
        assert now is not None
        if any(one.updated_at < now - older_than for one in FileSessionManager.list_sessions(storage_dir)):
            return FileSessionManager.clean_up(timedelta(0), storage_dir, now=now + timedelta(days=1))
        return []


class RemovesNothing(FileSessionManager):
    """Keeps the old ones too."""

    @staticmethod
    def clean_up(older_than: timedelta, storage_dir: str | None = None, *, now: datetime | None = None) -> list[str]:
        return []


class ListsFolders(SnapshotFileManager):
    """Lists what lies there, by the name it has there."""

    @staticmethod
    def list_sessions(storage_dir: str) -> list[Any]:
        found = SnapshotFileManager.list_sessions(storage_dir)
        for one, folder in zip(found, sorted(Path(storage_dir).iterdir()), strict=True):
            one.session_id = folder.name
        return found


class ListsTimesOfOpening(SnapshotFileManager):
    """Says of every session that it was written when it is listed, a day off."""

    @staticmethod
    def list_sessions(storage_dir: str) -> list[Any]:
        found = SnapshotFileManager.list_sessions(storage_dir)
        for one in found:
            one.updated_at += timedelta(days=1)
        return found


class WritesWhatIsTaken(SnapshotFileManager):
    """A write stores all that it is given: it does not look at how much that was."""

    def write(self, path: Path, data: bytes) -> None:
        temporary = path.with_suffix(".new")
        with temporary.open("wb", buffering=0) as file:
            file.write(data)
            self.sync(file.fileno())
        temporary.replace(path)
        self.sync_folder(path.parent)


class TellsOfFailuresLater(ChainedJournalManager):
    """A write that fails is told of with the next one."""

    failure: OSError | None = None

    def write(self, path: Path, data: bytes) -> None:
        if self.failure is not None:
            raise SessionException(f"session {self.session_id!r} could not be stored") from self.failure
        try:
            super().write(path, data)
        except OSError as error:
            self.failure = error
