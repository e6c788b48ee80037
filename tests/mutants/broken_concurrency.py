"""Mutants: a correct manager, each time with one thing broken: concurrency."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.conforming.snapshot_manager import SnapshotFileManager


class OverwritesOthers(SnapshotFileManager):
    """The last writer wins."""

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        pass


class WritesWhereTheLatestWas(SnapshotFileManager):
    """The session opened last in this process is taken for the current one."""

    latest = ""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent)
        type(self).latest = self.session_id

    def on_added(self, event: Any) -> None:
        mine, self._folder = self._folder, self._folder.parent / self.folder_name(self.latest)
        super().on_added(event)
        self._folder = mine

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        pass


class WritesInTwoHalves(SnapshotFileManager):
    """Whoever reads meanwhile reads a half."""

    def write(self, path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            for part in (data[: len(data) // 2], data[len(data) // 2 :]):
                file.write(part)
                file.flush()
                os.fsync(file.fileno())


class WaitsOnTheLoop(SnapshotFileManager):
    """Another thread writes, and everybody waits for that."""

    async def in_background(self, work: Callable[[], None]) -> None:
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(work).result()


class WritesOnTheLoop(SnapshotFileManager):
    """Everybody waits for the disk."""

    async def in_background(self, work: Callable[[], None]) -> None:
        work()


class TakesBeginningsForCrashes(SnapshotFileManager):
    """What lies there half done is removed, whoever is about to finish it."""

    def write(self, path: Path, data: bytes) -> None:
        for left in self._folder.parent.rglob("*.new"):
            left.unlink(missing_ok=True)
        super().write(path, data)
