"""A correct session manager whose methods for whole sessions are those of an instance."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from weakref import WeakSet

from strands.types.exceptions import SessionException

from .snapshot_manager import SnapshotFileManager

_IN_USE: "WeakSet[CaretakingManager]" = WeakSet()
_LATEST: list[Callable[[], None]] = []
"""The work that was done last. The thread of an executor has it until it has time to let go, and with it a manager."""


class CaretakingManager(SnapshotFileManager):
    """Compares times as the file system has them, to the nanosecond, and lists them to the microsecond."""

    def claim(self, agent: Any) -> None:
        super().claim(agent)
        _IN_USE.add(self)

    async def in_background(self, work: Callable[[], None]) -> None:
        await super().in_background(work)
        _LATEST[:] = [work]

    def clean_up(self, *, older_than: timedelta, now: datetime | None = None) -> list[str]:
        limit = (now or datetime.now(timezone.utc)) - older_than
        in_use = {manager._folder for manager in _IN_USE}
        removed = []
        for folder in self._folder.parent.glob("*"):
            if self.written(folder) < limit.timestamp() and folder not in in_use:
                shutil.rmtree(folder)
                removed.append(folder.name)
        return removed

    def delete_session(self, session_id: str) -> None:
        if self._folder in {manager._folder for manager in _IN_USE if manager is not self}:
            raise SessionException(f"session {session_id!r} is in use")
        super().delete_session(session_id)

    def written(self, folder: Path) -> float:
        return max(path.stat().st_mtime for path in folder.iterdir())

    def list_sessions(self) -> list[Any]:  # type: ignore[override]
        found = {}
        for path in self._folder.parent.glob("*/*"):
            content = self.unpack(self.unseal(path.read_bytes()))
            written = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
            found[content["session_id"]] = max(written, found.get(content["session_id"], written))
        return [SimpleNamespace(session_id=id, updated_at=written) for id, written in found.items()]
