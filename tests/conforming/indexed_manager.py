"""A correct session manager of another design: with an index of all sessions, in parts that are made when needed."""

import fcntl
import json
from pathlib import Path

from .snapshot_manager import SnapshotFileManager


class IndexedManager(SnapshotFileManager):
    """Notes each session that it writes in the part of the index that its name falls in."""

    def _write_for_good(self, agent_id: str, path: Path, data: bytes) -> None:
        self._note(path.parent, there=True)
        super()._write_for_good(agent_id, path, data)

    def _note(self, folder: Path, *, there: bool) -> None:
        part = folder.parent / f"{folder.name[0]}.index"
        part.parent.mkdir(self.folder_mode, parents=True, exist_ok=True)
        with part.open("a+b") as file:
            part.chmod(0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            names = set(json.loads(file.read() or b"[]"))
            if there != (folder.name in names):
                file.truncate(0)
                file.write(json.dumps(sorted(names ^ {folder.name})).encode())

    def delete_session(self, session_id: str) -> None:
        super().delete_session(session_id)
        self._note(self._folder.parent / self.folder_name(session_id), there=False)
