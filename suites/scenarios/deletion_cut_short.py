"""Deletions that come to no end: the process is killed in the middle, or what they remove fails."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from session_conformance.harness import Session, Violation, violated
from session_conformance.harness.backends import try_out
from session_conformance.harness.conversations import Die, in_fresh_process, let_go
from session_conformance.harness.process import (
    REMOVING,
    before_file_calls,
    no_file_can_be_written,
    tolerating_warnings,
)
from session_conformance.harness.sdk import SDK_EXCEPTIONS
from session_conformance.harness.services import WireFault

from . import on_the_wire
from .session_ids import say
from .stored_history import expect_nothing_kept, expect_texts, find_kept
from .whole_sessions import delete_or_refuse


def expect_deletion_after_crash(new_session: Callable[..., Session]) -> None:
    """Kill a process while it deletes a session, ahead of each step of the deletion in turn, and delete it again.

    Raises:
        Violation: Something of the session is left.
    """
    for step in range(4):
        session = new_session("user_1")
        say(replace(session, session_id="other"), "I am another")
        for agent_id in ("one", "two"):
            say(replace(session, agent_id=agent_id), "Remember the word xylograph")
        done = in_fresh_process(_delete_and_die, session, step) == "deleted"
        if not done:
            _delete_again(session)
        for agent_id in ("one", "two"):
            expect_texts(replace(session, agent_id=agent_id), [], "after it was deleted once more")
        expect_nothing_kept(
            "xylograph", session.workspace, "a deletion that a process was killed in, and that is tried again,"
        )
        expect_texts(replace(session, session_id="other"), ["I am another"], "when another one is deleted")
        if done:
            return


def _delete_and_die(session: Session, die: Die, step: int) -> str:
    if session.backend.delete is None:  # what a callable opens has to be asked what it can do, and was so elsewhere
        session = replace(session, backend=try_out(session.backend, session.workspace, session.session_id))
    left = step

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            die("killed")

    with tolerating_warnings(), before_file_calls(REMOVING, count):
        delete_or_refuse(session)
    return "deleted"


def expect_failed_deletions_told_of(new_session: Callable[..., Session]) -> None:
    """Let what a deletion removes fail, all of it or from a later step on: it is told of, or nothing is left.

    Args:
        new_session: Makes a session in a fresh workspace.

    Raises:
        Violation: A deletion raised nothing, and something of the session is left; or it cannot be deleted afterwards.
    """
    for step in _steps_of_a_deletion(new_session):
        session = new_session("user_1")
        for agent_id in ("one", session.agent_id):
            say(replace(session, agent_id=agent_id), "Remember the word xylograph")
        let_go(session)
        with _failing_from(step, session):
            try:
                delete_or_refuse(session)
                told = False
            except SDK_EXCEPTIONS:
                told = True
            except (OSError, Violation):
                told = True
        found = find_kept("xylograph", session.workspace)
        agents = [replace(session, agent_id=agent_id) for agent_id in ("one", session.agent_id)]
        if not told and (found is not None or any(agent.read().messages for agent in agents)):
            violated(
                "where what it removes fails, a deletion raises an error, or leaves nothing",
                f"it raised nothing, and {f'its text is in {found}' if found else 'the session is there still'}",
            )
        _delete_again(session)
        for agent in agents:
            expect_texts(agent, [], "after it was deleted once more")


def _steps_of_a_deletion(new_session: Callable[..., Session]) -> list[int]:
    """Return from which of its steps on a deletion shall fail, each alone."""
    session = new_session("user_1")
    if not session.workspace.places:
        return [0, 1, 2, _NO_WRITE]
    for agent_id in ("one", session.agent_id):
        say(replace(session, agent_id=agent_id), "Remember the word xylograph")
    let_go(session)
    with on_the_wire.faults(session, lambda *_: None) as met, contextlib.suppress(*SDK_EXCEPTIONS):
        delete_or_refuse(session)
    return sorted({*(met.exchanges * number // _STEPS for number in range(_STEPS)), max(met.exchanges - 1, 0)})


_STEPS = 12
"""So many steps of a deletion on a server are where it fails, and the last one: each, where there are no more."""


def _failing_from(step: int, session: Session) -> AbstractContextManager[object]:
    """Return a context in which all steps of a deletion fail from a certain one on."""
    if session.workspace.places:
        return on_the_wire.faults(session, lambda number, _: WireFault.CUT_BEFORE if number >= step else None)
    if step == _NO_WRITE:
        return no_file_can_be_written()
    left = step

    def fail(name: str, *_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO), name)

    return before_file_calls(REMOVING, fail)


_NO_WRITE = -1
"""The step that is each write to a file: what databases do with a row that is deleted."""


def _delete_again(session: Session) -> None:
    """Delete a session whose deletion may have left something, and that nobody uses.

    It may be said that there is no such session, also by the file system: what is there is looked for afterwards.
    """
    let_go(session)
    try:
        delete_or_refuse(session)
    except SDK_EXCEPTIONS:
        pass
    except Violation as violation:
        if violation.failure is None or not violation.failure.is_a(FileNotFoundError):
            raise


__all__ = ["expect_deletion_after_crash", "expect_failed_deletions_told_of"]
