"""strands-valkey-session-manager: it has no namespace, so each workspace is a database."""

import valkey
from session_conformance.harness import Workspace
from strands_valkey_session_manager import ValkeySessionManager


def open_session(session_id: str, workspace: Workspace) -> ValkeySessionManager:
    """Open a session."""
    return ValkeySessionManager(session_id, client=valkey.Valkey.from_url(workspace.values["valkey_url"]))
