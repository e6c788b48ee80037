"""Session folders that come into being or go: at once for everybody else, and nothing that a crash leaves stays.

A folder is made, and removed, under a hidden name. Whoever makes one keeps a lock on it, which ends with the process: a
hidden folder whose lock can be taken is nobody's any more, however young it is. A lock counts only while what is locked
has its name, since between the making of a folder and its lock another process may take it for a crash's.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from .posix import fcntl, has_name, open_folder, sync_folder

_HIDDEN = ".unfinished-"


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
        if has_name(descriptor, path):
            shutil.rmtree(path, ignore_errors=True)
        _unlock(descriptor)


@contextlib.contextmanager
def unused_folder(folder: Path) -> Iterator[bool]:
    """Keep a folder from being used by others. Yields False if somebody uses it, or it is gone."""
    descriptor = None
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        descriptor = open_folder(folder)
    if descriptor is None:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = has_name(descriptor, folder)
        except BlockingIOError:
            ours = False
        yield ours
    finally:
        _unlock(descriptor)


def leftovers(parent: Path) -> list[Path]:
    """Return the hidden folders in a folder: what crashes left, and what others are at work on."""
    return sorted(parent.glob(f"{_HIDDEN}*"))


def remove_leftovers(folder: Path) -> None:
    """Remove what crashes left of one session, by the name of its folder, and nothing that others are at work on."""
    own = re.compile(re.escape(f"{_HIDDEN}{folder.name}-") + "[0-9a-f]{8}")  # ids may begin with other ids
    for left in leftovers(folder.parent):
        if own.fullmatch(left.name):
            remove_leftover(left)


def remove_leftover(left: Path) -> None:
    """Remove a hidden folder, unless another process is at work on it."""
    with contextlib.suppress(OSError), unused_folder(left) as ours:
        if ours:
            shutil.rmtree(left, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a session's folder: at once for everybody else, then in fact."""
    hidden = _hidden(folder)
    folder.rename(hidden)
    sync_folder(folder.parent)
    with contextlib.suppress(FileNotFoundError):  # whoever clears up after crashes may be faster
        shutil.rmtree(hidden)


def _locked_new(folder: Path) -> tuple[Path, int]:
    while True:
        path = _hidden(folder)
        path.mkdir(mode=0o700)
        try:
            path.chmod(0o700)  # whatever the umask
            descriptor = open_folder(path)
        except FileNotFoundError:  # taken for a crash's
            continue
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if has_name(descriptor, path):
            return path, descriptor
        os.close(descriptor)


def _hidden(folder: Path) -> Path:
    return folder.parent / f"{_HIDDEN}{folder.name}-{secrets.token_hex(4)}"


def _unlock(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child that was forked meanwhile has it open too
    os.close(descriptor)
