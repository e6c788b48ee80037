"""Play a whole script on a backend, in this process or in processes of its own, and return the timeline."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from ..models import quiet_scripted_errors
from ..process import FROM_OUTSIDE, PROCESS_LIMIT_S, clock, tolerating_warnings, within_limit
from ..scripts import CleanUp, DeleteSession, ProcessEnd, Script, Step, StorageFails, StorageFailsBehind
from ..sdk import Message, SdkLacks
from ..timeline import Asked, Event, Failed, Happened, ProcessEnded, Timeline
from ._stage import StorageFault
from .bidi import Conversation, Session
from .fresh_process import Die, in_fresh_process
from .parents_faults import fault_of_parent, making_faults
from .team import TeamConversation
from .text import TextConversation


def play(
    session: Session,
    script: Script,
    *,
    messages: Sequence[Message] | None = None,
    state: dict[str, Any] | None = None,
    observing: bool = True,
    fresh_processes: bool = False,
    on_record: Callable[[Event], object] | None = None,
    at_rest: bool = False,
    storage_fault: StorageFault | None = None,
    same_tools: bool = False,
) -> Timeline:
    """Play a script and return what happened.

    Args:
        session: The session to play it in.
        script: What shall happen. Each of its processes has a new manager and a new agent.
        messages: What the agents' constructors are given as their history; by default, what the script says.
        state: What they are given as their state.
        observing: Whether hooks, starts, restarts and sends read what is stored.
        fresh_processes: Whether each process of the script is a process of the operating system. Scripts in which
            a process is killed need it.
        on_record: Called with each event after it was recorded, if all of the script is played in this process.
        at_rest: Where ``observing`` is off: whether what is stored is read at stops and after restarts all the same.
        storage_fault: A context manager in which nothing can be stored: it makes the script's storage faults. By
            default, the workspace's servers cannot be reached or, if it has none, no file can be written. Only this
            process can cut servers off, or knows what it was given: a process of the operating system asks it to.
        same_tools: Whether each process's agent has the tools of the whole script, as an application's has; by default
            it has those that its own steps call.

    Raises:
        Hang: The conversation did not end.
        CannotBePlayed: The script asks for a kill in this process, or for something to be done to whole sessions that
            the backend cannot do.
    """
    fault_here = storage_fault or (session.workspace.unreachable if session.workspace.places else None)
    timeline = _new_timeline(on_record)
    given_messages: Any = script.messages or None if messages is None else messages
    for number, (segment, end, meanwhile) in enumerate(script.segments()):
        asked = timeline.of(Asked)
        interrupts, tools_of = asked[-1].interrupts if asked else (), script if same_tools else None
        given = Given(given_messages, state, observing, number, interrupts, at_rest, tools_of)
        if fresh_processes:
            with _faults_from_here(fault_here, segment) as faults:
                arguments = (segment.to_json(), end, given, *faults)
                data = in_fresh_process(_play_in_child, session, *arguments, limit_s=PROCESS_LIMIT_S)
            timeline.extend(Timeline.from_json(data))
        elif end == "killed":
            raise CannotBePlayed("a script in which a process is killed needs fresh_processes=True")
        else:
            heard, happened = _counting(on_record)
            part = partial(_play_segment, session, segment, given, on_record=heard, storage_fault=storage_fault)
            timeline.extend(within_limit(part, "the script", progress=happened))
        timeline.record(ProcessEnded(how=end))
        if meanwhile and not fresh_processes:
            let_go(session)
        for step in meanwhile:
            _care_for_sessions(session, step, timeline)
    return timeline


@contextmanager
def _faults_from_here(fault: StorageFault | None, script: Script) -> Iterator[list[Connection]]:
    """Yield what a process can ask this one for faults by, where its script has some that it cannot make by itself."""
    if fault is None or not any(isinstance(step, (StorageFails, StorageFailsBehind)) for step in script.steps):
        yield []
    else:
        with making_faults(fault) as connection:
            yield [connection]


def let_go(session: Session) -> None:
    """Let what in this process has a session open though nobody uses it any more let go of it.

    Who counts it as open until its manager is collected is right not to delete it. Agents that nobody uses have theirs
    until then; and a thread has the manager for whom it stored something last until it is given time: so somebody else
    says something.

    Args:
        session: One of the workspace. In a session of its own, ``somebody-else``, something is said.
    """
    play(replace(session, session_id="somebody-else"), Script().user("I am last"), observing=False)
    gc.collect()


def _care_for_sessions(session: Session, step: Step, timeline: Timeline) -> None:
    """Delete a session, or remove old ones, while no agent has one open."""
    backend = session.backend
    try:
        with tolerating_warnings():
            if isinstance(step, DeleteSession) and backend.delete is not None:
                id = step.session_id if step.session_id is not None else session.session_id
                timeline.record(Happened(what=f"session {id!r} is deleted"))
                backend.delete(id, session.workspace)
            elif isinstance(step, CleanUp) and backend.clean_up is not None:
                timeline.record(Happened(what=f"sessions are cleaned up as {step.days_later} days from now"))
                now = datetime.now(timezone.utc) + timedelta(days=step.days_later)
                backend.clean_up(timedelta(hours=1), session.workspace, now)
            else:
                raise CannotBePlayed(f"a script with the step {step.op!r} between processes: {backend.name} cannot")
    except CannotBePlayed:
        raise
    except FROM_OUTSIDE:
        raise
    except BaseException as error:
        timeline.record(Failed.by(step.op, error))


class CannotBePlayed(ValueError):
    """A script asks for what the backend, or this process, cannot do. Any other error is no fault of the script."""


@dataclass(frozen=True)
class Given:
    """What each process of a script is given beside its steps; see :func:`play`."""

    messages: Sequence[Message] | None
    state: dict[str, Any] | None
    observing: bool
    number: int
    asked: Sequence[dict[str, Any]] = ()
    at_rest: bool = False
    tools_of: Script | None = None


def _counting(on_record: Callable[[Event], object] | None) -> tuple[Callable[[Event], None], Callable[[], int]]:
    """Return a listener that counts events and hands them on, and what says how many there were."""
    happened = 0

    def heard(event: Event) -> None:
        nonlocal happened
        happened += 1
        if on_record is not None:
            on_record(event)

    return heard, lambda: happened


def _new_timeline(on_record: Callable[[Event], object] | None) -> Timeline:
    timeline = Timeline()
    if on_record is not None:
        timeline.listen(on_record)
    return timeline


def _play_segment(
    session: Session,
    script: Script,
    given: Given,
    *,
    fresh: bool = False,
    kill: Callable[[Timeline], object] | None = None,
    on_record: Callable[[Event], object] | None = None,
    storage_fault: StorageFault | None = None,
) -> Timeline:
    timeline = _new_timeline(on_record)

    async def main() -> None:
        try:
            conversation = _conversation(session, script, timeline, given, fresh, storage_fault)
        except SdkLacks:
            raise
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            timeline.record(Failed.by("opening the session", error))
        else:
            await conversation.play(stop=kill is None)
        if kill is not None:
            kill(timeline)  # from here, so that not even the loop's own clean-up runs

    with tolerating_warnings(), quiet_scripted_errors():
        try:
            clock.run(main())
        except (*FROM_OUTSIDE, Exception):
            raise
        except BaseException as error:  # raised in a task of the SDK's own, it ends the loop
            timeline.record(Failed.by("the application", error))
    return timeline


def _conversation(
    session: Session,
    script: Script,
    timeline: Timeline,
    given: Given,
    fresh: bool,
    storage_fault: StorageFault | None,
) -> Conversation | TextConversation | TeamConversation:
    options: dict[str, Any] = {"timeline": timeline, "fresh_process": fresh, "process": given.number}
    options["storage_fault"] = storage_fault
    if session.team is not None:
        return TeamConversation(session, script, asked=given.asked, **options)
    options |= {"messages": given.messages, "state": given.state, "observing": given.observing}
    options["tools_of"] = given.tools_of
    if session.text_agent is not None:
        return TextConversation(session, script, asked=given.asked, **options)
    return Conversation(session, script, at_rest=given.at_rest, **options)


def _play_in_child(
    session: Session, die: Die, script: str, end: ProcessEnd, given: Given, faults: Connection | None = None
) -> str:
    kill = (lambda timeline: die(timeline.to_json())) if end == "killed" else None
    fault = None if faults is None else fault_of_parent(faults)
    return _play_segment(session, Script.from_json(script), given, fresh=True, kill=kill, storage_fault=fault).to_json()


__all__ = ["CannotBePlayed", "let_go", "play"]
