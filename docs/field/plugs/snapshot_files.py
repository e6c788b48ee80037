"""The SDK's SnapshotSessionManager over its LocalFileStorage."""

from session_conformance.harness import Workspace
from strands.session import SnapshotSessionManager
from strands.storage import LocalFileStorage


def open_session(session_id: str, workspace: Workspace) -> SnapshotSessionManager:
    """Open a session."""
    return SnapshotSessionManager(session_id, storage=LocalFileStorage(str(workspace.folder)))
