"""File operations: what a traced process did inside of one folder, in order, read from strace's lines."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .file_system import ROOT, Contents, Operation, Resize, SetName, Sync, Write
from .system_calls import DESCRIPTOR, LINE, MARK_FILE, SPLIT, Untraceable, buffers, decode, number, whole

ELSEWHERE = "(outside of the workspace, or for reading)"
"""The path of a step that was made to fail and would not have changed the workspace."""


@dataclass(frozen=True)
class Step:
    """One thing that a traced process did to the folder, or a mark that it set.

    Attributes:
        operation: What it did; None for a mark, and for a call that was made to fail.
        mark: The mark's number; None for anything else.
        thread: The id of the thread that did it.
        call: The system call's name.
        path: The path in the folder.
        refused: What it would have done, if it is a call that was made to fail and that is known.
    """

    operation: Operation | None = None
    mark: int | None = None
    thread: int = 0
    call: str = ""
    path: str = ""
    refused: Operation | None = None

    @property
    def injected(self) -> bool:
        """Whether it is a call that strace made fail."""
        return self.operation is None and self.mark is None

    def __str__(self) -> str:
        return f"{self.call} {self.path}"


def read_steps(lines: Iterable[str], folder: str, working_folder: str, before: Contents) -> list[Step]:
    """Return what a process did inside of a folder.

    Args:
        lines: strace's lines, as :func:`~session_conformance.harness.faults.traced` returns them.
        folder: The absolute path of the folder, without symbolic links.
        working_folder: The process's working folder, for relative paths.
        before: What the folder held before.

    Raises:
        Untraceable: The process used files in a way that cannot be followed.
    """
    reader = _Reader(folder, working_folder, before.copy())
    for line in whole(lines):
        reader.read(line)
    return reader.steps


@dataclass
class _OpenFile:
    """An open file description; several descriptors may share one."""

    node: int
    path: str
    position: int = 0
    appends: bool = False
    syncs: bool = False


class _Reader:
    def __init__(self, folder: str, working_folder: str, contents: Contents) -> None:
        self.steps: list[Step] = []
        self._folder = folder
        self._working_folder = working_folder
        self._now = contents
        self._open: dict[int, _OpenFile] = {}
        self._thread = 0
        self._name = ""
        self._failed = False

    def read(self, line: str) -> None:
        match = LINE.match(line)
        if match is None:
            return
        thread, name, text, result, rest = match.groups()
        call = getattr(self, f"call_{_READ_AS.get(name, name)}", None)
        self._thread, self._name, self._failed = int(thread), name, int(result) < 0
        injected = "(INJECTED)" in rest
        if call is None or (self._failed and not injected):
            return
        count = len(self.steps)
        call(SPLIT.split(text), int(result))
        if injected and len(self.steps) == count:
            self.steps.append(Step(thread=self._thread, call=name, path=ELSEWHERE))

    # -- names and descriptors -----------------------------------------------------------------------------

    def _do(self, path: str, operation: Operation | None) -> None:
        """Record an operation; where the call was made to fail, that it did."""
        inside = posixpath.relpath(path, self._folder)
        if self._failed or operation is None:
            if self._failed:
                self.steps.append(Step(thread=self._thread, call=self._name, path=inside, refused=operation))
            return
        self._now.apply(operation)
        self.steps.append(Step(operation, None, self._thread, self._name, inside))

    def _path(self, text: str, at: str = "") -> str:
        match = DESCRIPTOR.match(at)
        base = decode(match.group(2)) if match and match.group(2) else self._working_folder
        return posixpath.normpath(posixpath.join(base, decode(text)))

    def _place(self, path: str) -> tuple[int, str] | None:
        """Return the directory and the name of a path inside of the folder, or None for one outside."""
        if not path.startswith(f"{self._folder}/"):
            return None
        *parents, name = path[len(self._folder) + 1 :].split("/")
        directory = ROOT
        for parent in parents:
            child = self._now.names[directory].get(parent)
            if child is None or child not in self._now.names:
                return None
            directory = child
        return directory, name

    def _node(self, path: str) -> int | None:
        if path == self._folder:
            return ROOT
        place = self._place(path)
        return self._now.names[place[0]].get(place[1]) if place is not None else None

    def _opened(self, text: str) -> _OpenFile | None:
        return self._open.get(number(text))

    def _opened_file(self, text: str) -> _OpenFile | None:
        found = self._opened(text)
        return found if found is not None and found.node in self._now.files else None

    # -- the calls -----------------------------------------------------------------------------------------

    def call_open(self, given: list[str], descriptor: int) -> None:
        self.call_openat(["AT_FDCWD", *given], descriptor)

    def call_creat(self, given: list[str], descriptor: int) -> None:
        self.call_openat(["AT_FDCWD", given[0], "O_WRONLY|O_CREAT|O_TRUNC"], descriptor)

    def call_openat(self, given: list[str], descriptor: int) -> None:
        path, flags = self._path(given[1], given[0]), set(given[2].split("|"))
        if not self._failed:
            self._open.pop(descriptor, None)
        node, place = self._node(path), self._place(path)
        if node is None and place is None:
            return
        if self._failed:
            if flags & {"O_CREAT", "O_TRUNC", "O_WRONLY", "O_RDWR"}:
                self._do(path, None)
            return
        if "O_TMPFILE" in flags:
            raise Untraceable("it makes files that have no name at first (O_TMPFILE)")
        if node is None and place is not None:
            node = self._now.unused_node()
            self._do(path, SetName(*place, node, "file"))
        assert node is not None
        if "O_TRUNC" in flags and self._now.files.get(node):
            self._do(path, Resize(node, 0))
        self._open[descriptor] = _OpenFile(node, path, 0, "O_APPEND" in flags, bool(flags & {"O_SYNC", "O_DSYNC"}))

    def call_close(self, given: list[str], _: int) -> None:
        self._open.pop(number(given[0]), None)

    def call_dup(self, given: list[str], descriptor: int) -> None:
        shared = self._opened(given[0])
        self._open.pop(descriptor, None)
        if shared is not None:
            self._open[descriptor] = shared

    def call_fcntl(self, given: list[str], descriptor: int) -> None:
        if given[1].startswith("F_DUPFD"):
            self.call_dup(given, descriptor)

    def call_lseek(self, given: list[str], position: int) -> None:
        match = DESCRIPTOR.match(given[0])
        if match and match.group(2) and decode(match.group(2)) == MARK_FILE:
            self.steps.append(Step(mark=int(given[1]), thread=self._thread))
        elif (opened := self._opened(given[0])) is not None:
            opened.position = position

    def call_read(self, given: list[str], count: int) -> None:
        opened = self._opened(given[0])
        if opened is not None:
            opened.position += count

    def call_write(self, given: list[str], count: int) -> None:
        self._put(given[0], given[1], count)

    def call_pwrite64(self, given: list[str], count: int) -> None:
        self._put(given[0], given[1], count, int(given[3]))

    def call_writev(self, given: list[str], count: int) -> None:
        self._put(given[0], given[1], count)

    def call_pwritev(self, given: list[str], count: int) -> None:
        self._put(given[0], given[1], count, int(given[3]))

    def _put(self, descriptor: str, data: str, count: int, offset: int | None = None) -> None:
        opened = self._opened_file(descriptor)
        if opened is None:
            return
        if self._failed:
            self._do(opened.path, None)
            return
        if offset is None or opened.appends:
            offset = len(self._now.files[opened.node]) if opened.appends else opened.position
            opened.position = offset + count
        self._do(opened.path, Write(opened.node, offset, buffers(data)[:count]))
        if opened.syncs:
            self._do(opened.path, Sync(opened.node))

    def call_ftruncate(self, given: list[str], _: int) -> None:
        opened = self._opened_file(given[0])
        if opened is not None:
            self._do(opened.path, Resize(opened.node, int(given[1])))

    def call_truncate(self, given: list[str], _: int) -> None:
        path = self._path(given[0])
        node = self._node(path)
        if node is not None:
            self._do(path, Resize(node, int(given[1])))

    def call_fallocate(self, given: list[str], _: int) -> None:
        opened = self._opened_file(given[0])
        if opened is None:
            return
        if given[1] not in ("0", "FALLOC_FL_KEEP_SIZE"):
            raise Untraceable(f"it punches or moves ranges of files (fallocate {given[1]})")
        size = max(len(self._now.files[opened.node]), int(given[2]) + int(given[3]))
        self._do(opened.path, Resize(opened.node, size) if given[1] == "0" else None)

    def call_fsync(self, given: list[str], _: int) -> None:
        opened = self._opened(given[0])
        if opened is not None:
            self._do(opened.path, Sync(opened.node))

    def call_sync(self, _: list[str], __: int) -> None:
        self._do(self._folder, Sync(None))

    def call_rename(self, given: list[str], result: int) -> None:
        self.call_renameat(["AT_FDCWD", given[0], "AT_FDCWD", given[1]], result)

    def call_renameat(self, given: list[str], _: int) -> None:
        if len(given) > 4 and given[4] not in ("0", "RENAME_NOREPLACE"):
            raise Untraceable(f"it exchanges files (renameat2 with {given[4]})")
        source, target = self._path(given[1], given[0]), self._path(given[3], given[2])
        was, will = self._place(source), self._place(target)
        if was is None and will is None:
            return
        if was is None or will is None:
            raise Untraceable("it moves files into the workspace, or out of it")
        if source != target:
            self._do(target, SetName(*will, self._now.names[was[0]].get(was[1]), moved_from=was))

    def call_link(self, given: list[str], result: int) -> None:
        self.call_linkat(["AT_FDCWD", given[0], "AT_FDCWD", given[1]], result)

    def call_linkat(self, given: list[str], _: int) -> None:
        node, target = self._node(self._path(given[1], given[0])), self._path(given[3], given[2])
        place = self._place(target)
        if place is not None and node is not None:
            self._do(target, SetName(*place, node))

    def call_symlink(self, given: list[str], result: int) -> None:
        self.call_symlinkat([given[0], "AT_FDCWD", given[1]], result)

    def call_symlinkat(self, given: list[str], _: int) -> None:
        self._make(self._path(given[2], given[1]), "link", decode(given[0]))

    def call_mkdir(self, given: list[str], result: int) -> None:
        self.call_mkdirat(["AT_FDCWD", *given], result)

    def call_mkdirat(self, given: list[str], _: int) -> None:
        self._make(self._path(given[1], given[0]), "directory")

    def _make(self, path: str, made: Literal["directory", "link"], leads_to: str = "") -> None:
        place = self._place(path)
        if place is not None:
            self._do(path, SetName(*place, self._now.unused_node(), made, leads_to))

    def call_unlink(self, given: list[str], result: int) -> None:
        self.call_unlinkat(["AT_FDCWD", *given], result)

    def call_unlinkat(self, given: list[str], _: int) -> None:
        path = self._path(given[1], given[0])
        place = self._place(path)
        if place is not None:
            self._do(path, SetName(*place, None))

    def call_copy_file_range(self, given: list[str], count: int) -> None:
        self._copy(given[0], given[1], given[2], given[3], count)

    def call_sendfile(self, given: list[str], count: int) -> None:
        self._copy(given[1], given[2], given[0], "NULL", count)

    def _copy(self, source: str, source_at: str, target: str, target_at: str, count: int) -> None:
        to, of = self._opened_file(target), self._opened_file(source)
        if to is None:
            return
        if self._failed:
            self._do(to.path, None)
            return
        if of is None:
            raise Untraceable("it copies into the workspace without the bytes passing through the process")
        start = _moved(of, source_at, count)
        data = self._now.files[of.node].between(start, start + count)
        self._do(to.path, Write(to.node, _moved(to, target_at, count), data))


def _moved(opened: _OpenFile, at: str, count: int) -> int:
    """Return where a copy begins: where its argument says, or else at the file's position, which moves on."""
    given = re.match(r"\[(\d+)\]", at)
    if given is not None:
        return int(given.group(1))
    opened.position += count
    return opened.position - count


_READ_AS = {
    "readv": "read", "pwritev2": "pwritev", "fdatasync": "fsync", "syncfs": "sync", "renameat2": "renameat",
    "rmdir": "unlink", "dup2": "dup", "dup3": "dup",
}  # fmt: skip
