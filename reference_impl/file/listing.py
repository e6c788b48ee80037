"""Listing: what a folder of sessions holds, told from the beginning and the end of each journal."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..log.codec import decode
from ..log.commit_lines import whole_commit
from ..log.ids import folder_name
from ..log.inspection import SessionInfo, Skipped
from ..log.paths import is_folder, is_link
from .handle import FILE, open_regular
from .journal import Damage, read_header
from .reading import ends_with_trailer, look_at

_PREFIX = "journal_"
_BEGINNING = 4096


@dataclass(frozen=True)
class Found:
    """A folder with a session's name.

    Attributes:
        folder: The folder.
        info: What is known of the session; None where that cannot be told.
        problem: Why it cannot, in words; empty where it can.
        written_at: When the journal was written last; None where there is none.
    """

    folder: Path
    info: SessionInfo | None = None
    problem: str = ""
    written_at: datetime | None = None


def folders(parent: Path) -> list[Path]:
    """Return the folders in a folder that have a session's name, links and files among them."""
    try:
        with os.scandir(parent) as entries:
            return [parent / name for name in sorted(entry.name for entry in entries) if name.startswith(_PREFIX)]
    except FileNotFoundError:
        return []


def unlisted(parent: Path) -> list[Skipped]:
    """Return what has a session's name in a folder and is not listed, with the reason.

    A folder without a journal is not among it: a crash leaves one behind, and nothing was stored in it.
    """
    found = [look_into(folder) for folder in folders(parent)]
    return [
        Skipped(one.folder.name, one.problem)
        for one in found
        if one is not None and one.info is None and not _is_empty(one.folder)
    ]


def _is_empty(folder: Path) -> bool:
    try:
        (folder / FILE).lstat()
    except FileNotFoundError:
        return not is_link(folder)
    except OSError:
        return False
    return False


def look_into(folder: Path, *, whole: bool = False) -> Found | None:
    """Return what is known of the session in a folder; None where there is nothing.

    A folder that was copied beside the original says that it is the original, which nobody may remove for it.

    Args:
        folder: The folder.
        whole: Whether all of the journal is read, and not its beginning and end alone.
    """
    try:
        if is_link(folder):
            return Found(folder, problem="it is a symbolic link, which may lead anywhere")
        descriptor, _ = open_regular(folder / FILE, os.O_RDONLY)
    except FileNotFoundError:
        return Found(folder, problem="there is no journal in it") if is_folder(folder) else None
    except NotADirectoryError:
        return Found(folder, problem="it is no folder")
    except Damage as damage:
        return Found(folder, problem=f"its journal is damaged {damage}")
    except OSError as error:
        return Found(folder, problem=f"it cannot be read: {error.strerror}")
    try:
        return _look(folder, descriptor, whole=whole)
    except OSError as error:
        return Found(folder, problem=f"it cannot be read: {error.strerror}")
    finally:
        os.close(descriptor)


def _look(folder: Path, descriptor: int, *, whole: bool) -> Found:
    status = os.fstat(descriptor)
    written = written_at(status)
    record = _record(os.pread(descriptor, _BEGINNING, 0)) or _record(os.pread(descriptor, 64 * _BEGINNING, 0))
    if whole or record is None or not ends_with_trailer(descriptor, status.st_size):
        found = look_at(descriptor).found
        if isinstance(found, Damage):
            return Found(folder, None, f"its journal is damaged {found}", written)
    if record is None or not isinstance(record.get("session_id"), str):
        return Found(folder, None, "its journal does not say which session it is", written)
    if folder_name(record["session_id"]) != folder.name:
        return Found(folder, None, "it is a copy: its journal is that of another folder", written)
    info = SessionInfo(record["session_id"], _time(record.get("created_at"), written), written, status.st_size)
    return Found(folder, info, "", written)


def written_at(status: os.stat_result) -> datetime:
    """Return when a file was written last: to the microsecond, as listings say it."""
    return datetime.fromtimestamp(status.st_mtime, timezone.utc)


def _record(data: bytes) -> dict[str, Any] | None:
    """Return the session's record, if a journal that begins with these bytes has it in its first commit."""
    header = read_header(data)
    commit = whole_commit(data, header.length) if header is not None else None
    try:
        record = decode(commit.body)[0]["session"] if commit is not None else None
    except (ValueError, LookupError, TypeError):
        return None
    return record if isinstance(record, dict) else None


def _time(text: Any, otherwise: datetime) -> datetime:
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        return otherwise
    return time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)
