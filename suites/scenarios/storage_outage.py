"""Checks of a conversation in which nothing could be stored for a while."""

from __future__ import annotations

from session_conformance.harness import NotApplicable, Reading, Run, violated
from session_conformance.harness.process import FAULT_BEGINS, FAULT_ENDS
from session_conformance.harness.sdk import Message
from session_conformance.harness.timeline import AgentStopped, Failed, Happened, one_message, same, texts

from .stored_history import expect_readable, find_same


def expect_outages_told_of(run: Run, call: str) -> None:
    """Report a violation unless, of each outage, the caller was told, and no hook of a message that was not stored.

    Args:
        run: A scenario with one :class:`~.steps.StorageFails` or more, each with its :class:`~.steps.StorageWorks`.
        call: What the application calls meanwhile, for the evidence.

    Raises:
        Violation: A hook was told of a message that was not stored, or nobody of one that was lost.
        NotApplicable: None of the outages reached the backend's storage.
    """
    timeline, reached = run.timeline, False
    edges = [event for event in timeline.of(Happened) if event.what in (FAULT_BEGINS, FAULT_ENDS)]
    for begins, ends in zip(edges[::2], edges[1::2], strict=True):
        after = ends.stored
        assert after is not None
        expect_readable(after, "after the fault", timeline, ends)
        for told in timeline.hooks("message_added"):
            if begins.at < told.at < ends.at and told.message and find_same(told.message, after.messages) is None:
                violated(
                    "no hook is told of a message that was not stored",
                    f"a hook was told of {one_message(told.message)}, and it is not stored",
                    timeline,
                    told,
                    ends,
                )
        failed = any(begins.at < failure.at < ends.at for failure in timeline.of(Failed))
        lost = [message for message in ends.memory or [] if find_same(message, after.messages) is None]
        if lost and not failed:
            violated(
                "the failure reaches the caller",
                f"{one_message(lost[0])} is not stored, and {call} raised nothing",
                timeline,
                ends,
            )
        reached = reached or failed or bool(lost)
    if not reached:
        raise NotApplicable("its storage was not reached by letting writes fail")


def expect_outage_of_an_update_told_of(run: Run) -> None:
    """Report a violation if a hook was told of a message's final text that was not stored.

    Where that is so without a fault as well, it is for ORD-02 to ask.

    Args:
        run: What came of :data:`~.bidi.UPDATE_STORAGE_FAULT`.

    Raises:
        Violation: A hook was told of it.
    """
    timeline = run.timeline
    begins, ends = (event for event in timeline.of(Happened) if event.what in (FAULT_BEGINS, FAULT_ENDS))
    assert ends.stored is not None
    expect_readable(ends.stored, "after the fault", timeline, ends)
    for told in timeline.hooks("message_updated"):
        if told.message is None or told.at > ends.at:
            continue
        if told.at < begins.at:
            if told.stored is not None and not _has_text_of(told.message, told.stored):
                return
        elif not _has_text_of(told.message, ends.stored):
            violated(
                "no hook is told of a message that was not stored as it is told of",
                f"a hook was told of {one_message(told.message)}, and it is not stored",
                timeline,
                told,
                ends,
            )


def _has_text_of(message: Message, reading: Reading) -> bool:
    found = find_same(message, reading.messages)
    return found is not None and texts([found]) == texts([message])


def expect_last_state_told_of(run: Run, key: str, value: object, call: str) -> None:
    """Report a violation unless the caller was told in the last outage that a state was not stored, or it was.

    Args:
        run: A scenario whose last outage begins with a state, behind an invocation's last message.
        key: The key of that state.
        value: What is set.
        call: What the application calls meanwhile, for the evidence.

    Raises:
        Violation: It is not stored, and nobody was told.
    """
    begins, ends = [event for event in run.timeline.of(Happened) if event.what in (FAULT_BEGINS, FAULT_ENDS)][-2:]
    assert ends.stored is not None
    told = any(begins.at < failure.at < ends.at for failure in run.timeline.of(Failed))
    if not told and ends.stored.state.get(key) != value:
        violated(
            "the failure reaches the caller, also where state alone has changed since the last message",
            f"state {key!r} is not stored, and {call} raised nothing",
            run.timeline,
            begins,
            ends,
        )


def expect_other_outages_told_of(run: Run) -> None:
    """Report a violation unless the caller was told of a redaction, and of a changed state, that were not stored.

    Args:
        run: What came of :data:`~.bidi.OTHER_STORAGE_FAULTS`.

    Raises:
        Violation: Nobody was told of one of them.
    """
    edges = [event for event in run.timeline.of(Happened) if event.what in (FAULT_BEGINS, FAULT_ENDS)]
    for what, begins, ends in zip(("redaction", "state"), edges[::2], edges[1::2], strict=True):
        after = ends.stored
        assert after is not None
        expect_readable(after, "after the fault", run.timeline, ends)
        stored = after.state.get("seat") == "12A" if what == "state" else "xylograph" not in str(texts(after.messages))
        if not stored and not any(begins.at < failure.at < ends.at for failure in run.timeline.of(Failed)):
            found = f"the {what} is not stored, and " + ("stop()" if what == "state" else "redact_latest_message()")
            violated("the failure reaches the caller", f"{found} raised nothing", run.timeline, begins, ends)


def expect_state_stored_after_outages(run: Run) -> None:
    """Report a violation unless a state that could not be stored is stored at the end, or the caller was told again.

    Args:
        run: A scenario whose last outage met a state, behind which an agent comes to rest without another change of it.

    Raises:
        Violation: Nothing failed since storage works again, and the state is not stored.
    """
    timeline = run.timeline
    ends = [event for event in timeline.of(Happened) if event.what == FAULT_ENDS][-1]
    rest = timeline.of(AgentStopped)[-1]
    assert ends.at < rest.at
    if any(ends.at < failure.at for failure in timeline.of(Failed)):
        return
    expect_readable(run.stored, "after the fault", timeline, ends)
    if not same(rest.state, run.stored.state):
        violated(
            f"at rest after the fault, where nothing failed, the state is stored as in memory: {rest.state!r}",
            f"the stored state is {run.stored.state!r}",
            timeline,
            ends,
            rest,
        )
