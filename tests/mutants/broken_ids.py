"""Mutants: a correct manager, each time with one thing broken: identity and isolation."""

from pathlib import Path

from tests.conforming.snapshot_manager import SnapshotFileManager

from .broken_clean_up import anybodys


class JoinsIdIntoPath(SnapshotFileManager):
    """An id is a path."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__("anything", storage_dir)
        self.session_id = session_id
        self._folder = Path(storage_dir) / f"session_{session_id}".replace("\0", "")


class FoldsCase(SnapshotFileManager):
    """Ids that differ in case are one session."""

    check_whose = anybodys

    def folder_name(self, session_id: str) -> str:
        return super().folder_name(session_id.lower())


class RefusesMailAddresses(SnapshotFileManager):
    """An id that the documentation shows is refused."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        if "@" in session_id:
            raise ValueError("an id has letters and digits")
        super().__init__(session_id, storage_dir)


class BreaksOnSpaces(SnapshotFileManager):
    """An id with a space fails with an error that says nothing."""

    def folder_name(self, session_id: str) -> str:
        return super().folder_name({" ": {}}.get(session_id[:1], session_id)[:200])  # type: ignore[call-overload]


class TakesSessionsForOthers(SnapshotFileManager):
    """Sessions are kept in sixteen places."""

    check_whose = anybodys

    def folder_name(self, session_id: str) -> str:
        return str(sum(session_id.encode()) % 16)

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        pass
