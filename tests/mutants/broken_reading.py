"""Mutants: a correct manager, each time with one thing broken: the reading of what is damaged."""

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

from strands.types.exceptions import SessionException

from tests.conforming.snapshot_manager import SnapshotFileManager

from .broken_clean_up import anybodys


class RaisesWhateverComes(SnapshotFileManager):
    """What parsing raises is what the application gets."""

    def load(self, agent: Any) -> bytes | None:
        path = self.path(agent.agent_id)
        self._sealed[agent.agent_id] = path.read_bytes() if path.exists() else None  # type: ignore[assignment]
        return self.unseal(path.read_bytes()) if path.exists() else None


class EndsTheProcessAtWhatIsCutShort(SnapshotFileManager):
    """The system ends the process, as it does where an engine has mapped a file that is shorter than it says."""

    def read(self, path: Path) -> bytes | None:
        whole = super().read(path)
        if whole is not None and not whole.endswith(b"}"):
            os.kill(os.getpid(), signal.SIGBUS)
        return whole


class HasNoChecksum(SnapshotFileManager):
    """What can be parsed is right."""

    def unseal(self, sealed: bytes) -> bytes:
        return sealed.partition(b"\n")[2]


class RemovesWhatItCannotRead(SnapshotFileManager):
    """A damaged session is in the way."""

    def load(self, agent: Any) -> bytes | None:
        try:
            return super().load(agent)
        except SessionException:
            with contextlib.suppress(OSError):
                self.path(agent.agent_id).unlink()
                self._folder.rename(self._folder.with_suffix(".damaged"))
            raise


class ReadsAllSessions(SnapshotFileManager):
    """Opening one session looks into every other."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        for path in self._folder.parent.glob("*/*"):
            try:
                self.unseal(path.read_bytes())
            except (ValueError, OSError) as error:
                raise SessionException(f"session {self.session_id!r}: {path}: {error}") from error
        super().initialize(agent)


class RepairsByForgetting(SnapshotFileManager):
    """A repaired session is an empty one."""

    @staticmethod
    def repair(session_id: str, storage_dir: str) -> None:
        SnapshotFileManager(session_id, storage_dir).delete_session(session_id)


class SaysThatSomethingIsWrong(SnapshotFileManager):
    """Its errors name nothing."""

    def load(self, agent: Any) -> bytes | None:
        try:
            return super().load(agent)
        except SessionException:
            raise SessionException("the session cannot be loaded") from None


class TakesWhatLiesThere(SnapshotFileManager):
    """What lies where a session should is the session."""

    check_whose = anybodys
