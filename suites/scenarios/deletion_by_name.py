"""Deletion by a manager that has another session open."""

from __future__ import annotations

import inspect
from dataclasses import replace

from session_conformance.harness import Session
from session_conformance.harness.backends import delete_session
from session_conformance.harness.process import tolerating_warnings, within_limit

from .session_ids import say
from .stored_history import expect_texts


def expect_the_named_one_deleted(session: Session) -> None:
    """Ask a manager to delete another session than its own, and report a violation unless that one is gone, or refused.

    Args:
        session: A new session. A backend whose managers have no ``delete_session(session_id)`` is not asked.

    Raises:
        Violation: The manager's own session is gone, or the other one is there though nothing was raised.
    """
    own, named = (replace(session, session_id=id) for id in ("keeper", "named"))
    for one in (own, named):
        say(one, f"I am {one.session_id}")
    manager = own.open()
    method = getattr(manager, "delete_session", None)
    if not callable(method) or not inspect.signature(method).parameters:
        return
    refused = False
    with tolerating_warnings():
        try:
            within_limit(lambda: delete_session(manager, named.session_id), "delete_session()")
        except Exception:
            refused = True  # a manager may be for its own session alone
    when = f"when its manager is asked to delete {named.session_id!r}"
    expect_texts(own, [f"I am {own.session_id}"], when)
    if not refused:
        expect_texts(named, [], f"after delete_session({named.session_id!r}) of another session's manager returned")


__all__ = ["expect_the_named_one_deleted"]
