"""An error that is about rights names what there is and what is missing, not a file that is still to be made."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, say, text_message

NOBODY = 65534


@contextmanager
def without_rights() -> Iterator[None]:
    """Be a user to whom nothing here belongs; who is not root is that already, as far as the modes say."""
    if os.geteuid() != 0:
        yield
        return
    os.setresgid(NOBODY, NOBODY, 0)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for one in tmp_path.parents:
        if one.name.startswith(("pytest-", "popen-")):  # the latter are pytest-xdist's
            one.chmod(0o755)
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="rights are another matter there")
@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (lambda folder: folder.chmod(0o555), "the right to write in {folder})"),
        (lambda folder: (folder / "journal_s1").mkdir(0o600), "the right to enter {folder}/journal_s1)"),
        (lambda folder: say(folder, "hello", session_id="s1"), "the right to enter {folder}/journal_s1)"),
    ],
    ids=["the folder of sessions", "a folder in it", "somebody else's session"],
)
def test_the_right_that_is_missing_is_named(folder: Path, prepare: Callable[[Path], object], told: str) -> None:
    prepare(folder)
    try:
        with without_rights(), pytest.raises(SessionException) as raised:
            asyncio.run(add(open_agent(folder, "s1"), text_message("hello")))
    finally:
        folder.chmod(0o755)
    assert str(raised.value).endswith(told.format(folder=folder))


@pytest.mark.parametrize("ask", [FileSessionManager.list_sessions, FileSessionManager.list_unreadable])
def test_what_cannot_be_listed_is_told_as_every_failure(tmp_path: Path, ask: Any) -> None:
    assert ask(str(tmp_path / "nowhere")) == []
    file, loop = tmp_path / "file", tmp_path / "loop"
    file.touch()
    loop.symlink_to(loop)
    for place in (file, loop):
        with pytest.raises(SessionException, match=r"cannot list .*: (Not a directory|Too many levels)"):
            ask(str(place))
