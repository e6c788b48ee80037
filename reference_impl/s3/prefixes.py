"""The prefixes under which a session's objects lie."""

from __future__ import annotations

from ..log.ids import check_id, folder_name


def session_prefixes(prefix: str, session_id: str) -> tuple[str, str]:
    """Return the prefixes of a session's objects, and of those of the SDK's manager."""
    root = root_of(prefix)
    return f"{root}{folder_name(check_id(session_id, 'session'))}/", f"{root}session_{session_id}/"


def root_of(prefix: str) -> str:
    """Return what the names of all objects below a prefix begin with."""
    prefix = prefix.strip("/")
    return f"{prefix}/" if prefix else ""
