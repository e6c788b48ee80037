"""Care for stored sessions: what listing, verifying and repairing say, and what a repair makes of what it found."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from strands.types.exceptions import SessionException

from .codec import TooDeepError, decode
from .history import Change, SessionHistory, message_added
from .message_index import is_pending
from .validity import check_change

logger = logging.getLogger(__name__)


def back(now: datetime, age: timedelta) -> datetime:
    """Return the time that was an age ago; the earliest that there is, where that would be earlier."""
    try:
        return now - age
    except OverflowError:
        return datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class SessionInfo:
    """A session that is stored.

    Attributes:
        session_id: Its id.
        created_at: When it was created, in UTC.
        updated_at: When it was written last, in UTC.
        size: How many bytes it takes.
    """

    session_id: str
    created_at: datetime
    updated_at: datetime
    size: int


@dataclass(frozen=True)
class Skipped:
    """A session that a clean-up did not remove, though it was not written for long enough, or that is not listed.

    Attributes:
        name: Its id, or the name of what stands in its place where that tells none.
        reason: Why.
    """

    name: str
    reason: str


class CleanUp(list[str]):
    """The ids of the sessions that a clean-up removed.

    Attributes:
        skipped: Those that it did not, and why.
    """

    def __init__(self, removed: Iterable[str] = (), skipped: Iterable[Skipped] = ()) -> None:
        super().__init__(removed)
        self.skipped = list(skipped)


@dataclass(frozen=True)
class Verification:
    """What ``verify()`` found.

    Attributes:
        session_id: The session.
        ok: Whether everything in it can be read.
        commits: How many commits are whole.
        problems: What is wrong and where, in words; empty where nothing is.
        torn_bytes: The length of a commit that a crash cut short, which is no damage; 0 if there is none.
    """

    session_id: str
    ok: bool
    commits: int
    problems: tuple[str, ...] = ()
    torn_bytes: int = 0


@dataclass(frozen=True)
class Repair:
    """What ``repair()`` did.

    Attributes:
        session_id: The session.
        kept: How many commits were brought back.
        lost: What could not be, in words.
        damaged_file: Where the damaged journal was put; None where nothing had to be done, or it stays where it is.
    """

    session_id: str
    kept: int
    lost: tuple[str, ...]
    damaged_file: Path | None = None


def note_repair(done: Repair) -> Repair:
    """Log a repair, and return it."""
    logger.info(
        "session_id=<%s>, commits=<%d>, lost=<%d>, damaged_file=<%s> | repaired a session",
        done.session_id,
        done.kept,
        len(done.lost),
        done.damaged_file,
    )
    return done


def salvaged(bodies: Iterable[bytes], session_id: str) -> tuple[SessionHistory, list[str]]:
    """Return the history that the whole commits of a damaged session add up to, and what was lost, in words.

    Raises:
        SessionException: The stack has no room left to read one of them, which is no damage.
    """
    try:
        return _salvaged(bodies, session_id)
    except (TooDeepError, RecursionError) as error:
        raise SessionException(f"a whole commit cannot be read: {TooDeepError()}. Nothing was changed") from error


def _salvaged(bodies: Iterable[bytes], session_id: str) -> tuple[SessionHistory, list[str]]:
    lost: list[str] = []
    history = SessionHistory()
    for body in bodies:
        try:
            changes = decode(body)
        except TooDeepError:
            raise
        except ValueError as error:
            lost.append(f"a whole commit cannot be read: {error}")
            continue
        for change in changes if isinstance(changes, list) else [changes]:
            try:
                check_change(change)
                history.apply([_placed(change, history)])
            except SessionException as error:
                lost.append(f"{_named(change)} is left out: {error}")
            except KeyError:
                if change.get("op") != "update":
                    lost.append("a change of an unknown form is left out")
                    continue
                lost.append(f"{_named(change)} was lost, and what replaced it is added as a message")
                history.apply([{**change, "op": "message"}])
            except (ValueError, TypeError, AttributeError):
                lost.append("a change of an unknown form is left out")
    lost += _drop_placeholders(history)
    if not history.session:
        history.session = _made_up_session(session_id)
        lost.append("the session's own record is made up")
    return history, lost


def problems_in(bodies: Iterable[bytes]) -> list[str]:
    """Return what of a session's whole commits no restore could use, in words. What is sealed is passed over."""
    readable = [body for body in bodies if not body.startswith(b'[{"op":"sealed"')]
    _, problems = salvaged(readable, "")
    return [problem for problem in problems if "placeholder" not in problem and "made up" not in problem]


def _placed(change: Change, history: SessionHistory) -> Change:
    """Return a replacement of the message that it was made for: where messages were lost, others have their numbers."""
    if change.get("op") != "update" or change["id"] is None:
        return change
    agent, tracking_id = history.agents.get(change["agent_id"]), change["message"].get("tracking_id")
    ids = agent.index.ids(tracking_id) if agent is not None else []
    if not ids or change["id"] in ids:
        return change
    if "copy" in change:  # its own place was lost: the other copies have texts of their own
        return message_added(change["agent_id"], change["message"], change["at"])
    return {**change, "id": ids[0]}


def _named(change: Any) -> str:
    """Say whose message, or what else, a change is of; nothing of what it says."""
    if not isinstance(change, dict) or not isinstance(change.get("message"), dict):
        return "a change"
    tracking_id = change["message"].get("tracking_id")
    named = f" with the tracking id {tracking_id!r}" if isinstance(tracking_id, str) else ""
    return f"a message of agent {change.get('agent_id')!r}{named}"


def _drop_placeholders(history: SessionHistory) -> list[str]:
    """Remove the placeholders of streams whose text was lost: a model refuses messages without content."""
    lost = []
    for agent_id, agent in history.agents.items():
        for id, stored in agent.in_order():
            if is_pending(stored["message"]) and not stored["message"].get("content"):
                del agent.messages[id]
                lost.append(f"message {id} of agent {agent_id!r} was a placeholder, and its text is lost")
    return lost


def _made_up_session(session_id: str) -> dict[str, Any]:
    now = datetime.now(timezone.utc).isoformat()
    return {"session_id": session_id, "session_type": "AGENT", "created_at": now, "updated_at": now}
