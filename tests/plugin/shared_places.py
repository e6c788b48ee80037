"""Session managers whose place does not follow the workspace: each keeps what all workspaces write in one place."""

import os
from typing import Any

from session_conformance.harness import Workspace
from session_conformance.harness.backends import PlainRepository
from strands.session import FileSessionManager, SessionManager

from tests.conforming.snapshot_manager import SnapshotFileManager

PLACE = os.environ.get("SHARED_PLACE", "/nonexistent")


class AtADefaultPath(SnapshotFileManager):
    """Its path has a default, under a name that the harness does not know."""

    def __init__(self, session_id: str, db_path: str = PLACE, timeout: float = 5.0) -> None:
        super().__init__(session_id, db_path)


def one_folder(session_id: str, workspace: Workspace) -> SessionManager[Any]:
    return FileSessionManager(session_id, storage_dir=PLACE)


class Repository(PlainRepository):
    """A repository in one database, whatever the workspace: it cannot delete."""

    def __init__(self, url: str = PLACE) -> None:
        super().__init__(url)

    delete_session = None  # type: ignore[assignment]


class InAClassAttribute(SnapshotFileManager):
    """Forgets nothing that this process has ever read: that is a fault, and no place."""

    kept: dict[str, Any] = {}  # noqa: RUF012

    def load(self, agent: Any) -> bytes | None:
        found = super().load(agent)
        if found is not None:
            self.kept[self.session_id] = found
        return found or self.kept.get(self.session_id)
