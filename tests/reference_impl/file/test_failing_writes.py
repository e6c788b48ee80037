"""Writes and syncs that fail, wholly or in part, leave a journal that is read and written on; power may go at any time.

What is drawn is drawn from seeds: which calls fail, how far a write comes, where commits end, who writes next, and what
of what was not synced a power cut leaves.
"""

import errno
import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl.file import copies, journal_file, room
from session_conformance.reference_impl.file.journal import BLOCK, TRAILER, new_journal
from session_conformance.reference_impl.file.journal_file import JournalFile
from session_conformance.reference_impl.file.scanning import json_array, scan
from session_conformance.reference_impl.file.torn import SECTOR, WITHDRAWN
from session_conformance.reference_impl.log.commit_lines import bodies_of, commit_line
from strands.types.exceptions import SessionException

LABEL = f"{7:024x}"
FRAME = len(commit_line(0, b"", 0, LABEL))
HEADER = new_journal([], "5" * 32)[1].end
FULL = OSError(errno.ENOSPC, "no room")


def body_of(number: int, length: int) -> bytes:
    """Return a body with which a commit's line has a length, about 80 bytes at least."""
    start = b'["%06d' % number
    return start + b"x" * (length - FRAME - len(start) - 2) + b'"]'


def syncs_are(monkeypatch: pytest.MonkeyPatch, sync: Callable[[int], None]) -> None:
    """Do something in place of each sync of a journal, and nothing in place of those of folders."""
    for module in (copies, journal_file, room):
        for name in ("_sync", "sync", "sync_all"):
            monkeypatch.setattr(module, name, sync, raising=False)
        for name in ("sync_folder", "sync_names"):
            monkeypatch.setattr(module, name, lambda _: None, raising=False)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    syncs_are(monkeypatch, lambda _: None)


