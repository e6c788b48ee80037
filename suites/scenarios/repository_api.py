"""The repository API as its judges call it: what raises or differs is a violation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from session_conformance.harness import Session, violated
from session_conformance.harness.sdk import (
    SDK_EXCEPTIONS,
    Message,
    SessionAgent,
    SessionException,
    SessionMessage,
    SessionRepository,
    SessionType,
    StoredSession,
)
from session_conformance.harness.timeline import difference, same

LONG_AGO = "2020-02-03T04:05:06.789000+00:00"

SAME_TIME = timedelta(seconds=1)
"""How far a stored time may be off: several databases keep times in seconds."""

CLEAR: tuple[type[Exception], ...] = (ValueError, TypeError, *SDK_EXCEPTIONS)
"""How an argument that is of no use may be refused."""

REFUSALS: tuple[type[Exception], ...] = (ValueError, *SDK_EXCEPTIONS)
"""How an id may be refused."""


def text_message(text: str, role: str = "user", **more: Any) -> Message:
    """Return a message that says something."""
    made: Any = {"role": role, "content": [{"text": text}], **more}
    return made  # type: ignore[no-any-return]


class Calls:
    """A repository whose methods report a violation where they raise.

    Attributes:
        raw: The repository itself, for calls that are to raise.
    """

    def __init__(self, repository: SessionRepository) -> None:
        self.raw = repository

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.raw, name)

        def call(*given: Any) -> Any:
            try:
                return method(*given)
            except NotImplementedError:
                raise
            except Exception as error:
                shown = ", ".join(repr(one) if isinstance(one, str | int) else type(one).__name__ for one in given)
                violated(f"{name}({shown}) works", f"it raises {one_line(error)}")

        return call


@dataclass(frozen=True)
class Place:
    """A session of a repository, from which any number of repositories can be opened anew.

    Attributes:
        session: Where it lies.
    """

    session: Session

    @property
    def id(self) -> str:
        """The session's id."""
        return self.session.session_id

    def open(self) -> Calls:
        """Open the repository as a new process would; the session may not exist yet."""
        try:
            found = self.session.backend.repository_for(self.id, self.session.workspace)
        except Exception as error:
            violated("the repository can be opened", one_line(error))
        assert found is not None
        return Calls(found)

    def created(self) -> Calls:
        """Open the repository and create the session, unless a manager did when it was opened."""
        repository = self.open()
        if repository.read_session(self.id) is None:
            repository.create_session(StoredSession(self.id, SessionType.AGENT, LONG_AGO, LONG_AGO))
        return repository

    def with_agent(self, *agents: str) -> Calls:
        """Open the repository, and create the session and agents."""
        repository = self.created()
        for agent_id in agents or ("agent",):
            repository.create_agent(self.id, agent_of(agent_id))
        return repository


def agent_of(agent_id: str, **state: Any) -> SessionAgent:
    """Return an agent that was created long ago."""
    return SessionAgent(agent_id, state, {}, {}, LONG_AGO, LONG_AGO)


def stored_message(text: str, id: int, created_at: str = LONG_AGO) -> SessionMessage:
    """Return a message in the form that a repository is given."""
    return SessionMessage(text_message(text), id, None, created_at, created_at)


def refused(action: Callable[[], object], what: str) -> bool:
    """Whether a call was refused as an id may be.

    Raises:
        Violation: It was refused in another way.
    """
    try:
        action()
    except REFUSALS as error:
        if not str(error).strip():
            violated(f"{what} works, or is refused with a text that says why", f"{type(error).__name__} without a text")
        return True
    except Exception as error:
        violated(f"{what} works, or is refused with ValueError or an SDK exception", f"it raised {one_line(error)}")
    return False


def expect_refused(
    action: Callable[[], object], what: str, kinds: tuple[type[Exception], ...] = (SessionException,)
) -> None:
    """Report a violation unless an action raises an exception of one of some kinds.

    Raises:
        Violation: It raises nothing, or another exception.
    """
    names = " or ".join(kind.__name__ for kind in kinds)
    try:
        action()
    except kinds:
        return
    except Exception as error:
        violated(f"{what} raises {names}", f"it raises {one_line(error)}")
    violated(f"{what} raises {names}", "it raises nothing")


def expect_none(found: Any, what: str) -> None:
    """Report a violation unless nothing was read.

    Raises:
        Violation: Something was.
    """
    if found is not None:
        violated(f"reading {what} gives None", f"it gives {found!r}")


def expect_session(found: StoredSession | None, id: str) -> None:
    """Report a violation unless a session was read as it was created.

    Raises:
        Violation: It was not.
    """
    if found is None or found.session_id != id or found.session_type != SessionType.AGENT:
        violated(f"reading session {id!r} gives the session that was created, of type AGENT", f"it gives {found!r}")


