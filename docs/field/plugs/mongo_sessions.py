"""strands-session-mongodb over mongomock: a client a workspace, since mongomock keeps its data in the client."""

from functools import cache
from typing import Any

import mongomock
from session_conformance.harness import Backend, Workspace
from strands_session_mongodb import MongoDBSessionManager


@cache
def client(place: str) -> Any:
    """Return the client of a workspace."""
    return mongomock.MongoClient()


def open_session(session_id: str, workspace: Workspace) -> MongoDBSessionManager:
    """Open a session."""
    return MongoDBSessionManager(session_id, client=client(str(workspace.folder)))


SESSIONS = Backend(name="strands-session-mongodb", open=open_session, in_process=True)
