"""Imports: sessions that the SDK's manager wrote, found when they are read, and stored here with the first change."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from strands.types.exceptions import SessionException

from .change_log import Deleted
from .codec import digest
from .history import Change, SessionHistory
from .sdk_layout import SdkSession, read_agent_record, read_sdk_session, read_session_alone, read_team_state
from .session_index import SessionIndex
from .session_store import SessionStore
from .takeover import MARK, Takeover, begun, is_begun, is_same, is_taken_over, mark, record_seen, takeover

logger = logging.getLogger(__name__)


class Imports:
    """What the SDK's manager keeps of the sessions of a repository.

    Args:
        place_of: Returns where the SDK's manager would keep a session, if anywhere.
        store_of: Returns the store of a session.
    """

    def __init__(self, place_of: Callable[[str], SdkSession | None], store_of: Callable[[str], SessionStore]) -> None:
        self._place_of = place_of
        self._store_of = store_of
        self._left: dict[str, SessionHistory] = {}
        self._due: dict[str, Import] = {}
        self._seen: dict[str, list[Change]] = {}

    def left(self, session_id: str) -> SessionHistory | None:
        """Return what the SDK's manager left of a session that is not stored here; None where it left none.

        Raises:
            SessionException: It cannot be read.
        """
        if session_id not in self._left:
            left = self.read(session_id)
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
        self._due[session_id] = Import(self, session_id, left)
        self.opened(session_id, self._store_of(session_id))

    def opened(self, session_id: str, store: SessionStore) -> None:
        """Have a store begin with the import of its session, if that was put off, and note whose states come later."""
        store.beside = partial(self._beside, session_id)
        if session_id in self._due:
            store.begin_with(self._due[session_id])

    def found(self, session_id: str, ours: SessionHistory) -> None:
        """Take notice of what is stored here of a session: others may have imported it, and gone on."""
        if session_id in self._due:
            self._due[session_id].index = SessionIndex(ours)

    def done(self, session_id: str) -> None:
        """Take notice that a session that was put off was imported."""
        self._due.pop(session_id, None)

    def before_writing(self, session_id: str) -> None:
        """Put in line what was noted of a session that was looked at."""
        if (seen := self._seen.pop(session_id, None)) is not None:
            self._store_of(session_id).submit(seen)

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
        if theirs is None:
            return
        found, store = takeover(ours, theirs, state), self._store_of(session_id)
        if not found:
            self._seen[session_id] = found.changes  # noted with what is written next, if anything is
            return
        if found.redactions:  # before it is noted that they were seen
            store.replace_for_good(found.redactions)
        store.commit(found.changes)
        _tell_of_takeover(session_id, place, found)

    def _beside(self, session_id: str, index: SessionIndex, changes: Sequence[Change]) -> list[Change]:
        """Return what notes which states of the SDK's manager come before those that are about to be stored.

        The SDK's manager may have stored another one since it was looked at last. Nobody could say later which of the
        two came last: clocks are set back.
        """
        session = next((one["session"] for one in reversed(changes) if one["op"] == "session"), index.session)
        seen = session.get(MARK) or {}
        agents, teams = (seen.get(kind) or {} for kind in ("agents", "teams"))
        found: dict[str, dict[str, Any]] = {"agents": {}, "teams": {}}
        place = self._place_of(session_id) if agents or teams else None
        if place is None:
            return []
        with suppress(SessionException):  # one that cannot be read now is looked at when the session is opened
            for change in changes:
                if "instead_of" in change:
                    continue
                if change["op"] == "agent" and (id := change["agent"]["agent_id"]) in agents:
                    if change["agent"].get("state") != (index.records.get(id) or {}).get("state"):
                        found["agents"][id] = record_seen(read_agent_record(place, id))
                elif change["op"] == "multi_agent" and (id := change["id"]) in teams:
                    found["teams"][id] = digest(read_team_state(place, id))
        if not (found["agents"] or found["teams"]):
            return []
        noted = {**seen, "agents": {**agents, **found["agents"]}, "teams": {**teams, **found["teams"]}}
        return [] if noted == seen else [{"op": "session", "session": {**session, MARK: noted}}]

    def place_of(self, session_id: str) -> SdkSession | None:
        """Return where the SDK's manager would keep a session, if anywhere."""
        return self._place_of(session_id)

    def read_alone(self, session_id: str) -> SessionHistory | None:
        """Return a session that the SDK's manager keeps without its agents and teams; None where it keeps none.

        Raises:
            SessionException: It cannot be read.
        """
        place = self._place_of(session_id)
        return read_session_alone(place, session_id) if place is not None and place.state() is not None else None

    def read(self, session_id: str) -> SessionHistory | None:
        """Return what the SDK's manager keeps of a session, marked as that; None where it keeps none.

        Raises:
            SessionException: It cannot be read.
        """
        place = self._place_of(session_id)
        state = place.state() if place is not None else None
        if place is None or state is None:
            return None
        history = read_sdk_session(place, session_id)
        if history is not None:
            history.session = {**history.session, MARK: mark(state, history)}
        return history


