"""Folders of a container's image, which an overlay cannot rename (``EXDEV``): sessions in them can be deleted."""

import asyncio
import errno
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, file_session_manager
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message


@pytest.fixture(autouse=True)
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a folder with a session of both managers that cannot be renamed."""
    theirs = open_agent(tmp_path, manager=SdkFileSessionManager("s", storage_dir=str(tmp_path)))
    asyncio.run(add(theirs, text_message("old")))
    ours = open_agent(tmp_path)
    asyncio.run(add(ours, text_message("new")))
    ours._session_manager.close()  # type: ignore[union-attr]
    rename = os.rename

    def on_an_overlay(old: Any, new: Any, **more: Any) -> None:
        if Path(old).is_dir():
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(old))
        rename(old, new, **more)

    monkeypatch.setattr(os, "rename", on_an_overlay)


def test_a_session_is_deleted(tmp_path: Path) -> None:
    stale = open_agent(tmp_path)
    file_session_manager.delete_session("s", str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SessionException, match=r"gone|deleted"):
        asyncio.run(add(stale, text_message("later")))
    with pytest.raises(SessionException, match="does not exist"):
        file_session_manager.delete_session("s", str(tmp_path))


def test_a_session_is_cleaned_up(tmp_path: Path) -> None:
    later = datetime.now(timezone.utc) + timedelta(days=9)
    assert FileSessionManager.clean_up(timedelta(days=1), str(tmp_path), now=later) == ["s"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("journal_")] == []


@pytest.mark.parametrize("at", range(4))
def test_a_deletion_that_was_cut_short_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    moves = iter(range(at))
    rename = os.rename

    def cut_short(old: Any, new: Any, **more: Any) -> None:
        if not Path(old).is_dir() and next(moves, None) is None:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(old))
        rename(old, new, **more)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", cut_short)
        with pytest.raises(SessionException, match="cannot remove"):
            file_session_manager.delete_session("s", str(tmp_path))
    file_session_manager.delete_session("s", str(tmp_path))
    assert list(tmp_path.iterdir()) == []
