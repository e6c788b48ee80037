"""Mutants: a correct manager, each time with one thing broken: crashes and full disks."""

import contextlib
import os
import uuid
from pathlib import Path
from typing import Any

from strands.types.exceptions import SessionException

from tests.conforming.snapshot_manager import SnapshotFileManager


class WritesInPlace(SnapshotFileManager):
    """The old state is gone before the new one is there."""

    def write(self, path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            self.sync(file.fileno())
        self.sync_folder(path.parent)


class NeverSyncs(SnapshotFileManager):
    """The operating system will see to it."""

    def sync(self, descriptor: int) -> None:
        pass


class NeverSyncsFolders(SnapshotFileManager):
    """A rename without a sync of the folder."""

    def sync_folder(self, folder: Path) -> None:
        pass


class SyncsAfterTheAcknowledgement(SnapshotFileManager):
    """What one write wrote is synced by the next one."""

    unsynced: Path | None = None

    def write(self, path: Path, data: bytes) -> None:
        if self.unsynced is not None and self.unsynced.exists():
            with self.unsynced.open("rb") as file:
                os.fsync(file.fileno())
        self.unsynced = path
        super().write(path, data)

    def sync(self, descriptor: int) -> None:
        pass


class GivesUpAfterAFault(SnapshotFileManager):
    """A manager that could not write once never writes again."""

    broken = False

    def write(self, path: Path, data: bytes) -> None:
        if self.broken:
            raise OSError("it could not be written before")
        try:
            super().write(path, data)
        except OSError:
            self.broken = True
            raise


class StoresAgainWhatFailed(SnapshotFileManager):
    """What was said as a write failed is kept for the next write, though memory has it too."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._failed: list[Any] = []

    def messages_of(self, agent: Any) -> list[Any]:
        return [*super().messages_of(agent), *self._failed]

    def _write_for_good(self, agent_id: str, path: Path, data: bytes) -> None:
        try:
            super()._write_for_good(agent_id, path, data)
        except SessionException:
            self._failed = self.unpack(data)["messages"][-1:]
            raise


class SwallowsErrorsOfSyncs(SnapshotFileManager):
    """What could not be synced can be read all the same."""

    def sync(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):
            super().sync(descriptor)


class LocksWritersOut(SnapshotFileManager):
    """A lock file that a killed process does not remove, and that readers need not heed."""

    def write(self, path: Path, data: bytes) -> None:
        try:
            lock = (path.parent / "lock").open("x")
        except FileExistsError:
            raise OSError(f"session {self.session_id!r} is locked by {path.parent / 'lock'}") from None
        with lock:
            super().write(path, data)
        (path.parent / "lock").unlink()


class TakesAFolderThatIsThereForStored(SnapshotFileManager):
    """Whoever finds a session's folder need not sync its name: somebody has made it."""

    def sync_name_of_folder(self, folder: Path, *, made: bool) -> None:
        if made:
            super().sync_name_of_folder(folder, made=made)


class SyncsTheNameOfANewFile(SnapshotFileManager):
    """Appends each state to a file, and syncs the file's name when it makes it, whatever comes of that."""

    def write(self, path: Path, data: bytes) -> None:
        is_new = not path.exists()
        with path.open("ab") as file:
            file.write(data + self.end)
            file.flush()
            self.sync(file.fileno())
        if is_new:
            self.sync_folder(path.parent)

    def read(self, path: Path) -> bytes | None:
        for record in reversed((super().read(path) or b"").split(self.end)):
            with contextlib.suppress(ValueError):
                self.unseal(record)
                return record
        return None

    end = b"\0the end\0"


class LeavesTemporaryFiles(SnapshotFileManager):
    """Temporary files with names of their own, which nobody looks for after a crash."""

    def write(self, path: Path, data: bytes) -> None:
        temporary = path.with_suffix(f".{uuid.uuid4().hex}")
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                self.sync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        self.sync_folder(path.parent)


class LeavesNewSessions(LeavesTemporaryFiles):
    """What a session is begun with has a name of its own until it is whole, which nobody looks for after a crash."""

    def write(self, path: Path, data: bytes) -> None:
        (SnapshotFileManager if path.exists() else LeavesTemporaryFiles).write(self, path, data)


class LeavesALock(SnapshotFileManager):
    """A lock file that a killed process does not remove."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        if (self._folder / "lock").exists():
            raise SessionException(f"session {self.session_id!r} is locked by {self._folder / 'lock'}")
        super().initialize(agent)

    def write(self, path: Path, data: bytes) -> None:
        lock = path.parent / "lock"
        lock.touch()
        super().write(path, data)
        lock.unlink()
