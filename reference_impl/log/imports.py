"""Imports: sessions that the SDK's manager wrote, found when they are read, and stored here with the first change."""

from __future__ import annotations

import logging
from collections.abc import Callable

from .change_log import Deleted
from .history import Change, SessionHistory
from .sdk_layout import SdkSession, read_sdk_session
from .session_store import SessionStore
from .takeover import MARK, begun, is_begun, is_same, is_taken_over, mark, takeover

logger = logging.getLogger(__name__)


class Imports:
    """What the SDK's manager keeps of the sessions of a repository.

    Args:
        place_of: Returns where the SDK's manager would keep a session, if anywhere.
        store_of: Returns the store of a session, in which nothing may be imported yet.
    """

    def __init__(self, place_of: Callable[[str], SdkSession | None], store_of: Callable[[str], SessionStore]) -> None:
        self._place_of = place_of
        self._store_of = store_of
        self._left: dict[str, SessionHistory] = {}
        self._due: dict[str, str] = {}  # by session, when it was created: by that it is known again
        self._seen: dict[str, list[Change]] = {}

    def left(self, session_id: str) -> SessionHistory | None:
        """Return what the SDK's manager left of a session that is not stored here; None where it left none.

        Raises:
            SessionException: It cannot be read.
        """
        if session_id not in self._left:
            left = self._read(session_id)
            if left is None:
                return None
            self._left[session_id] = left
        return self._left[session_id]

    def is_left(self, session_id: str, history: SessionHistory) -> bool:
        """Whether a history is what :meth:`left` returned of a session."""
        return self._left.get(session_id) is history

    def has_left(self, session_id: str) -> bool:
        """Whether :meth:`left` has returned a history that was not released since."""
        return session_id in self._left

    def release(self, session_id: str) -> None:
        """Drop what :meth:`left` returned: its messages now belong to somebody else."""
        self._left.pop(session_id, None)

    def put_off(self, session_id: str, left: SessionHistory) -> None:
        """Have a session imported before something is written to it, and not earlier: a look imports nothing."""
        self._due[session_id] = left.session.get("created_at", "")

    def before_writing(self, session_id: str) -> None:
        """Import a session that was put off, and put in line what was noted of one that was looked at.

        Raises:
            Deleted: It was deleted since.
            SessionException: It cannot be read, or cannot be stored here.
        """
        if (seen := self._seen.pop(session_id, None)) is not None:
            self._store_of(session_id).submit(seen)
        if session_id in self._due:
            self._import(session_id)
            del self._due[session_id]

    def take_over(self, session_id: str, ours: SessionHistory) -> None:
        """Take over what the SDK's manager stored of a session since it was imported, or last looked at.

        Args:
            session_id: The session.
            ours: What is stored of it here.

        Raises:
            SessionException: It cannot be read, or cannot be stored here.
        """
        place = self._place_of(session_id)
        state = place.state() if place is not None else None
        if place is None or state is None or is_taken_over(ours, state):
            return
        theirs = read_sdk_session(place, session_id)
        if theirs is not None:
            self._store(session_id, place, ours, theirs, state)

    def _read(self, session_id: str) -> SessionHistory | None:
        """Return what the SDK's manager keeps of a session, marked as that."""
        place = self._place_of(session_id)
        state = place.state() if place is not None else None
        if place is None or state is None:
            return None
        history = read_sdk_session(place, session_id)
        if history is not None:
            history.session = {**history.session, MARK: mark(state, history)}
        return history

    def _import(self, session_id: str) -> None:
        """Store here what the SDK's manager keeps of a session that was looked at."""
        created_at, store = self._due[session_id], self._store_of(session_id)
        theirs = self._read(session_id)
        if theirs is None or not is_same(theirs, created_at):
            raise _deleted(session_id)
        is_first = store.create(begun(theirs))
        ours = store.found()
        place = self._place_of(session_id)
        state = place.state() if place is not None else None
        if state is not None and not is_taken_over(theirs, state):  # what was read is that of before it was begun
            theirs = self._read(session_id)
            state = theirs.session[MARK]["state"] if theirs is not None else None
        if place is None or state is None or theirs is None or not is_same(theirs, created_at):
            if is_first:
                store.withdraw()
            raise _deleted(session_id)
        if ours is None or not is_same(ours, created_at):
            raise _deleted(session_id)
        self._store(session_id, place, ours, theirs, state)

    def _store(
        self, session_id: str, place: SdkSession, ours: SessionHistory, theirs: SessionHistory, state: str
    ) -> None:
        """Store here what the SDK's manager has of a session, and what is stored of it here has not."""
        found, store = takeover(ours, theirs, state), self._store_of(session_id)
        if not found:
            self._seen[session_id] = found.changes  # noted with what is written next, if anything is
            return
        if is_begun(ours):
            store.commit(found.changes)
            logger.info(
                "session_id=<%s>, from=<%s>, messages=<%d> | imported a session of the SDK's session manager",
                session_id,
                place.place,
                found.messages,
            )
            return
        if found.redactions:  # before it is noted that they were seen
            store.replace_for_good(found.redactions)
        store.commit(found.changes)
        logger.warning(
            "session_id=<%s>, from=<%s>, messages=<%d>, redactions=<%d> | the SDK's session manager wrote this session"
            " after it was imported; its messages were taken over behind those that were there%s",
            session_id,
            place.place,
            found.messages,
            len(found.redactions),
            "".join(f", and {told}" for told in found.told),
        )


def _deleted(session_id: str) -> Deleted:
    return Deleted(
        f"session {session_id!r} was deleted before it was imported. What is said now is not stored. To go on with"
        " the session that has this id now, or to start one, open it with a new manager"
    )
