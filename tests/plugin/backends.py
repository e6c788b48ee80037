"""Backends for the tests of the plugin: of every form, and broken in every way."""

import sys
from pathlib import Path
from typing import Any

from session_conformance import reference_impl
from session_conformance.harness import Backend, Capability, Workspace
from strands.session import FileSessionManager, SessionManager

from tests.conforming.snapshot_manager import SnapshotFileManager


def as_callable(session_id: str, workspace: Workspace) -> SessionManager[Any]:
    return SnapshotFileManager(session_id, str(workspace.folder / "sub"))


def gives_something_else(session_id: str, workspace: Workspace) -> Any:
    return "a manager"


def takes_nothing() -> None:
    """No callable (session_id, workspace)."""


AS_BACKEND = Backend(
    name="declared",
    open=as_callable,
    capabilities=frozenset({Capability.READ_BESIDE_WRITER, Capability.FRESH_PROCESS}),
)


class NeedsNothing(SnapshotFileManager):
    """A correct manager of a folder."""


class NoManager:
    """A class that is no session manager."""


class RaisesWhenBuilt(SnapshotFileManager):
    """A constructor that raises."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        raise ConnectionError("cannot reach the server\nat all")


class EndsTheProcess(SnapshotFileManager):
    """A constructor that ends its process, as code written for a command does."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        raise SystemExit(3)


class NeedsMore(SnapshotFileManager):
    """A constructor with an argument that no workspace has."""

    def __init__(self, session_id: str, storage_dir: str, url: str, retries: int = 1) -> None:
        assert isinstance(retries, int)
        assert url.startswith("db://")
        super().__init__(session_id, storage_dir)


class WarnsOfEverything(SnapshotFileManager):
    """A correct manager whose driver warns."""

    def save(self, agent: Any) -> None:
        import warnings

        warnings.warn("this driver is old", DeprecationWarning, stacklevel=2)
        super().save(agent)


class NeverCloses(SnapshotFileManager):
    """A correct manager that opens a file and leaves it to Python's collector to close it."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._opened = Path(__file__).open()  # noqa: SIM115 - that nobody closes it is the point
        self._itself = self


class Forgetful(FileSessionManager):
    """Violates a SHOULD and many a MUST: the SDK's own."""


class Leaky(SnapshotFileManager):
    """Violates nothing but one SHOULD: it keeps what was redacted."""

    def write(self, path: Any, data: bytes) -> None:
        if path.exists():
            path.with_suffix(f".{len(list(path.parent.iterdir()))}.backup").write_bytes(path.read_bytes())
        super().write(path, data)


class CannotBeOpened(reference_impl.FileSessionManager):
    """Calls what is None."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        raise TypeError("'NoneType' object is not callable")


class HangsInside(SnapshotFileManager):
    """A manager whose defect is one of the harness's to report: it ends its process."""

    def restored(self, messages: list[Any]) -> list[Any]:
        import os

        if messages and messages[0].get("content") == [{"text": "My name is Alice"}]:
            import multiprocessing

            if multiprocessing.parent_process() is not None:
                os._exit(3)
        return super().restored(messages)


class Strange(FileSessionManager):
    """The SDK's manager under a constructor argument of its own name."""

    def __init__(self, session_id: str, folder: str) -> None:
        super().__init__(session_id, storage_dir=folder)


class Exits(FileSessionManager):
    """Ends the application where a message cannot be stored, as a script would: here, from the second one on."""

    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        if len(agent.messages) > 1:
            sys.exit("no more room")
        super().append_message(message, agent, **kwargs)
