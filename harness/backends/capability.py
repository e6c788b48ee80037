"""Capabilities: what a requirement may need of a backend, each named, explained and detected in one place."""

from __future__ import annotations

from enum import Enum


class Capability(Enum):
    """Something that not every correct backend has. The value says what it means, for reports."""

    ON_DISK = "its bytes lie in the workspace's folder"
    AT_REST = "what it stores can be looked at: in the workspace's folder, or in its bucket"
    FRESH_PROCESS = (
        "it can be opened by another process (it was given as an importable name, and its data is not in this"
        " process's memory)"
    )
    READ_BESIDE_WRITER = "a session can be read by a second manager while a first one has it open"
    STORAGE_FAULTS = (
        "its writes go through this process's files, or over the seam to a server or to S3, so that the harness can"
        " make them fail"
    )
    DELETE = "it can delete a session (delete_session, or Backend(delete=...))"
    CLEAN_UP = "it can remove sessions by age (clean_up, or Backend(clean_up=...))"
    LISTING = "it can list its sessions (list_sessions, or Backend(list_sessions=...))"
    S3 = "it keeps its data in an S3 bucket that it is given (a bucket argument, or Backend(on_s3=True))"
    SERVER = "it keeps its data on a server of the run (it asks for {postgres_url}, {redis_url} or the like)"
    MULTI_AGENT = "it persists graphs and swarms (it registers for their events, and does not refuse them)"
    REPOSITORY = "it is a SessionRepository, or has one (session_repository, or Backend(repository=...))"
    STORAGE = "it is a Storage (--session-storage, or Backend(storage=...))"
    SNAPSHOTS = "it keeps immutable snapshots (save_snapshot, list_snapshot_ids and restore_snapshot)"
    REPAIR = "it can repair a damaged session (repair, or Backend(repair=...))"

    @property
    def missing(self) -> str:
        """Why a requirement that needs it does not apply."""
        return f"needs {self.name.lower().replace('_', ' ')}: {self.value}"
