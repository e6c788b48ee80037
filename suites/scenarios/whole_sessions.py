"""What is done to whole sessions: they are deleted, cleaned up and listed. What is raised there is the backend's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from session_conformance.harness import NotApplicable, Session, Timeline, violated
from session_conformance.harness.backends import ListedSession
from session_conformance.harness.conversations import let_go
from session_conformance.harness.sdk import SDK_EXCEPTIONS
from session_conformance.harness.timeline import Failed

_T = TypeVar("_T")


def delete(session: Session) -> None:
    """Delete a session that no agent has open.

    Raises:
        Violation: It is refused, or something else is raised.
    """
    try:
        delete_or_refuse(session)
    except SDK_EXCEPTIONS:
        let_go(session)  # until now it may still have been open
        _working(lambda: delete_or_refuse(session), "delete_session()", "a session is deleted")


def delete_or_refuse(session: Session) -> None:
    """Delete a session that an agent may have open.

    Raises:
        Violation: Something is raised that is no SDK exception.
        SessionException: It is refused, or another SDK exception is raised.
    """
    to_delete = session.backend.delete
    assert to_delete is not None
    _working(
        lambda: to_delete(session.session_id, session.workspace),
        "delete_session()",
        "a session is deleted, or an SDK exception says why not",
        SDK_EXCEPTIONS,
    )


def clean_up(session: Session, older_than: timedelta, now: datetime) -> None:
    """Remove the sessions of a workspace that are older than a time.

    Args:
        session: One of the workspace.
        older_than: For how long a session must not have been written.
        now: What is taken for the present.

    Raises:
        Violation: Something is raised.
    """
    do = session.backend.clean_up
    assert do is not None
    _working(lambda: do(older_than, session.workspace, now), "clean_up()", "sessions are cleaned up by age")


def listed(session: Session) -> list[ListedSession]:
    """Return the sessions of a workspace.

    Raises:
        Violation: Something is raised.
        NotApplicable: The backend lists none, or says not whose they are.
    """
    to_list = session.backend.list_sessions
    if to_list is None:
        raise NotApplicable("it cannot list its sessions")
    found = _working(lambda: list(to_list(session.workspace)), "list_sessions()", "sessions are listed")
    if not all(hasattr(one, "session_id") and hasattr(one, "updated_at") for one in found):
        raise NotApplicable(f"list_sessions() tells no session_id and updated_at: it gives {found[0]!r}")
    return found


def _working(do: Callable[[], _T], name: str, expected: str, allowed: tuple[type[Exception], ...] = ()) -> _T:
    try:
        return do()
    except allowed:
        raise
    except NotApplicable:
        raise
    except Exception as error:
        timeline = Timeline()
        failed = Failed.by(name, error)
        timeline.record(failed)
        violated(expected, failed.told, timeline, failed)


__all__ = ["clean_up", "delete", "delete_or_refuse", "listed"]
