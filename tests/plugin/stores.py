"""Session repositories and storages for the tests of the plugin: of every form, and broken in every way."""

from typing import Any

from session_conformance.harness import Backend, Workspace
from session_conformance.harness.backends import PlainRepository, PlainStorage

from tests.conforming.plain_dicts import DictStorage
from tests.conforming.snapshot_manager import SnapshotFileManager


def repository(workspace: Workspace) -> PlainRepository:
    return PlainRepository(str(workspace.folder / "sub"))


def storage(workspace: Workspace) -> PlainStorage:
    return PlainStorage(str(workspace.folder / "sub"))


def gives_something_else(workspace: Workspace) -> Any:
    return "a store"


def takes_two(session_id: str, workspace: Workspace) -> None:
    """No callable (workspace)."""


AS_BACKEND = Backend(
    name="declared", open=lambda session_id, workspace: SnapshotFileManager(session_id, str(workspace.folder))
)


class AtPath(PlainRepository):
    """A repository whose constructor has an argument that no workspace has."""

    def __init__(self, path: str) -> None:
        super().__init__(path)


class StorageAtPath(PlainStorage):
    """A storage whose constructor has an argument that no workspace has."""

    def __init__(self, path: str, retries: int = 1) -> None:
        assert isinstance(retries, int)
        super().__init__(path)


class NoStore:
    """A class that is neither."""


class NeverOpens(PlainRepository):
    """A constructor that raises."""

    def __init__(self, storage_dir: str) -> None:
        raise ConnectionError("cannot reach the server\nat all")


class Forgetful(PlainRepository):
    """A repository that loses each tenth message: its own fault, and no manager's."""

    def create_message(self, session_id: str, agent_id: str, session_message: Any, **kwargs: Any) -> None:
        if session_message.message_id % 10 != 9:
            super().create_message(session_id, agent_id, session_message)


class KeepsTheFirstAgent(PlainRepository):
    """A repository that never updates an agent."""

    def update_agent(self, session_id: str, session_agent: Any, **kwargs: Any) -> None:
        pass


class CannotSearch(PlainStorage):
    """A storage that has the four operations, and no more."""


class Shared(DictStorage):
    """Is given nothing of a workspace, so that it can only live in memory."""
