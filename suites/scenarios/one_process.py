"""Stores that one process alone can have open, as embedded databases that lock their file are."""

from __future__ import annotations

import gc

from session_conformance.harness import Session
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
