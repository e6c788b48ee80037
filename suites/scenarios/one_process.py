"""Stores that one process alone can have open, as embedded databases that lock their file are."""

from __future__ import annotations

import gc
from collections.abc import Callable

from session_conformance.harness import Script, Session, Violation, expect_no_failure, play
from session_conformance.harness.conversations import read_in_fresh_process
from session_conformance.harness.process import closing

_TRIES = 2
"""How often another process tries: what locks a store refuses each, and what two processes get wrong does not."""


def shut_out_by(session: Session) -> str:
    """Return what another process is refused with while this one merely has a session open, or "".

    Such a store is refused for as long as it is open, though nobody writes, and not any longer.

    Args:
        session: One that was begun.
    """
    manager = session.open()
    with closing(manager):
        refused = [read_in_fresh_process(session).error for _ in range(_TRIES)]
    del manager
    gc.collect()  # one that has no close() lets go of its file when it is gone
    return refused[0] or "" if all(refused) and not read_in_fresh_process(session).error else ""


def expect_here_and_elsewhere(
    expect: Callable[[Session, bool], None], new_session: Callable[[], Session], elsewhere: bool
) -> None:
    """Ask something of processes that take turns; of a store that one process alone can have open, of this one alone.

    Args:
        expect: Asks it, given a session and whether there are turns of other processes.
        new_session: Makes a session in a fresh workspace.
        elsewhere: Whether other processes can open the backend.

    Raises:
        Violation: What ``expect`` raises.
    """
    try:
        expect(new_session(), elsewhere)
    except Violation:
        begun = new_session()
        expect_no_failure(play(begun, Script().user("begun"), observing=False))
        if not elsewhere or not shut_out_by(begun):
            raise
        expect(new_session(), False)
