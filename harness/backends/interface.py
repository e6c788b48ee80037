"""Kinds: what a user can give to be judged, and with which option."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What is judged. The value is what reports call it."""

    MANAGER = "session manager"
    REPOSITORY = "session repository"
    STORAGE = "storage"

    @property
    def option(self) -> str:
        """The option that it is given with."""
        return {
            Kind.MANAGER: "--session-manager",
            Kind.REPOSITORY: "--session-repository",
            Kind.STORAGE: "--session-storage",
        }[self]

    @property
    def attribute(self) -> str:
        """The attribute of a suite's subclass that names it."""
        return self.option.removeprefix("--").replace("-", "_")

    @property
    def table(self) -> str:
        """The configuration's table that gives such ones a name."""
        return {Kind.MANAGER: "backends", Kind.REPOSITORY: "repositories", Kind.STORAGE: "storages"}[self]

    @property
    def judged_under(self) -> str:
        """The SDK's manager that it is judged under by the requirements for managers; "" for a manager itself."""
        return {Kind.MANAGER: "", Kind.REPOSITORY: "RepositorySessionManager", Kind.STORAGE: "SnapshotSessionManager"}[
            self
        ]
