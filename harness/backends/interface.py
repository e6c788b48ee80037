"""Interfaces: which of the SDK's interfaces can be judged, and with which option an implementation is given."""

from __future__ import annotations

from enum import Enum
from typing import Any

from ..sdk import SessionManager, SessionRepository


class Interface(Enum):
    """The interface of the SDK that a backend implements. The value is what reports call it, as ``kind``."""

    MANAGER = "session manager"
    REPOSITORY = "session repository"
    STORAGE = "storage"

    @property
    def option(self) -> str:
        """The option that an implementation is given with."""
        return {
            Interface.MANAGER: "--session-manager",
            Interface.REPOSITORY: "--session-repository",
            Interface.STORAGE: "--session-storage",
        }[self]

    @property
    def attribute(self) -> str:
        """The attribute of a suite's subclass that names an implementation."""
        return self.option.removeprefix("--").replace("-", "_")

    @property
    def table(self) -> str:
        """The configuration's table that gives implementations a name."""
        return {
            Interface.MANAGER: "backends",
            Interface.REPOSITORY: "repositories",
            Interface.STORAGE: "storages",
        }[self]

    @property
    def judged_under(self) -> str:
        """The SDK's manager that the requirements for managers run an implementation under; "" for a manager itself."""
        return {
            Interface.MANAGER: "",
            Interface.REPOSITORY: "RepositorySessionManager",
            Interface.STORAGE: "SnapshotSessionManager",
        }[self]

    @property
    def expected(self) -> str:
        """What an implementation has to be, in the words of error messages."""
        return {
            Interface.MANAGER: "a strands.session.SessionManager",
            Interface.REPOSITORY: "a strands.session.SessionRepository",
            Interface.STORAGE: "a strands.storage.Storage (write, read, delete and list)",
        }[self]

    def is_met_by(self, found: Any) -> bool:
        """Whether an object, or a class, implements the interface. A storage need not have ``search``."""
        if self is Interface.STORAGE:
            return all(callable(getattr(found, name, None)) for name in ("write", "read", "delete", "list"))
        base: type = SessionManager if self is Interface.MANAGER else SessionRepository
        return issubclass(found, base) if isinstance(found, type) else isinstance(found, base)
