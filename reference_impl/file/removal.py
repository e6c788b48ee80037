"""Removal: sessions that are deleted, or were not written for long, and what a removal that was cut short left."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from strands.types.exceptions import SessionException

from ..log.at_once import at_once
from ..log.ids import check_id, folder_name
from ..log.inspection import CleanUp, Skipped
from ..log.paths import is_folder, is_link
from ..log.sdk_layout import sdk_folder
from .folders import FolderLock, hide, is_there, leftovers, leftovers_of, lock_unused, remove_leftover
from .handle import FILE
from .listing import Found, folders, look_into, written_at
from .posix import sync_folder

logger = logging.getLogger(__name__)

_AT_ONCE = 128
"""How many sessions are hidden before their names are synced and they are removed: as many locks are held."""


def delete(session_id: str, parent: Path) -> None:
    """Remove a session and all that belongs to it, also what the SDK's manager left of it.

    One that was cut short is finished: what it left under hidden names goes too.

    Raises:
        ValueError: The id cannot name a session.
        SessionException: There is no such session, or it cannot be removed.
    """
    try:
        _delete(session_id, parent)
    except OSError as error:
        raise SessionException(f"session {session_id!r}: cannot remove it from {parent}: {error.strerror}") from error


def is_anything_left(session_id: str, parent: Path) -> bool:
    """Whether there is anything of a session that :func:`delete` removes, whole or not.

    Raises:
        ValueError: The id cannot name a session.
        SessionException: Nobody can say.
    """
    try:
        return any(is_there(place) or leftovers_of(place) for place in _places(session_id, parent))
    except OSError as error:
        raise SessionException(f"session {session_id!r}: cannot look for it in {parent}: {error.strerror}") from error


def _places(session_id: str, parent: Path) -> list[Path]:
    # What the SDK's manager left goes first: where that is there alone, the session is imported again.
    return [sdk_folder(parent, session_id), parent / folder_name(check_id(session_id, "session"))]


def _delete(session_id: str, parent: Path) -> None:
    places = _places(session_id, parent)
    remains = [left for place in places for left in leftovers_of(place)]
    there = [place for place in places if is_there(place)]
    if not there and not remains:
        raise SessionException(f"Session {session_id} does not exist")
    for place in places:
        if not is_there(place):  # what an import has begun meanwhile is: what it imports is gone by now
            continue
        if is_link(place):
            raise SessionException(
                f"session {session_id!r}: {place} is a symbolic link, which may lead anywhere. Remove it yourself"
            )
        try:
            hidden = hide(place)
            sync_folder(parent)
            _remove(hidden)
        except FileNotFoundError:
            continue  # somebody else removes it at the same time
        except OSError as error:
            raise SessionException(f"session {session_id!r}: cannot remove {place}: {error.strerror}") from error
    for left in remains:
        remove_leftover(left)
    kept = [left for left in remains if is_there(left)]
    if kept and not there:
        raise SessionException(f"session {session_id!r}: cannot remove {kept[0]}, or another process is at work on it")
    with contextlib.suppress(FileNotFoundError):
        sync_folder(parent)


def clean_up(parent: Path, limit: datetime, *, damaged: bool, dry_run: bool = False) -> CleanUp:
    """Remove the sessions that were not written for some time, and what crashes left behind.

    Args:
        parent: The folder of the sessions.
        limit: The time since which they were not written, with a time zone.
        damaged: Whether damaged ones are removed too.
        dry_run: Whether it is only said what would be removed.

    Raises:
        SessionException: The folder cannot be read or synced.
    """
    done = CleanUp()
    try:
        _clean_up(parent, limit, damaged, dry_run, done)
    except OSError as error:
        raise SessionException(f"cannot clean up {parent}: {error.strerror}") from error
    finally:
        for one in done.skipped:
            logger.warning("session=<%s>, reason=<%s> | a session was not cleaned up", one.name, one.reason)
    return done


def _clean_up(parent: Path, limit: datetime, damaged: bool, dry_run: bool, done: CleanUp) -> None:
    for place in folders(parent):
        found = look_into(place)
        if found is not None and found.written_at is None and found.problem:
            done.skipped.append(Skipped(place.name, found.problem))
    old = [place for place in folders(parent) if _is_old(place, limit)]
    if dry_run:
        for place in old:
            if (taken := _locked(place, done)) is not None:
                try:
                    if (name := _may_go(look_into(place, whole=True), limit, damaged, done)) is not None:
                        done.append(name)
                finally:
                    taken.give_back()
        return
    for start in range(0, len(old), _AT_ONCE):
        _remove_some(old[start : start + _AT_ONCE], parent, limit, damaged, done)
    for left in leftovers(parent):
        with contextlib.suppress(FileNotFoundError):
            if written_at(left.stat()) < limit:
                remove_leftover(left)


def _is_old(place: Path, limit: datetime) -> bool:
    if is_link(place):  # what it leads to is looked at under its own name
        return False
    try:
        return written_at((place / FILE).lstat()) < limit
    except OSError:
        return False


def _remove_some(places: Iterable[Path], parent: Path, limit: datetime, damaged: bool, done: CleanUp) -> None:
    hidden: list[tuple[str, Path, FolderLock]] = []
    try:
        for place in places:
            if (taken := _locked(place, done)) is None:
                continue
            name = path = None
            try:
                found = look_into(place, whole=True)  # it may have been written, and closed, before it was locked
                name = _may_go(found, limit, damaged, done)
                path = _hidden(name, place, parent, done) if name is not None else None
            finally:
                if name is None or path is None:
                    taken.give_back()
                else:
                    hidden.append((name, path, taken))
        if hidden:
            sync_folder(parent)
    finally:
        try:
            for one in at_once(_remove_hidden, hidden):
                if isinstance(one, Skipped):
                    done.skipped.append(one)
                else:
                    done.append(one)
        finally:
            for _, _, taken in hidden:
                taken.give_back()


def _locked(place: Path, done: CleanUp) -> FolderLock | None:
    """Lock a session that nobody has open, or note that somebody has."""
    taken = lock_unused(place)
    if taken is None and is_folder(place):
        done.skipped.append(Skipped(place.name, "somebody has it open"))
    return taken


def _remove_hidden(hidden: tuple[str, Path, FolderLock]) -> str | Skipped:
    name, path, taken = hidden
    try:
        _remove(path)
    except OSError as error:
        return Skipped(name, f"it cannot be removed: {error.strerror}")
    finally:
        taken.give_back()
    return name


def _may_go(found: Found | None, limit: datetime, damaged: bool, done: CleanUp) -> str | None:
    """Return the name of what is to be removed, or note why it is not."""
    if found is None or found.written_at is None or found.written_at >= limit:
        return None
    if found.info is not None:
        return found.info.session_id
    if damaged and "damaged" in found.problem:
        return found.folder.name
    done.skipped.append(Skipped(found.folder.name, found.problem))
    return None


def _hidden(name: str, place: Path, parent: Path, done: CleanUp) -> Path | None:
    """Hide a session, what the SDK's manager left of it first, and return where it is now."""
    try:
        old = sdk_folder(parent, name)
        if is_there(old) and not is_link(old):
            gone = hide(old)
            sync_folder(parent)
            _remove(gone)
        return hide(place)
    except FileNotFoundError:
        return None  # somebody else removed it, which needs no lock
    except OSError as error:
        done.skipped.append(Skipped(name, f"it cannot be removed: {error.strerror}"))
        return None


def _remove(folder: Path) -> None:
    """Remove a hidden folder, of which others may be removing parts at the same time."""
    try:
        with os.scandir(folder) as entries:
            files = [entry.path for entry in entries]
        for file in files:
            os.unlink(file)  # noqa: PTH108 - many thousands of them
        os.rmdir(folder)  # noqa: PTH106
    except FileNotFoundError:
        pass
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)
