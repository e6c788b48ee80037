"""CLN-01 of a callable: in another process, too, what it opens is asked whether it can delete a session."""

from pathlib import Path

import pytest
from session_conformance.fixtures.attribution import judge
from session_conformance.harness import Workspace
from session_conformance.harness.backends import BackendSpec, try_out
from session_conformance.suites import CleanUp
from strands.storage import LocalFileStorage

snapshots = pytest.importorskip("strands.session.snapshot_session_manager", reason="this SDK has no snapshots")


def open_session(session_id: str, workspace: Workspace) -> object:
    return snapshots.SnapshotSessionManager(session_id, storage=LocalFileStorage(str(workspace.folder)))


def test_a_deletion_that_a_process_is_killed_in_is_judged(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folders = iter(range(100))

    def new_folder() -> Path:
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        return folder

    backend = try_out(BackendSpec("callable", f"{__name__}:open_session").resolve(), Workspace(new_folder()))
    judge(getattr(CleanUp(), "CLN-01"), backend, request.config, new_folder, {"request": request})
