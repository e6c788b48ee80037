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
        Violation: Something is raised, or what is listed says not whose it is, or when it was written.
        NotApplicable: The backend lists none.
    """
    to_list = session.backend.list_sessions
    if to_list is None:
        raise NotApplicable("it cannot list its sessions")
    found = _working(lambda: list(to_list(session.workspace)), "list_sessions()", "sessions are listed")
    for one in found:
        id, time = getattr(one, "session_id", None), getattr(one, "updated_at", None)
        if not (isinstance(id, str) and isinstance(time, datetime) and time.tzinfo is not None):
            had = "" if id is None and time is None else f" with session_id={id!r} and updated_at={time!r}"
            violated(
                "sessions are listed with their session_id, a text, and updated_at, a datetime with a time zone",
                f"list_sessions() gives a {type(one).__name__}{had}: {one!r:.100}",
            )
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
        violated(expected, failed.told, timeline, *timeline.of(Failed))


__all__ = ["clean_up", "delete", "delete_or_refuse", "listed"]