class Import:
    """The import of a session: how it begins.

    Args:
        imports: Whoever reads what the SDK's manager keeps.
        session_id: The session.
        left: What was there when it was looked at.

    Attributes:
        index: What of it the session holds when it has begun, and maybe more that was stored meanwhile.
    """

    def __init__(self, imports: Imports, session_id: str, left: SessionHistory) -> None:
        self._imports = imports
        self._session_id = session_id
        self._created_at = left.session.get("created_at", "")  # by that it is known again
        self.index = SessionIndex(left)
        self._tell: Callable[[], None] = lambda: None

    def begin(self, store: SessionStore) -> Takeover:
        """Create the session, and return what the SDK's manager keeps of it and the session has not.

        Raises:
            Deleted: It was deleted since.
            SessionException: It cannot be read, or cannot be stored here.
        """
        theirs = self._imports.read_alone(self._session_id)
        if theirs is None or not is_same(theirs, self._created_at):
            raise self._deleted()
        is_first = store.create(begun(theirs))
        ours, place = store.found(), self._imports.place_of(self._session_id)
        theirs = self._imports.read(self._session_id)  # where that fails, the next change goes on from what was begun
        if place is None or theirs is None or not is_same(theirs, self._created_at):
            if is_first:
                store.withdraw()
            raise self._deleted()
        if ours is None or not is_same(ours, self._created_at):
            raise self._deleted()
        found = takeover(ours, theirs, theirs.session[MARK]["state"])
        tell = _tell_of_import if is_begun(ours) else _tell_of_takeover
        self._tell = partial(tell, self._session_id, place, found) if found else lambda: None
        return found

    def stored(self) -> None:
        """Tell of the import."""
        self._imports.done(self._session_id)
        self._tell()

    def _deleted(self) -> Deleted:
        return Deleted(
            f"session {self._session_id!r} was deleted before it was imported. What is said now is not stored. To go"
            " on with the session that has this id now, or to start one, open it with a new manager"
        )


def _tell_of_import(session_id: str, place: SdkSession, found: Takeover) -> None:
    logger.info(
        "session_id=<%s>, from=<%s>, messages=<%d> | imported a session of the SDK's session manager",
        session_id,
        place.place,
        found.messages,
    )


def _tell_of_takeover(session_id: str, place: SdkSession, found: Takeover) -> None:
    logger.warning(
        "session_id=<%s>, from=<%s>, messages=<%d>, redactions=<%d> | the SDK's session manager wrote this session"
        " after it was imported; its messages were taken over behind those that were there%s",
        session_id,
        place.place,
        found.messages,
        len(found.redactions),
        "".join(f", and {told}" for told in found.told),
    )
