"""Mutants: a correct manager, each time with one thing broken: the places where sessions lie."""

import json
import locale
import os
import uuid
from pathlib import Path
from typing import Any

from session_conformance.reference_impl.log.codec import decode
from strands.types.exceptions import SessionException

from tests.conforming.snapshot_manager import SnapshotFileManager


class LooksForItsFolderLater(SnapshotFileManager):
    """A relative folder is that of wherever the process is by then."""

    def place(self, storage_dir: str) -> Path:
        return Path(storage_dir)


class RefusesLinkedFolders(SnapshotFileManager):
    """A symbolic link may lead anywhere."""

    def place(self, storage_dir: str) -> Path:
        if Path(storage_dir).is_symlink():
            raise SessionException(f"{storage_dir} is a symbolic link")
        return super().place(storage_dir)


class NeverCloses(SnapshotFileManager):
    """Each manager opens a file, and none is closed."""

    opened: list[Any] = []  # noqa: RUF012 - what is in it is never closed

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self.opened.append(Path(os.devnull).open())  # noqa: SIM115 - that is the fault


class KeepsWhatItCouldNotWrite(SnapshotFileManager):
    """What a failed write was to go into stays open, for whoever wants to try again."""

    failed: list[Any] = []  # noqa: RUF012 - what is in it is never closed

    def _write_for_good(self, agent_id: str, path: Path, data: bytes) -> None:
        try:
            super()._write_for_good(agent_id, path, data)
        except SessionException:
            self.failed.append(Path(os.devnull).open())  # noqa: SIM115 - that is the fault
            raise


class ReadsAsTheLocaleSays(SnapshotFileManager):
    """What is stored is text, and text is whatever this process takes it for."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return json.dumps(decode(super().pack(content)), ensure_ascii=False).encode()

    def unpack(self, data: bytes) -> Any:
        return decode(data.decode(locale.getpreferredencoding(False), "replace").encode())


class KeepsEachState(SnapshotFileManager):
    """Each version of the session stays beside the latest."""

    def write(self, path: Path, data: bytes) -> None:
        super().write(path, data)
        (path.parent / f"{uuid.uuid4().hex}.kept").write_bytes(data)


class TakesItsOwnForOthers(SnapshotFileManager):
    """The hundredth write of a state finds what is stored changed, since it was this manager that changed it."""

    synced = 0

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        self.synced += 1
        if self.synced == 100:
            raise SessionException(f"session {self.session_id!r} was changed by another writer")
        super().sync_agent(agent)


class LetsOthersRead(SnapshotFileManager):
    """Folders and files are made as the umask leaves them."""

    folder_mode = 0o777
