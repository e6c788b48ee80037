"""UPD: updates and redaction. What replaces a message in memory replaces it in storage."""

from __future__ import annotations

from collections.abc import Sequence

from session_conformance.fixtures import ConformanceSuite, NewSession
from session_conformance.harness import (
    Capability,
    Level,
    Run,
    ScenarioRuns,
    Timeline,
    expect_no_failure,
    requirement,
    violated,
)
from session_conformance.harness.sdk import Message, SdkFeature
from session_conformance.harness.timeline import (
    AgentStopped,
    Event,
    Happened,
    HookCalled,
    bidi_metadata,
    difference,
    is_pending,
    one_message,
    same,
    texts,
)

from .scenarios import (
    EVERYDAY,
    INCOMPLETE,
    INTERLEAVED,
    LATE_UPDATE,
    LATE_UPDATE_BEHIND_A_GAP,
    LATE_UPDATE_BEHIND_MANY,
    REDACTED_WORD,
    REDACTION,
    SECRET,
    expect_gone_at_each_look,
    expect_nowhere_at_rest,
    expect_readable,
    expect_redacted_apart_on_one_manager,
    expect_stored,
    find_same,
    redacted_beside_another,
    redacted_by_another,
    redacted_by_the_agent,
)

STREAMED = [SdkFeature.MESSAGE_UPDATES]
"""What the SDK must have where a requirement is about messages that change."""

UPDATES = "A: MessageUpdatedEvent, 'triggered after the framework replaces a message'"


def expect_streams_in_place(run: Run, what: str) -> None:
    """Report a violation unless each stream's final message stands where its placeholder stood.

    Places are counted among what hooks were told of: what a restore makes up beside it is for TOL-04 to judge.
    """
    expect_no_failure(run.timeline)
    expect_readable(run.stored, "after the conversation")
    told_of = _told_of(run)
    memory, stored = (
        [message for message in messages if message.get("tracking_id") in told_of]
        for messages in (run.memory, run.stored.messages)
    )
    for index, message in enumerate(memory):
        if not bidi_metadata(message).get("status"):
            continue
        updates = [call for call in run.timeline.hooks("message_updated") if call.message == message][:1]
        at: list[Event] = [*updates] or [*run.timeline.of(AgentStopped)]
        expect_stored(message, stored, what, run.timeline, *at)
        places = [i for i, other in enumerate(stored) if other.get("tracking_id") == message.get("tracking_id")]
        if places != [index]:
            violated(
                f"{one_message(message)} is stored once, at place {index} of what was said",
                f"it is stored at {places}",
                run.timeline,
                *at,
            )