class Disk:
    """What a disk has of a file: of a page that was written and not synced, any sectors; after a failed sync, for good.

    Attributes:
        failing: How often, from 0 to 1, a write or sync fails.
        loses_power: Whether power is ever cut. Then a write breaks off between two sectors, as on disks.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, draw: random.Random, path: Path, loses_power: bool) -> None:
        self.path, self.failing, self.loses_power = path, 0.0, loses_power
        self._draw, self._has, self._unsynced, self._write = draw, bytearray(path.read_bytes()), set[int](), os.pwrite
        monkeypatch.setattr(os, "pwrite", self._pwrite)
        syncs_are(monkeypatch, self._sync)

    def _pwrite(self, descriptor: int, data: memoryview, offset: int) -> int:
        size, fails = len(data), self._draw.random() < self.failing
        if fails:
            near = self._draw.randint(1, min(12, size))  # two bytes of a mark alone might be one that has rotted
            size = self._draw.choice([0, 0, near + (near == 2), self._draw.randint(1, size)])
            if self.loses_power:
                size = max((offset + size) // SECTOR * SECTOR - offset, 0)
        if size:
            self._write(descriptor, data[:size], offset)
            pages = range(offset // BLOCK, (offset + size - 1) // BLOCK + 1)
            self._unsynced.update(page * BLOCK + sector for page in pages for sector in range(0, BLOCK, SECTOR))
        if fails:
            raise FULL
        return size

    def _sync(self, _: int) -> None:
        fails = self._draw.random() < self.failing
        self._store(self._has, [at for at in self._unsynced if not fails or self._draw.random() < 0.5])
        self._unsynced.clear()
        if fails:
            raise OSError(errno.EIO, "the disk does not answer")
        self._has.extend(bytes(self.path.stat().st_size - len(self._has)))

    def _store(self, has: bytearray, sectors: list[int]) -> None:
        shown = self.path.read_bytes()
        for at in sectors:
            part = shown[at : at + SECTOR]
            if not part:
                continue  # the file ends within the page
            has.extend(bytes(max(at + len(part) - len(has), 0)))
            has[at : at + len(part)] = part

    def left_by_a_power_cut(self) -> bytes:
        """Return what the file has if power goes now."""
        left, share = bytearray(self._has), self._draw.choice([0, 0.5, 0.5, 1])
        self._store(left, [at for at in sorted(self._unsynced) if self._draw.random() < share])
        return bytes(left)

    def lose_power(self) -> None:
        """Cut power."""
        left = self.left_by_a_power_cut()
        self.path.write_bytes(left)
        self._has, self._unsynced = bytearray(left), set()


def bodies_in(data: bytes) -> list[bytes]:
    return bodies_of(json_array(bytearray(data), scan(data)))[1:]


def append(writer: JournalFile, body: bytes, label: str = LABEL) -> None:
    """Append a commit as a store does: what others have written is read first."""
    with writer.writing() as behind:
        if behind and writer.news() is None:
            writer.read()
        writer.append(body, label)


def new_file(folder: Path, length: int) -> Path:
    """Make a session whose journal has a first commit with a line of a length; return the journal."""
    file = JournalFile(folder / "journal_s", "s")
    assert file.create(body_of(0, length + len(LABEL) + 1))  # it has no label
    file.close()
    return folder / "journal_s" / "journal"


def opened(path: Path) -> JournalFile:
    writer = JournalFile(path.parent, "s")
    writer.read()
    return writer


def lengths(draw: random.Random, end: int) -> int:
    """Draw the length of a line: many end near the border of a sector or block."""
    blocks = end // BLOCK
    border = draw.choice([(end // SECTOR + 1) * SECTOR, (blocks + 1) * BLOCK, (blocks + 2) * BLOCK])
    length = border + draw.randint(-24, 12) - end
    return length if draw.random() < 0.7 and length > 85 else draw.randint(85, 3000)


@pytest.mark.parametrize("loses_power", [False, True])
def test_whatever_fails_nothing_acknowledged_is_lost_and_no_journal_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loses_power: bool
) -> None:
    for seed in range(30):
        draw = random.Random(seed)
        with monkeypatch.context() as patched:
            folder = tmp_path / str(seed)
            path = new_file(folder, draw.choice([100, draw.randint(100, 3000)]))
            disk = Disk(patched, draw, path, loses_power)
            writers: list[JournalFile] = []
            acknowledged: list[bytes] = []
            for number in range(10):
                disk.failing = draw.choice([0, 0.1, 0.3, 0.6])
                writers += [opened(path) for _ in range(2 - len(writers))]
                body = body_of(number, lengths(draw, scan(path.read_bytes()).end))
                with suppress(SessionException):
                    append(draw.choice(writers), body, f"{number:024x}")
                    acknowledged.append(body)
                left = [disk.left_by_a_power_cut() for _ in range(2)] if loses_power else []
                for data in (path.read_bytes(), *left):
                    found = bodies_in(data)
                    assert [one for one in found if one in acknowledged] == acknowledged, f"seed {seed}"
                if loses_power and draw.random() < 0.2:
                    while writers:
                        writers.pop().close()
                    disk.lose_power()
            for writer in writers:
                writer.close()


def writes_fail(monkeypatch: pytest.MonkeyPatch, which: Callable[[bytes, int], bool], times: int = 1) -> None:
    """Make writes fail that are of certain data at a certain place, a number of times."""
    write, failed = os.pwrite, []

    def pwrite(descriptor: int, data: Any, offset: int) -> int:
        if len(failed) < times and which(bytes(data), offset):
            failed.append(offset)
            raise FULL
        return write(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)


def test_a_commit_that_ends_in_an_older_trailer_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for rest in range(1, len(TRAILER)):
        path = new_file(tmp_path / str(rest), 3000)
        size = path.stat().st_size
        writer, other = opened(path), opened(path)
        filling = size - 500 - scan(path.read_bytes()).end
        append(writer, body_of(1, filling))
        with monkeypatch.context() as patched:
            writes_fail(patched, lambda data, at, end=size: at == end - len(TRAILER))  # type: ignore[misc]  # its clearing
            with pytest.raises(SessionException):
                append(writer, body_of(2, 500 - rest))
        append(other, body_of(3, 500 - rest))
        assert scan(path.read_bytes()).end == size - rest
        append(writer, body_of(4, 100))
        assert bodies_in(path.read_bytes()) == [body_of(1, filling), body_of(3, 500 - rest), body_of(4, 100)]


def test_what_is_left_of_an_older_trailer_behind_a_commit_is_no_damage(tmp_path: Path) -> None:
    for rest in range(1, len(TRAILER)):
        end = 2 * BLOCK - rest
        path = new_file(tmp_path / str(rest), end - HEADER)
        data = bytearray(path.read_bytes())
        assert scan(data).end == end
        data[end : 2 * BLOCK] = TRAILER[-rest:]
        path.write_bytes(data)
        append(opened(path), body_of(1, 100))
        assert bodies_in(path.read_bytes()) == [body_of(1, 100)]


def test_a_longer_commit_that_another_withdrew_is_cleared_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = new_file(tmp_path, 1000)
    end = scan(path.read_bytes()).end
    one, two = opened(path), opened(path)
    for writer, length in ((one, 200), (two, 2000)):
        with monkeypatch.context() as patched:
            writes_fail(patched, lambda data, _: LABEL.encode() in data and not data.startswith(WITHDRAWN))
            with pytest.raises(SessionException):
                append(writer, body_of(1, length))
    assert path.read_bytes()[end:].startswith(WITHDRAWN)
    append(one, body_of(2, 100))
    assert bodies_in(path.read_bytes()) == [body_of(2, 100)]


def test_a_file_that_others_have_grown_and_not_written_has_one_trailer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = new_file(tmp_path, 1000)
    size = path.stat().st_size
    one, two = opened(path), opened(path)
    with monkeypatch.context() as patched:
        writes_fail(patched, lambda data, _: LABEL.encode() in data, times=2)  # the commit, and then its mark
        with pytest.raises(SessionException):
            append(one, body_of(1, 3 * size))
    grown = path.stat().st_size
    assert grown > 3 * size
    append(two, body_of(2, size))
    assert path.read_bytes().count(TRAILER) == 1
    assert path.stat().st_size == grown
    append(one, body_of(3, 100))
    assert bodies_in(path.read_bytes()) == [body_of(2, size), body_of(3, 100)]


def test_a_torn_commit_whose_first_sector_is_missing_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = new_file(tmp_path, 1000)
    data = bytearray(path.read_bytes())
    end = scan(data).end
    border = -(-end // SECTOR) * SECTOR
    data[border : border + SECTOR] = b"x" * SECTOR  # of a commit whose other sectors power left unwritten
    path.write_bytes(data)
    writer = opened(path)
    with monkeypatch.context() as patched:
        writes_fail(patched, lambda data, at: True)
        with pytest.raises(SessionException):
            append(writer, body_of(1, border - end))
    append(writer, body_of(1, border - end))
    assert bodies_in(path.read_bytes()) == [body_of(1, border - end)]
