"""Session folders that come into being or go: at once for everybody else, and nothing that a crash leaves stays.

A folder is made, and removed, under a hidden name. Whoever makes one keeps a lock on it, which ends with the process: a
hidden folder whose lock can be taken is nobody's any more, however young it is. A lock counts only while what is locked
has its name, since between the making of a folder and its lock another process may take it for a crash's.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..log.paths import is_folder, is_link
from .posix import fcntl, has_name, open_folder

_HIDDEN = ".unfinished-"
_LONGEST = 255 - len(f"{_HIDDEN}-00000000")
"""How many bytes a name may have to be a part of a hidden one: file systems take 255."""


def is_there(folder: Path) -> bool:
    """Whether there is a folder, or a link. There is none of a name that is too long."""
    try:
        return is_folder(folder) or is_link(folder)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Make a folder that is to get the name ``folder`` once it is filled.

    Yields:
        The folder under its hidden name, for the caller to fill and rename. What the caller leaves there is removed.
    """
    path, descriptor = _locked_new(folder)
    try:
        yield path
    finally:
        try:
            if has_name(descriptor, path):
                shutil.rmtree(path, ignore_errors=True)
        finally:
            unlock(descriptor)


@contextlib.contextmanager
def unused_folder(folder: Path) -> Iterator[bool]:
    """Keep a folder from being used by others. Yields False if somebody uses it, or it is gone."""
    descriptor = lock_unused(folder)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            unlock(descriptor)


def lock_unused(folder: Path) -> int | None:
    """Keep a folder from being used by others until :func:`unlock`; None if somebody uses it, or it is gone."""
    try:
        descriptor = open_folder(folder)
    except OSError:  # it is gone, is a link or a file, or another user's
        return None
    is_ours = False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = has_name(descriptor, folder)
    except BlockingIOError:
        pass
    finally:
        if not is_ours:
            unlock(descriptor)
    return descriptor if is_ours else None


def leftovers(parent: Path) -> list[Path]:
    """Return the hidden folders in a folder: what crashes left, and what others are at work on."""
    try:
        with os.scandir(parent) as entries:
            return sorted(parent / entry.name for entry in entries if entry.name.startswith(_HIDDEN))
    except FileNotFoundError:
        return []


def leftovers_of(folder: Path) -> list[Path]:
    """Return the hidden folders of one session, by the name of its folder."""
    own = re.compile(re.escape(f"{_HIDDEN}{_short(folder.name)}-") + "[0-9a-f]{8}")  # ids may begin with other ids
    return [left for left in leftovers(folder.parent) if own.fullmatch(left.name)]


def remove_leftovers(folder: Path) -> None:
    """Remove what crashes left of one session, by the name of its folder, and nothing that others are at work on."""
    for left in leftovers_of(folder):
        remove_leftover(left)


def remove_leftover(left: Path) -> None:
    """Remove a hidden folder, unless another process is at work on it."""
    with contextlib.suppress(OSError), unused_folder(left) as ours:
        if ours:
            shutil.rmtree(left, ignore_errors=True)


def hide(folder: Path) -> Path:
    """Give a session's folder a hidden name, so that it is gone for everybody else, and return that.

    A folder of a container's image (a lower layer of an overlay) has the name that it has: there, what is in it is.
    """
    hidden = _hidden(folder)
    try:
        folder.rename(hidden)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        hidden, descriptor = _locked_new(folder)
        try:
            _move_all(folder, hidden)
        finally:
            unlock(descriptor)
    return hidden


def _move_all(folder: Path, hidden: Path) -> None:
    """Move what is in a folder, files first: without its journal, or its ``session.json``, there is no session."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.is_dir(follow_symlinks=False))
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            (hidden / entry.name).mkdir(mode=0o700)
            _move_all(Path(entry.path), hidden / entry.name)
        else:
            Path(entry.path).rename(hidden / entry.name)
    folder.rmdir()


def _locked_new(folder: Path) -> tuple[Path, int]:
    while True:
        path = _hidden(folder)
        path.mkdir(mode=0o700)
        try:
            path.chmod(0o700)  # whatever the umask
            descriptor = open_folder(path)
        except FileNotFoundError:  # taken for a crash's
            continue
        is_ours = False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            is_ours = has_name(descriptor, path)
        finally:
            if not is_ours:
                unlock(descriptor)
        if is_ours:
            return path, descriptor


def _hidden(folder: Path) -> Path:
    return folder.parent / f"{_HIDDEN}{_short(folder.name)}-{secrets.token_hex(4)}"


def _short(name: str) -> str:
    """Return a name, or what stands for one that has no room left for what hides it."""
    data = name.encode()
    return name if len(data) <= _LONGEST else f"~{hashlib.sha256(data).hexdigest()[:24]}"


def unlock(descriptor: int) -> None:
    """Let others use a folder that was locked."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child that was forked meanwhile has it open too
    os.close(descriptor)
