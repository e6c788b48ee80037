"""What the file manager needs of the system: a sync that reaches the disk, and a clear refusal where there is none."""

import errno
import os
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file import posix
from session_conformance.reference_impl.file.posix import sync_calls
from strands.types.exceptions import SessionException


class MacOs:
    """The part of the module ``fcntl`` that macOS has beside that of Linux."""

    F_FULLFSYNC = 51

    def __init__(self, error: int = 0) -> None:
        self.calls: list[tuple[int, int]] = []
        self._error = error

    def fcntl(self, descriptor: int, command: int) -> int:
        self.calls.append((descriptor, command))
        if self._error:
            raise OSError(self._error, os.strerror(self._error))
        return 0


def test_macos_has_the_drive_write_its_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    macos = MacOs()
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("fsync leaves it in the drive's cache"))
    for sync in sync_calls(macos):
        sync(7)
    assert macos.calls == [(7, macos.F_FULLFSYNC)] * 2


def test_a_file_system_without_that_is_synced_as_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    for sync in sync_calls(MacOs(errno.ENOTSUP)):
        sync(7)
    assert synced == [7, 7]


def test_a_sync_that_fails_there_is_an_error() -> None:
    for sync in sync_calls(MacOs(errno.EIO)):
        with pytest.raises(OSError, match="error"):
            sync(7)


def test_other_systems_sync_with_what_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdatasync", "fdatasync", raising=False)
    monkeypatch.setattr(os, "fsync", "fsync")
    assert sync_calls(SimpleNamespace()) == ("fdatasync", "fsync")
    monkeypatch.delattr(os, "fdatasync")
    assert sync_calls(SimpleNamespace()) == ("fsync", "fsync")


def test_windows_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posix, "fcntl", None)
    monkeypatch.setattr(posix.platform, "system", lambda: "Windows")
    folder = str(tmp_path)
    for call in (
        lambda: FileSessionManager("s", storage_dir=folder),
        lambda: FileSessionManager.list_sessions(folder),
        lambda: FileSessionManager.clean_up(timedelta(days=1), folder),
        lambda: FileSessionManager.verify("s", folder),
        lambda: FileSessionManager.repair("s", folder),
    ):
        with pytest.raises(SessionException, match=r"Windows has no flock.* Use S3SessionManager"):
            call()
    assert list(tmp_path.iterdir()) == []
