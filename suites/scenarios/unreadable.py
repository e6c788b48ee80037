"""Storage that cannot be read for a moment while a session is opened."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from session_conformance.harness import Script, Session, difference, expect_no_failure, play, violated
from session_conformance.harness.process import READING, before_file_calls
from session_conformance.harness.timeline import same

from .stored_history import expect_readable

_MOST_CALLS = 12
"""How many of the calls by which a session is opened fail, each once and alone."""


def expect_read_failures_to_be_no_absence(session: Session) -> None:
    """Let each call that opens something for reading fail once, in turn, while a session is opened.

    Raises:
        Violation: What is opened is not all that was stored, and no SDK exception says so; or the next try finds less.
    """
    said = Script().user("one").assistant("two").sets_state("seat", "12A").user("three")
    expect_no_failure(play(session, said, observing=False))
    stored = session.read()
    expect_readable(stored, "after a conversation")
    for number in range(_MOST_CALLS):
        failing = _FailsOnce(session.workspace.folder, number)
        with before_file_calls(READING, failing):
            found = session.read()
        if not failing.has_failed:
            return
        what = f"where {failing.what} fails for a moment"
        if found.error is not None and not found.is_clear:
            violated(f"{what}, opening a session gives an SDK exception", f"it raises {found.error}")
        differs = difference(stored.messages, found.messages)
        if found.error is None and differs is not None:
            violated(
                f"{what}, opening a session restores all of it, or raises",
                f"it restores a history that differs: {differs}",
            )
        again = session.read()
        expect_readable(again, f"after {failing.what} failed for a moment")
        differs = difference(stored.messages, again.messages)
        if differs is not None or not same(stored.state, again.state):
            violated(f"{what}, the next try restores all", differs or f"the state is {again.state}")


class _FailsOnce:
    """Fails one call that concerns a folder, after a number of others."""

    def __init__(self, folder: Path, after: int) -> None:
        self._folder = f"{folder}{os.sep}"
        self._left = after
        self.what = ""
        self.has_failed = False

    def __call__(self, name: str, *arguments: Any) -> None:
        path = os.fsdecode(arguments[0]) if arguments and isinstance(arguments[0], str | bytes | os.PathLike) else ""
        if self.has_failed or not path.startswith(self._folder):
            return
        self._left -= 1
        if self._left < 0:
            self.has_failed = True
            number = errno.EMFILE if "open" in name and len(path) % 2 else errno.EIO
            self.what = f"{name}() of {Path(path).name} ({errno.errorcode[number]})"
            raise OSError(number, os.strerror(number), path)


__all__ = ["expect_read_failures_to_be_no_absence"]