def expect_agent(wanted: SessionAgent, found: SessionAgent | None) -> None:
    """Report a violation unless an agent was read as it was written.

    Raises:
        Violation: It was not.
    """
    if found is None:
        violated(f"agent {wanted.agent_id!r} is read", "None is")
    for name in ("agent_id", "state", "conversation_manager_state", "_internal_state"):
        if not same(getattr(wanted, name), getattr(found, name)):
            violated(
                f"agent {wanted.agent_id!r} is read with {name} {getattr(wanted, name)!r}",
                f"it is read with {getattr(found, name)!r}",
            )


def expect_message(wanted: Message, found: SessionMessage | None, what: str, id: int) -> None:
    """Report a violation unless a message was read as it was written.

    Raises:
        Violation: It was not.
    """
    if found is None:
        violated(f"message {id} ({what}) is read", "None is")
    differs = difference([wanted], [found.to_message()])
    if differs is not None or found.message_id != id or type(found.message_id) is not int:
        violated(f"message {id} ({what}) is read as it was written", f"its id is {found.message_id!r}; {differs}")


def expect_listed(wanted: list[Message], who: Calls, place: Place, what: str) -> None:
    """Report a violation unless the messages that are listed are these, in this order, with the numbers from 0 on.

    Raises:
        Violation: They are others, or in another order.
    """
    listed = who.list_messages(place.id, "agent")
    if [one.message_id for one in listed] != list(range(len(wanted))):
        violated(
            f"{what}, list_messages gives messages {list(range(len(wanted)))}",
            f"it gives messages {[one.message_id for one in listed]}",
        )
    for number, (message, one) in enumerate(zip(wanted, listed, strict=True)):
        expect_message(message, one, f"{what}, as listed", number)


def expect_time(wanted: str, found: SessionAgent | SessionMessage | None, what: str) -> None:
    """Report a violation unless something was created at a time.

    Raises:
        Violation: It says another.
    """
    told = "None was read" if found is None else str(found.created_at)
    if found is not None and not isinstance(found.created_at, str):
        violated(f"{what} has a created_at that is a text, as SessionMessage has it", f"{found.created_at!r}")
    try:
        moment = datetime.fromisoformat(told.replace("Z", "+00:00"))
        if moment.tzinfo is None:  # as a database column without a zone gives it back: UTC, wherever this runs
            moment = moment.replace(tzinfo=timezone.utc)
        apart = abs(moment - datetime.fromisoformat(wanted))
    except ValueError:
        apart = timedelta.max
    if apart > SAME_TIME:
        violated(f"{what} has created_at {wanted}, as it was created with", told)


def expect_numbers(
    repository: Calls,
    place: Place,
    limit: int | None,
    offset: int,
    wanted: list[int],
    *,
    agent: str = "agent",
    texts: list[str] | None = None,
) -> None:
    """Report a violation unless a listing has just some messages, each with the text that belongs to its number.

    Raises:
        Violation: It has others, or raises.
    """
    called = f"list_messages(limit={limit}, offset={offset}) of agent {agent!r} in session {place.id!r}"
    said = texts if texts is not None else [f"message {number}" for number in wanted]
    try:
        found = repository.raw.list_messages(place.id, agent, limit=limit, offset=offset)
    except Exception as error:
        violated(f"{called} gives {_span(wanted)}", f"it raises {one_line(error)}")
    numbers = [one.message_id for one in found]
    if numbers != wanted:
        at = next((i for i, (a, b) in enumerate(zip(numbers, wanted, strict=False)) if a != b), None)
        where = "" if at is None else f"; at place {at} stands message {numbers[at]!r}"
        violated(f"{called} gives {_span(wanted)}", f"it gives {_span(numbers)}{where}")
    for number, text, one in zip(wanted, said, found, strict=True):
        expect_message(text_message(text), one, "as listed", number)


def expect_states(place: Place, writer: Calls, states: dict[str, dict[str, Any]]) -> None:
    """Report a violation unless the states of graphs are read as they were written.

    Raises:
        Violation: One is not.
    """
    for who in (writer, place.open()):
        for id, state in states.items():
            found = who.read_multi_agent(place.id, id)
            if not same(state, found):
                violated(f"the state of {id!r} is read as it was written: {state!r}", f"{found!r}")


def _span(numbers: list[int]) -> str:
    if len(numbers) <= 6:
        return f"messages {numbers}" if numbers else "no messages"
    return f"{len(numbers)} messages, {numbers[0]} to {numbers[-1]}"


def one_line(error: BaseException) -> str:
    """Show an exception in one line: its type and its text."""
    return f"{type(error).__name__}: {error}"
