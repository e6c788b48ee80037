"""strands-mongodb-storage over mongomock, which keeps its data in the client: given nothing, it is one a workspace."""

import mongomock
from strands_mongodb_storage import MongoDBStorage


class Storage(MongoDBStorage):
    """A storage with a client of its own."""

    def __init__(self) -> None:
        super().__init__(client=mongomock.MongoClient())
