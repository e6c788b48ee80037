"""strands-agents-session with the storage in memory that it brings: one a workspace."""

from functools import cache

from session_conformance.harness import Backend, Workspace
from strands_agents_session import InMemorySessionStorage, KeyValueSessionManager


@cache
def storage(place: str) -> InMemorySessionStorage:
    """Return the storage of a workspace."""
    return InMemorySessionStorage()


def open_session(session_id: str, workspace: Workspace) -> KeyValueSessionManager:
    """Open a session."""
    return KeyValueSessionManager(session_id, storage(str(workspace.folder)))


SESSIONS = Backend(name="strands-agents-session", open=open_session, in_process=True)
