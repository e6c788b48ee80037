"""Copies on disk: a folder that holds one state after another, and of each only what differs is written."""

from __future__ import annotations

import os
import shutil
import stat
import time
from pathlib import Path

from ._file_bytes import FileBytes
from .file_system import Contents

_COMPARED = 2**20
"""In bytes: files up to this size are compared with what was written; larger ones are known by their times."""

_AGE_NS = 10**9
"""How much older than it is a large file is said to be, so that any change of it shows, however soon it comes."""


class FolderCopy:
    """A folder of the harness's own, in which somebody may read, and change things by that.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written: dict[str, tuple[FileBytes, int]] = {}

    def move_to(self, folder: Path) -> None:
        """Go on under another path."""
        if folder != self.folder:
            self.folder = self.folder.rename(folder)

    def become(self, contents: Contents) -> None:
        """Let the folder hold something else, whatever it holds now."""
        wanted = dict(contents.paths())
        self._clear(contents, wanted)
        for path, node in wanted.items():
            place = self.folder / path
            if node in contents.names:
                place.mkdir(exist_ok=True)
            elif node in contents.links:
                place.symlink_to(contents.links[node])
            else:
                self._write(path, place, contents.files[node])

    def _clear(self, contents: Contents, wanted: dict[str, int]) -> None:
        """Remove what is not wanted, and forget what is not as it was written."""
        known: dict[str, tuple[FileBytes, int]] = {}
        for parent, folders, files in os.walk(self.folder, topdown=False):
            for name in [*files, *folders]:
                place = Path(parent) / name
                path = place.relative_to(self.folder).as_posix()
                node, found = wanted.get(path), place.lstat()
                if stat.S_ISDIR(found.st_mode):
                    if node not in contents.names:
                        shutil.rmtree(place)
                elif node in contents.files and self._is_as_written(path, place, found):
                    known[path] = self._written[path]
                else:
                    place.unlink()
        self._written = known

    def _is_as_written(self, path: str, place: Path, found: os.stat_result) -> bool:
        if path not in self._written or not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            return False
        written, time_ns = self._written[path]
        if found.st_size != written.size or not found.st_mode & stat.S_IRUSR:
            return False
        return place.read_bytes() == bytes(written) if written.size <= _COMPARED else found.st_mtime_ns == time_ns

    def _write(self, path: str, place: Path, data: FileBytes) -> None:
        before = self._written.get(path, (None, 0))[0]
        if before is data:
            return
        with place.open("wb" if before is None else "r+b", buffering=0) as file:
            for at, piece in data.changes_from(before):
                file.seek(at)
                file.write(piece)
            file.truncate(data.size)
        if data.size > _COMPARED:
            then = time.time_ns() - _AGE_NS
            os.utime(place, ns=(then, then))
        self._written[path] = (data, place.stat().st_mtime_ns)


__all__ = ["FolderCopy"]
