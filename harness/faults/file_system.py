"""A model of a file system: what a folder holds, and what of it a kill or a power cut may leave.

A kill loses nothing that a system call has done. A power cut may lose what was not synced, in any order: the bytes of a
file until the file is synced, and the names in a directory until the directory is, also that of a file which was synced
itself (POSIX promises no more; fsync(2) of Linux says so).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..backends import looked_at
from ._file_bytes import FileBytes

ROOT = 0
"""The node of the folder itself."""

SECTOR = 512
"""The bytes that a power cut leaves written together, or not at all: the smallest unit of today's disks."""


@dataclass(frozen=True)
class Operation:
    """Something that changes a file system. Nodes (files, directories, symbolic links) are numbers."""


@dataclass(frozen=True)
class Write(Operation):
    """Bytes are written into a file; a gap before them is filled with NUL bytes."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Resize(Operation):
    """A file is cut or grown to a size."""

    file: int
    size: int


@dataclass(frozen=True)
class SetName(Operation):
    """A name in a directory comes to stand for a node, or for nothing.

    ``made`` says what the node is where it is new: a file, a directory or a symbolic link, with where that leads.
    ``moved_from`` is the directory and name it had before, where it was renamed.
    """

    directory: int
    name: str
    node: int | None
    made: Literal["file", "directory", "link", ""] = ""
    leads_to: str = ""
    moved_from: tuple[int, str] | None = None


@dataclass(frozen=True)
class Sync(Operation):
    """What was done to a node becomes durable; to everything, where it is None."""

    node: int | None


@dataclass
class Contents:
    """What a folder holds.

    Attributes:
        files: The bytes of each file.
        names: The names in each directory, and the nodes they stand for.
        links: Where each symbolic link leads.
    """

    files: dict[int, FileBytes] = field(default_factory=dict)
    names: dict[int, dict[str, int]] = field(default_factory=lambda: {ROOT: {}})
    links: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of_folder(cls, folder: Path) -> Contents:
        """Return what a folder on disk holds."""
        return looked_at(lambda: cls()._loaded(folder))

    def _loaded(self, folder: Path) -> Contents:
        self._load(folder, ROOT)
        return self

    def _load(self, folder: Path, directory: int) -> None:
        for path in sorted(folder.iterdir()):
            node = self.unused_node()
            if path.is_symlink():
                self.apply(SetName(directory, path.name, node, "link", str(path.readlink())))
            elif path.is_dir():
                self.apply(SetName(directory, path.name, node, "directory"))
                self._load(path, node)
            else:
                self.apply(SetName(directory, path.name, node, "file"))
                self.files[node] = FileBytes(path.read_bytes())

    def unused_node(self) -> int:
        """Return the number for a new node."""
        return 1 + max((*self.files, *self.names, *self.links))

    def copy(self) -> Contents:
        """Return a copy that can be changed by itself."""
        return Contents(
            dict(self.files), {node: dict(names) for node, names in self.names.items()}, dict(self.links)
        )  # fmt: skip

    def make_node(self, operation: Operation) -> None:
        """Make the node that an operation makes, without the name that it gives it."""
        if isinstance(operation, SetName) and operation.node is not None:
            if operation.made == "file":
                self.files.setdefault(operation.node, FileBytes())
            elif operation.made == "directory":
                self.names.setdefault(operation.node, {})
            elif operation.made == "link":
                self.links[operation.node] = operation.leads_to

    def apply(self, operation: Operation) -> None:
        """Do an operation."""
        self.make_node(operation)
        if isinstance(operation, Write):
            self.files[operation.file] = self.files[operation.file].written(operation.offset, operation.data)
        elif isinstance(operation, Resize):
            self.files[operation.file] = self.files[operation.file].resized(operation.size)
        elif isinstance(operation, SetName):
            if operation.moved_from is not None:
                directory, name = operation.moved_from
                if self.names[directory].get(name) == operation.node:
                    del self.names[directory][name]
            if operation.node is None:
                self.names[operation.directory].pop(operation.name, None)
            else:
                self.names[operation.directory][operation.name] = operation.node

    def paths(self, directory: int = ROOT, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield the path of every node that can be reached, directories before what is in them."""
        for name, node in sorted(self.names[directory].items()):
            yield prefix + name, node
            if node in self.names:
                yield from self.paths(node, f"{prefix}{name}/")

    def digest(self) -> str:
        """Return a text that two contents share only if a process could not tell them apart."""
        digest = hashlib.sha256()
        for path, node in self.paths():
            if node in self.files:
                what = f"file {self.files[node].digest}"
            else:
                what = "directory" if node in self.names else f"link {self.links[node]}"
            digest.update(f"{path}\0{len(what)}\0{what}".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def write_to(self, folder: Path) -> None:
        """Write everything into an empty folder on disk."""
        for path, node in self.paths():
            place = folder / path
            if node in self.names:
                place.mkdir()
            elif node in self.links:
                place.symlink_to(self.links[node])
            else:
                place.write_bytes(bytes(self.files[node]))


@dataclass(frozen=True)
class State:
    """What a crash may have left.

    Attributes:
        contents: What the folder holds.
        what: What happened, in words.
        kind: What kind of crash that is, for the matrix; or "".
    """

    contents: Contents
    what: str
    kind: str = ""


def killed_within(contents: Contents, operation: Operation) -> Iterator[State]:
    """Yield what a kill within an operation may leave: a write may have been done in part."""
    if not isinstance(operation, Write) or len(operation.data) < 2:
        return
    length = len(operation.data)
    for done in sorted({1, length // 2, length - 1}):
        state = contents.copy()
        state.apply(Write(operation.file, operation.offset, operation.data[:done]))
        yield State(state, f"killed when {done} of {length} bytes were written", "killed within a write")


_PAGE = 4096
"""Bytes that a system writes together: what is written into a page is written again with the next write to it."""

LATEST = 4
"""Of how many of the latest operations that are not durable each is lost, or kept, by itself."""


class Durability:
    """Follows which operations are durable.

    Attributes:
        durable: What a power cut cannot take away.
        pending: What it can, in the order in which it was done.
    """

    def __init__(self, before: Contents) -> None:
        self.durable = before.copy()
        self.pending: list[Operation] = []
        self._forgotten: list[Write] = []
        self._follow_pending()

    def _follow_pending(self) -> None:
        """Begin anew to follow what is kept where a power cut takes nothing, only bytes, only names, or the latest."""
        self._now, self._names, self._data, self._older = (self.durable.copy() for _ in range(4))
        self._older_count = 0
        for number in range(len(self.pending)):
            self._follow(number)

    def _follow(self, number: int) -> None:
        operation = self.pending[number]
        self._now.apply(operation)
        part, other = (self._names, self._data) if isinstance(operation, SetName) else (self._data, self._names)
        part.apply(operation)
        for contents in (other, self._older):
            contents.make_node(operation)
        if number >= LATEST:
            self._older.apply(self.pending[number - LATEST])
            self._older_count = number - LATEST + 1

    def apply(self, operation: Operation) -> None:
        """Follow an operation."""
        self.durable.make_node(operation)
        if not isinstance(operation, Sync):
            if isinstance(operation, Write):
                self._forgotten = [one for one in self._forgotten if not _share_a_page(one, operation)]
            self.pending.append(operation)
            self._follow(len(self.pending) - 1)
            return
        left: list[Operation] = []
        for waiting in self.pending:
            if _is_synced_by(operation, waiting) and not any(waiting is one for one in self._forgotten):
                self.durable.apply(waiting)
            else:
                left.append(waiting)
        self.pending = left
        self._follow_pending()

    def refuse(self, sync: Sync) -> None:
        """Follow a sync of a file that failed: what it was to make durable no later one does until it is written anew.

        The system takes such pages for clean, and has told of the error once (A. Rebello et al., "Can Applications
        Recover from fsync Failures?", USENIX ATC 2020; PostgreSQL's "fsyncgate" of 2018). Whoever has the file open
        still reads what was written.
        """
        self._forgotten += [one for one in self.pending if isinstance(one, Write) and _is_synced_by(sync, one)]

    def copy(self) -> Durability:
        """Return one that goes on from here by itself."""
        copy = Durability(self.durable)
        for operation in self.pending:
            copy.apply(operation)
        copy._forgotten = list(self._forgotten)
        return copy

    def nothing_lost(self) -> State:
        """Return what a power cut leaves now where it takes nothing, as a kill does."""
        return State(self._now.copy(), "power cut: nothing was lost", "nothing was lost")

    def states(self) -> Iterator[State]:
        """Yield what a power cut that takes something may leave now.

        All that is pending is lost, or one operation of it, or all but one; names are kept and bytes lost, or the
        other way round; and of a write some sectors are lost, or all of its bytes but not its length.
        """
        pending = self.pending
        if not pending:
            return
        lost = "all that was not synced was lost"
        yield State(self.durable.copy(), f"power cut: {lost}", lost)
        if any(isinstance(operation, SetName) for operation in pending) and not all(
            isinstance(operation, SetName) for operation in pending
        ):
            for contents, what in (
                (self._names, "bytes were lost, names were not"),
                (self._data, "names were lost, bytes were not"),
            ):
                yield State(contents.copy(), f"power cut: {what}", what)
        latest = pending[self._older_count :]
        for operation in latest:
            others = [other for other in latest if other is not operation]
            shown = _shown(operation)
            if len(pending) > 1:
                yield _with(self._older, others, f"power cut: lost was only {shown}", "one thing was lost")
                kept = f"power cut: of what was not synced, kept was only {shown}"
                yield _with(self.durable, [operation], kept, "all but one thing was lost")
            if isinstance(operation, Write):
                for half, what in _torn(operation, self._older.files.get(operation.file)):
                    replaced = [half if other is operation else other for other in latest]
                    told = f"power cut: {what} of {_shown(operation)}"
                    yield _with(self._older, replaced, told, "a part of a write was lost")


def _with(before: Contents, operations: Sequence[Operation], what: str, kind: str) -> State:
    contents = before.copy()
    for operation in operations:
        contents.apply(operation)
    return State(contents, what, kind)


def _is_synced_by(sync: Sync, operation: Operation) -> bool:
    return sync.node is None or _belongs_to(operation, sync.node)


def _share_a_page(one: Write, other: Write) -> bool:
    def pages(write: Write) -> range:
        return range(write.offset // _PAGE, -(-(write.offset + len(write.data)) // _PAGE))

    first, second = pages(one), pages(other)
    return one.file == other.file and first.start < second.stop and second.start < first.stop


def _belongs_to(operation: Operation, node: int) -> bool:
    if isinstance(operation, Write | Resize):
        return operation.file == node
    return isinstance(operation, SetName) and operation.directory == node


def _torn(write: Write, older: FileBytes | None) -> Iterator[tuple[Write, str]]:
    """Yield what may be kept of a write of which not all was lost. A sector is kept whole or lost whole.

    Bytes that are lost are what the file held there before, and zeros behind its end: a disk that loses a write in
    place keeps what it had.

    Args:
        write: The write.
        older: The file as it was before; None where it is new.
    """
    length = len(write.data)
    held = older.between(write.offset, write.offset + length) if older is not None else b""
    lost = held + bytes(length - len(held))
    if lost != write.data and len(held) < length:
        yield Write(write.file, write.offset, lost), "lost was everything but the length"
    middle = (write.offset + length // 2 + SECTOR - 1) // SECTOR * SECTOR - write.offset
    if 0 < middle < length:
        yield Write(write.file, write.offset, write.data[:middle] + held[middle:]), "lost was the second half"
        yield Write(write.file, write.offset, lost[:middle] + write.data[middle:]), "lost was the first half"


def kind_of(operation: Operation) -> str:
    """Return what kind of operation one is, in words."""
    if isinstance(operation, Write):
        return "a write"
    if isinstance(operation, Resize):
        return "a resizing"
    if isinstance(operation, SetName):
        if operation.node is None:
            return "a removal"
        return "a renaming" if operation.moved_from is not None else "a creation"
    return "a sync"


def _shown(operation: Operation) -> str:
    if isinstance(operation, Write):
        return f"the write of {len(operation.data)} bytes at {operation.offset}"
    if isinstance(operation, Resize):
        return f"the resizing to {operation.size} bytes"
    if isinstance(operation, SetName) and operation.node is None:
        return f"the removal of {operation.name!r}"
    return f"the name {operation.name!r}" if isinstance(operation, SetName) else "a sync"
