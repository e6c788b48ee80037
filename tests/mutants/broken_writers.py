"""Mutants beside other writers: a correct manager of snapshots, each time with one thing broken on purpose."""

import json
import time
from pathlib import Path
from typing import Any

from strands.types.exceptions import SessionException

from tests.conforming.snapshot_manager import SnapshotFileManager


class CountsMessagesBeforeItWrites(SnapshotFileManager):
    """Notices what others have written by the number of messages alone."""

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        stored, known = self.read(path), self._sealed.get(agent_id)
        if (stored is None) != (known is None):
            super().check_nobody_else_wrote(path, agent_id)
        if stored is not None and known is not None and self._messages(stored) != self._messages(known):
            super().check_nobody_else_wrote(path, agent_id)

    def _messages(self, sealed: bytes) -> int:
        return len(self.unpack(self.unseal(sealed))["messages"])


class TellsVersionsByOldNames(SnapshotFileManager):
    """A new version is called as one was that is gone for long, as file systems do with the numbers of files."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._names: dict[Path, int] = {}

    def read(self, path: Path) -> bytes | None:
        self._names.setdefault(path, self._name(path))
        return super().read(path)

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        if self._names.setdefault(path, self._name(path)) != self._name(path):
            raise SessionException(f"session {self.session_id!r}: another process has written {path}")

    def write(self, path: Path, data: bytes) -> None:
        super().write(path, data)
        self._names[path] = (self._name(path) + 1) % 6
        self._aside(path).write_text(json.dumps(self._names[path]))

    def _name(self, path: Path) -> int:
        return int(json.loads(self._aside(path).read_text())) if self._aside(path).exists() else 0

    def _aside(self, path: Path) -> Path:
        return self._folder.parent / f"{path.parent.name}-{path.name}.name"


class BeginsWithoutAnotherLook(SnapshotFileManager):
    """A session that was not there when it was opened is not there when it is written first."""

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        if agent_id in self._sealed:
            super().check_nobody_else_wrote(path, agent_id)


class TakesBackWhatWasNotSynced(SnapshotFileManager):
    """What could not be synced is undone with the next write, whatever others have added to it since."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._before: dict[Path, bytes] = {}

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        if path in self._before:
            path.write_bytes(self._before.pop(path))
        super().check_nobody_else_wrote(path, agent_id)

    def write(self, path: Path, data: bytes) -> None:
        before = self.read(path)
        temporary = path.with_suffix(".new")
        temporary.write_bytes(data)
        temporary.replace(path)
        try:
            with path.open("rb") as file:
                self.sync(file.fileno())
        except OSError:
            if before is not None:
                self._before[path] = before
            raise
        self.sync_folder(path.parent)


class SortsByClock(SnapshotFileManager):
    """The history is in the order of the times at which it was said."""

    def messages_of(self, agent: Any) -> list[Any]:
        for message in agent.messages:
            message.setdefault("said_at", time.time())
        return super().messages_of(agent)

    def restored(self, messages: list[Any]) -> list[Any]:
        return super().restored(sorted(messages, key=lambda message: message["said_at"]))


class TakesErrorsForAbsence(BeginsWithoutAnotherLook):
    """What cannot be read is not there."""

    def read(self, path: Path) -> bytes | None:
        try:
            return super().read(path)
        except SessionException:
            return None
