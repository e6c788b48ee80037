"""Shared places: whether a backend keeps what is said in one workspace where another one finds it."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from ..backends import Backend, Workspace
from ..process import close_all, tolerating_warnings, within_limit
from ..scripts import Script
from ..timeline import Reading
from .bidi import Session
from .fresh_process import read_in_fresh_process
from .playing import play

_SAID = "written in another workspace, to see whether it is found in this one"


def found_elsewhere(backend: Backend, one: Workspace, other: Workspace, session_id: str) -> bool:
    """Whether what is said in a session of one workspace is there in another one, under the same id.

    Afterwards it is deleted, where the backend can delete: it may lie beside data that matters. What only this
    process's memory holds is no place, and is for the requirements to see.

    Args:
        backend: The backend.
        one: A fresh workspace to write in.
        other: A fresh workspace to read in.
        session_id: An id that nobody has used.
    """
    there = Session(backend, other, session_id)
    with suppress(Exception), tolerating_warnings():  # one that cannot write or read is for the requirements to see
        try:
            play(Session(backend, one, session_id), Script().user(_SAID), observing=False)
            found = _has_messages(within_limit(there.read, "restoring"))
            if found and backend.spec is not None and not backend.in_process:
                found = _has_messages(read_in_fresh_process(there))
            return found
        finally:
            if backend.delete is not None:
                for workspace in (one, other):  # an SDK manager makes the session that it is opened for
                    with suppress(Exception):
                        within_limit(partial(backend.delete, session_id, workspace), "deleting")
            close_all()
    return False


def _has_messages(reading: Reading) -> bool:
    """Whether there are messages, of whatever text; what is restored instead of a history is none."""
    return any(message["role"] in ("user", "assistant") for message in reading.messages)
