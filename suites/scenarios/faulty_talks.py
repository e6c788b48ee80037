"""What must hold of a conversation during which calls of the operating system failed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from session_conformance.harness import Reading, Violation
from session_conformance.harness.faults import ELSEWHERE, Contents, Durability, Recording, Step, Sync
from session_conformance.harness.sdk import Message
from session_conformance.harness.timeline import (
    AgentStopped,
    Event,
    Failed,
    HookCalled,
    ProcessEnded,
    UserSent,
    essence,
    is_pending,
    one_message,
    same,
    unpaired_tools,
)


@dataclass
class _Process:
    """What happened in one process of a script, and which calls were made to fail in it."""

    events: list[Event] = field(default_factory=list)
    faults: list[tuple[int, Step]] = field(default_factory=list)  # each with the number of the event before it


def expect_no_loss_by_faults(recording: Recording, what: str) -> None:
    """Report a violation unless faults were told of, cost nothing that was stored before, and were got over.

    Args:
        recording: A traced conversation with faults.
        what: What was made to fail, in words.

    Raises:
        Violation: Something was lost, doubled, silently not stored, or did not work again.
    """
    _expect_nothing_told_after_a_fault(recording, what)
    stored = recording.session.read()
    if stored.error is not None:
        _violated(recording, f"where {what}, the session can be read afterwards", f"a reader raised {stored.error}")
    for process in _processes(recording):
        _expect_errors_for_faults_only(recording, process, what)
        _expect_told_messages_stored(recording, process, stored, what)
        _expect_errors_for_lost_messages(recording, process, stored, what)
    known: set[str] = set()
    for message in stored.messages:
        id = message.get("tracking_id")
        if id in known:
            _violated(recording, f"where {what}, no message is stored twice", f"{one_message(message)} is")
        if id is not None:  # a result that a restore made up need have none
            known.add(id)


def _expect_nothing_told_after_a_fault(recording: Recording, what: str) -> None:
    """Report a violation where something that was to store a message failed, and a hook is then told of the message.

    It may be stored all the same: a database that keeps a log has the message there, and what failed may have been to
    move it from there. So the message is looked for. Where the last thing done failed, it is looked for in what a kill
    leaves. Where any sync failed since the last message, the system's cache hides that from every reader: it is looked
    for in what is left if power is cut then, and violates only what would have been there had the sync been done.
    Folders are another matter: some file systems cannot sync them, and SQLite does not ask what came of it.
    """
    tells = {
        event.at: event
        for event in recording.timeline.of(HookCalled)
        if event.position == "early" and event.message is not None and not is_pending(event.message)
    }
    durability, as_if_synced = Durability(recording.before), Durability(recording.before)
    last: Step | None = None
    unsynced: Step | None = None
    for step in recording.steps:
        if step.mark is None:
            last = step
            if step.operation is not None:
                durability.apply(step.operation)
                as_if_synced.apply(step.operation)
            elif isinstance(step.refused, Sync):
                as_if_synced.apply(step.refused)
                if step.refused.node in as_if_synced.durable.files:
                    unsynced = step
                else:
                    durability.apply(step.refused)
            continue
        told = tells.get(step.mark)
        if told is None:
            continue
        assert told.message is not None
        failed: Step | None = None
        if unsynced is not None:
            lost = not _holds(recording, durability.durable, told.message)
            failed = unsynced if lost and _holds(recording, as_if_synced.durable, told.message) else None
        elif last is not None and last.injected and last.path != ELSEWHERE:
            lost = not _holds(recording, durability.nothing_lost().contents, told.message)
            failed = last if lost else None
        if failed is not None:
            _violated(
                recording,
                f"where {what}, an error reaches the caller and no hook is told of what is not stored",
                f"{failed} failed, and then a hook was told of {one_message(told.message)}",
                told,
            )
        last = unsynced = None


def _holds(recording: Recording, contents: Contents, message: Message) -> bool:
    """Whether a message is restored from what a crash left."""
    with tempfile.TemporaryDirectory(prefix="session-conformance-fault-", ignore_cleanup_errors=True) as folder:
        contents.write_to(Path(folder))
        workspace = replace(recording.session.workspace, folder=Path(folder))
        found = replace(recording.session, workspace=workspace).read().find(message.get("tracking_id") or "")
    return found is not None and same(essence(found), essence(message))


def _processes(recording: Recording) -> Iterator[_Process]:
    faults = []
    mark = -1
    for step in recording.steps:
        if step.mark is not None:
            mark = step.mark
        elif step.injected:
            faults.append((mark, step))
    process, begin = _Process(), -1
    for event in recording.timeline:
        process.events.append(event)
        if isinstance(event, ProcessEnded):
            process.faults = [(at, step) for at, step in faults if begin <= at < event.at]
            yield process
            process, begin = _Process(), event.at


def _expect_errors_for_faults_only(recording: Recording, process: _Process, what: str) -> None:
    since = process.events[0].at - 1  # the event at which the application began what may fail now
    for event in process.events:
        if isinstance(event, UserSent):
            since = event.at
        elif isinstance(event, Failed):
            if not any(since <= at < event.at for at, _ in process.faults):
                _violated(
                    recording,
                    f"where {what}, everything works again after the fault",
                    f"{event.summary}, though nothing failed below it since",
                    event,
                )
            if event.where != "agent.send()":
                return  # the agent itself has come to an end


def _expect_told_messages_stored(recording: Recording, process: _Process, stored: Reading, what: str) -> None:
    later = [message for event in process.events if isinstance(event, AgentStopped) for message in event.memory]
    for event in process.events:
        if not isinstance(event, HookCalled) or event.message is None or event.position != "early":
            continue
        if is_pending(event.message):
            continue
        found = stored.find(event.message.get("tracking_id") or "")
        if found is None or not any(same(essence(found), essence(one)) for one in [event.message, *later]):
            _violated(
                recording,
                f"where {what}, what hooks were told of stays stored: {one_message(event.message)}",
                f"what is stored of it is {one_message(found)}",
                event,
            )


def _expect_errors_for_lost_messages(recording: Recording, process: _Process, stored: Reading, what: str) -> None:
    if any(isinstance(event, Failed) for event in process.events):
        return
    for event in process.events:
        if isinstance(event, AgentStopped):
            for message in event.memory:
                if stored.find(message.get("tracking_id") or "") is None and not _made_up(message, event.memory):
                    _violated(
                        recording,
                        f"where {what}, an error reaches the caller for what is not stored",
                        f"there was none, and {one_message(message)} is not stored",
                        event,
                    )


def _made_up(message: Message, memory: list[Message]) -> bool:
    """Whether a message may be a tool result that a restore made up, which need not be stored."""
    return any("toolResult" in block for block in message["content"]) and unpaired_tools(memory) is None


def _violated(recording: Recording, expected: str, found: str, *at: Event) -> None:
    faults = [f"    {step}" for step in recording.steps if step.injected]
    lines = ["the calls that were made to fail:", *faults[:10], *(["    ..."] if len(faults) > 10 else [])]
    raise Violation(expected, found, "\n".join(lines), recording.timeline, [event.at for event in at])