class UpdatesAndRedaction(ConformanceSuite):
    """UPD: updates and redaction."""

    @requirement(
        "UPD-01", source=f"{UPDATES[:1]},B: {UPDATES[3:]}; harness-sdk #1800 and the family of #859", sdk=STREAMED
    )
    def final_text(self, run: ScenarioRuns) -> None:
        """The final text replaces the pending placeholder in storage, in place: same position, same tracking id."""
        expect_streams_in_place(run(EVERYDAY), "replaces its placeholder in storage")

    @requirement("UPD-02", source="A: BidiContentMetadata.status is pending, complete or incomplete", sdk=STREAMED)
    def incomplete_stream(self, run: ScenarioRuns) -> None:
        """A stream that never completes is stored as incomplete, never as pending, after the agent has stopped."""
        played = run(INCOMPLETE)
        expect_no_failure(played.timeline)
        expect_readable(played.stored, "after the conversation")
        stops = played.timeline.of(AgentStopped)
        for message in played.stored.messages:
            if is_pending(message):
                violated("no stored message is pending", f"{one_message(message)} is", played.timeline, *stops)
        unfinished = [m for m in played.memory if bidi_metadata(m).get("status") == "incomplete"]
        if len(unfinished) != 2:
            violated("two streams are incomplete in memory", f"{len(unfinished)} are", played.timeline, *stops)
        for message in unfinished:
            expect_stored(message, played.stored.messages, "is stored as incomplete", played.timeline, *stops)

    @requirement("UPD-03", source="A: BidiModel.receive, 'transcript streams may interleave'", sdk=STREAMED)
    def interleaved_transcripts(self, run: ScenarioRuns) -> None:
        """Interleaved user and assistant transcripts each land in their own message."""
        played = run(INTERLEAVED)
        expect_streams_in_place(played, "is stored as its own message")
        found = [(message["role"], text) for message in played.stored.messages for text in texts([message])]
        wanted = [("user", "alpha beta gamma"), ("assistant", "one two three")]
        if found != wanted:
            violated(f"{wanted}", f"{found}", played.timeline, *played.timeline.hooks("message_updated"))

    @requirement("UPD-04", source=UPDATES, sdk=STREAMED)
    def late_update(self, run: ScenarioRuns) -> None:
        """A late update to an older message changes that message alone."""
        for scenario in (LATE_UPDATE, LATE_UPDATE_BEHIND_A_GAP, LATE_UPDATE_BEHIND_MANY):
            self._expect_late_update_alone(run(scenario))

    def _expect_late_update_alone(self, played: Run) -> None:
        expect_streams_in_place(played, "is stored in place of its placeholder, though other messages followed it")
        for index, message in enumerate(played.memory):
            if message.get("tracking_id") not in _told_of(played):
                continue  # what a restore makes up may be made up by each anew
            others = [m for m in played.stored.messages if m.get("tracking_id") == message.get("tracking_id")]
            if len(others) != 1 or difference([message], others) is not None:
                violated(
                    f"message {index}, {one_message(message)}, is stored once and unchanged by the late update",
                    f"stored: {', '.join(map(one_message, others)) or 'nothing'}",
                    played.timeline,
                    *_update_of_first(played),
                )

    @requirement("UPD-05", source="A: SessionManager.redact_latest_message")
    def redaction(self, run: ScenarioRuns, new_session: NewSession) -> None:
        """redact_latest_message is what a restore returns."""
        played = run(REDACTION)
        expect_no_failure(played.timeline)
        expect_readable(played.stored, "after the redaction")
        _expect_redactions_whole(played.timeline, played.processes[1].memory, played.processes[1])
        if any(SECRET in text for text in texts(played.stored.messages)):
            redacted = [event for event in played.timeline.of(Happened) if event.message is not None]
            violated("the redacted text is not restored", "it is", played.timeline, *redacted)
        for looks in (
            run.once(redacted_by_the_agent),
            run.once(redacted_by_another),
            run.once(redacted_beside_another),
        ):
            if looks is None:
                continue
            stored, timeline = looks.run.stored, looks.run.timeline
            expect_no_failure(timeline)
            expect_readable(stored, "after the redaction and what followed", timeline)
            leaked = [text for text in texts(stored.messages) if REDACTED_WORD in text]
            once = (*looks.instead, *looks.kept)
            if leaked or [texts(stored.messages).count(text) for text in once] != [1] * len(once):
                violated(
                    f"{looks.run.scenario.name}: it survives what is written next, the stop, and a restart",
                    f"stored is {texts(stored.messages)}",
                    timeline,
                    *timeline.of(Happened),
                )
            _expect_redactions_whole(timeline, stored.messages)
            can_be_read = looks.before.error is None and looks.after.error is None
            states = (looks.before.state, looks.state)  # a redaction may write what is newer, too
            if can_be_read and not any(same(state, looks.after.state) for state in states):
                violated(
                    f"{looks.run.scenario.name}: the state stays what it was, {looks.before.state!r}",
                    f"it is {looks.after.state!r}",
                    timeline,
                    *timeline.of(Happened),
                )
        expect_redacted_apart_on_one_manager(new_session())

    @requirement(
        "UPD-06", level=Level.SHOULD, source="F: redaction is meant to remove data at rest", needs=[Capability.AT_REST]
    )
    def redacted_bytes(self, run: ScenarioRuns) -> None:
        """After a redaction the redacted text is nowhere in the stored bytes."""
        played = run(REDACTION)
        expect_nowhere_at_rest(
            SECRET, played, *[event for event in played.timeline.of(Happened) if event.message is not None]
        )
        expect_gone_at_each_look(run.once(redacted_by_the_agent))


def _expect_redactions_whole(timeline: Timeline, restored: Sequence[Message], *at: Event) -> None:
    """Report a violation unless each message that was redacted is restored as it was given, with all that it has."""
    for redacted in timeline.of(Happened):
        if redacted.message is None:
            continue
        found = find_same(redacted.message, restored)
        differs = difference([redacted.message], [found] if found is not None else [])
        if differs is not None:
            violated(
                f"a restore returns {one_message(redacted.message)}",
                f"it returns {one_message(found)}: {differs}",
                timeline,
                redacted,
                *at,
            )


def _told_of(run: Run) -> set[str | None]:
    """Return the tracking ids of what hooks were told of."""
    return {call.message.get("tracking_id") for call in run.timeline.hooks("message_added") if call.message}


def _update_of_first(run: Run) -> list[HookCalled]:
    return [call for call in run.timeline.hooks("message_updated") if call.position == "early"][-1:]
