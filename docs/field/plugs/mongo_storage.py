"""strands-mongodb-storage over mongomock: a client a workspace, since mongomock keeps its data in the client."""

from functools import cache
from typing import Any

import mongomock
from session_conformance.harness import Workspace
from strands_mongodb_storage import MongoDBStorage


@cache
def client(place: str) -> Any:
    """Return the client of a workspace."""
    return mongomock.MongoClient()


def open_storage(workspace: Workspace) -> MongoDBStorage:
    """Open a storage."""
    return MongoDBStorage(client=client(str(workspace.folder)))
