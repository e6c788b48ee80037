"""Capabilities: what a requirement may need of a backend, each named, explained and detected in one place."""

from __future__ import annotations

from enum import Enum


class Capability(Enum):
    """Something that not every correct backend has. The value says what it means, for reports."""

    ON_DISK = "its bytes lie in the workspace's folder"
    FRESH_PROCESS = "it can be opened by another process (it was given as an importable name)"
    READ_BESIDE_WRITER = "a session can be read by a second manager while a first one has it open"
    STORAGE_FAULTS = "its writes go through this process's files, so that the harness can make them fail"

    @property
    def missing(self) -> str:
        """Why a requirement that needs it does not apply."""
        return f"needs {self.name.lower().replace('_', ' ')}: {self.value}"
