"""CLN: clean-up. Sessions can be listed, and what is deleted is gone, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from session_conformance.fixtures import ConformanceSuite, NewSession, capabilities_of
from session_conformance.harness import (
    Backend,
    Capability,
    Conversation,
    Level,
    ScenarioRuns,
    Script,
    Session,
    Violation,
    expect_no_failure,
    expect_same,
    play,
    requirement,
    violated,
)
from session_conformance.harness.backends import kept
from session_conformance.harness.conversations import let_go
from session_conformance.harness.process import clock, in_zone
from session_conformance.harness.scripts import Redact, Send, Start, Stop
from session_conformance.harness.sdk import Message
from session_conformance.harness.timeline import AgentStopped, Failed, texts

from .scenarios import (
    clean_up,
    delete,
    expect_all_of_it_deleted,
    expect_apart_where_ids_meet,
    expect_deleted_among_many,
    expect_deleted_by_another,
    expect_deleted_nowhere_at_rest,
    expect_deletion_after_crash,
    expect_deletion_holds,
    expect_failed_deletions_told_of,
    expect_nothing_kept,
    expect_only_one_deleted,
    expect_others_cleaned_up,
    expect_refused_nowhere_at_rest,
    expect_the_named_one_deleted,
    hundred_sessions,
    listed,
    refused,
    say,
)

_MANY = 60
"""So many sessions more are deleted where a file stayed: what belongs to all, as a part of an index, stays few."""

_COARSE = timedelta(seconds=2)
"""How far a stored time may be off: FAT counts in steps of two seconds, several databases in seconds."""

_ROUNDED = timedelta(microseconds=2)
"""How far a time that is listed may be off, since file systems count in nanoseconds, and floats have 53 bits."""


class CleanUp(ConformanceSuite):
    """CLN: clean-up."""

    @requirement("CLN-01", source="D: session management, deleting sessions", needs=[Capability.DELETE])
    def deletion(
        self, run: ScenarioRuns, new_session: NewSession, backend: Backend, request: pytest.FixtureRequest
    ) -> None:
        """A deleted session leaves nothing stored; others stay, also those whose ids begin with its id, and that of the
        manager that was asked to delete another one; the same id starts empty again.
        """
        session = new_session("user_1")
        others = [replace(session, session_id=id) for id in ("user_10", "user", "other")]
        said = [_say(other, f"I am {other.session_id}") for other in others]
        before = kept(session.workspace.stored())
        _say(session, "Remember the word xylograph")
        delete(session)
        expect_nothing_kept("xylograph", session.workspace, "a deleted session")
        files = kept(session.workspace.stored())
        new = [path for path in files if path not in before]
        if new and _pile_up(session, set(files)):
            violated("a deleted session leaves nothing stored", f"these files of it stayed: {', '.join(new)}")
        for other, memory in zip(others, said, strict=True):
            expect_same(memory, _read(other), f"session {other.session_id} stays when {session.session_id} is deleted")
        found = _read(session)
        if found:
            violated("a deleted session starts empty again", f"it has {texts(found)}")
        _say(session, "I am new")
        if texts(_read(session)) != ["I am new"]:
            violated("a deleted session can be used again", f"it has {texts(_read(session))} after 'I am new'")
        expect_all_of_it_deleted(
            new_session("user_1"), with_teams=Capability.MULTI_AGENT in capabilities_of(backend, request.config)
        )
        expect_only_one_deleted(new_session)
        expect_the_named_one_deleted(new_session())
        expect_apart_where_ids_meet(new_session, deleting=True)
        capabilities = capabilities_of(backend, request.config)
        if Capability.FRESH_PROCESS in capabilities:
            expect_deleted_by_another(new_session("user_1"))
        if {Capability.ON_DISK, Capability.FRESH_PROCESS} <= capabilities:
            expect_deletion_after_crash(new_session)
        if Capability.STORAGE_FAULTS in capabilities and not backend.on_s3:
            expect_failed_deletions_told_of(new_session)
        if Capability.SERVER in capabilities:  # where keys are looked for page by page
            many = run.once(hundred_sessions)
            if not any(one.timeline.of(Failed) for one in many):  # that they are stored is for CON-02 to ask
                expect_deleted_among_many([one.session for one in many])

    @requirement("CLN-02", source="D: session management, 'clean up old sessions'", needs=[Capability.CLEAN_UP])
    def clean_up_by_age(self, new_session: NewSession) -> None:
        """Clean-up by age removes what is older, keeps what is younger or in use."""
        old = new_session("old")
        in_use, young = replace(old, session_id="in-use"), replace(old, session_id="young")
        hour = timedelta(hours=1)
        for session in (young, old):  # what began first may have been written last
            _say(session, f"I am {session.session_id}")

        async def main() -> None:
            conversation = Conversation(in_use, Script(), observing=False)
            await conversation.step(Start())
            await conversation.step(Send("I am in use"))
            let_go(old)
            now = datetime.now(timezone.utc)
            clean_up(old, hour, now)
            for session in (old, young, in_use):
                if not _read(session):
                    violated("sessions that are younger than the given age are kept", f"{session.session_id} is gone")
            cut = _time_between(old, young)
            expected = {session.session_id: _read(session) for session in (old, young)}
            let_go(old)
            if cut is not None:
                clean_up(old, hour, cut + hour)
                _expect_removed(old, "a session that is older than the given age is removed")
                expect_same(
                    expected["young"],
                    _read(young),
                    "a session that is younger than the given age is kept beside older ones",
                )
            let_go(old)
            clean_up(old, hour, now + timedelta(days=1))
            _expect_removed(old, "a session that is older than the given age is removed")
            _expect_removed(young, "a session that is older than the given age is removed")
            await conversation.step(Send("I am still in use"))
            await conversation.step(Stop())
            for failure in conversation.timeline.of(Failed):
                violated("a session that is in use is kept", failure.summary, conversation.timeline, failure)
            if texts(_read(in_use)) != ["I am in use", "I am still in use"]:
                violated("a session that is in use is kept", f"it has {texts(_read(in_use))}")

        with in_zone():  # where local time is another one than UTC
            clock.run(main())
        expect_others_cleaned_up(new_session())

    @requirement("CLN-03", level=Level.SHOULD, source="F: what cannot be listed cannot be cared for",
                 needs=[Capability.LISTING])  # fmt: skip
    def listing(self, new_session: NewSession) -> None:
        """Sessions can be listed, with their times."""
        place = new_session()
        with in_zone():  # where local time is another one than UTC
            began = datetime.now(timezone.utc)
            ids = {"user_123_voice_2026-11-23", "user_123_session"}
            for id in ids:
                _say(replace(place, session_id=id), "hello")
            for id in ("Upper Case", "bébé@example.com", "a" * 100):
                if not refused(say(replace(place, session_id=id), "hello"), id):  # as IDS-04 allows
                    ids.add(id)
            ended = datetime.now(timezone.utc)
            found = {session.session_id: session for session in listed(place)}
            if set(found) != ids:
                violated(f"the sessions {sorted(ids)} are listed", f"listed are {sorted(found)}")
            for id, session in found.items():
                if not began - _COARSE <= session.updated_at <= ended + _COARSE:
                    violated(f"session {id} is listed with the time when it was written last", f"{session.updated_at}")

    @requirement("CLN-04", source="F: a deletion holds, whoever had the session open", needs=[Capability.DELETE])
    def delete_under_an_agent(self, new_session: NewSession) -> None:
        """Where a session was deleted and begun anew, an agent that had it open before costs the new one no message
        that was acknowledged, and brings nothing back of what was deleted; what it says is stored, or refused with an
        SDK exception.
        """
        expect_deletion_holds(new_session("user_1"), "goes on", Send("I am old"))
        expect_deletion_holds(new_session("user_1"), "only stops")
        expect_deletion_holds(new_session("user_1"), "redacts what it said last", Redact("[redacted]"))

    @requirement(
        "CLN-05",
        level=Level.SHOULD,
        source="F: who deletes a session expects nothing of it to be kept, where no deletion looks for it",
        needs=[Capability.DELETE, Capability.AT_REST],
        since="2026.12",
    )
    def refused_after_deletion(self, new_session: NewSession) -> None:
        """What an agent says after its session was deleted, and is refused, is nowhere in the stored bytes."""
        expect_refused_nowhere_at_rest(new_session("user_1"))

    @requirement(
        "CLN-06",
        level=Level.SHOULD,
        source="F: who deletes a session expects its text to be gone, wherever a database would leave it",
        needs=[Capability.DELETE, Capability.AT_REST],
        since="2026.12",
    )
    def deleted_bytes(self, new_session: NewSession) -> None:
        """The text of a deleted session is nowhere in the stored bytes, a database's free pages and logs included."""
        expect_deleted_nowhere_at_rest(new_session("user_1"))


def _pile_up(session: Session, before: set[str]) -> bool:
    """Whether each deleted session leaves something, and not only what they share: an index, or a part of one."""
    for number in range(_MANY):
        other = replace(session, session_id=f"gone-{number}")
        _say(other, "Not for long")
        delete(other)
    return len(set(kept(session.workspace.stored())) - before) > _MANY * 3 // 4


def _say(session: Session, *said: str) -> list[Message]:
    script = Script()
    for text in said:
        script = script.user(text)
    timeline = play(session, script, observing=False)
    expect_no_failure(timeline)
    return timeline.of(AgentStopped)[-1].memory


def _read(session: Session) -> list[Message]:
    reading = session.read()
    if reading.error is not None:
        violated(f"session {session.session_id} can be read", f"a reader raised {reading.error}")
    return reading.messages


def _time_between(old: Session, young: Session) -> datetime | None:
    """Write the young session until its time is another one than the old one's; return it, where times are known.

    It is a little less than the young one's: what is listed may have been rounded, and the file's own time be earlier.
    """
    if old.backend.list_sessions is None:
        return None
    for number in range(500):  # a clock that counts in seconds has moved on by then
        try:
            times = {session.session_id: session.updated_at for session in listed(old)}
        except Violation:  # that they are listed, and how, is for CLN-03 to ask
            return None
        if times[young.session_id] > times[old.session_id] + 2 * _ROUNDED:
            return times[young.session_id] - _ROUNDED
        _say(young, f"Time goes by, {number}")
    return None


def _expect_removed(session: Session, expected: str) -> None:
    found = _read(session)
    if found:
        violated(expected, f"{session.session_id} still has {len(found)} messages")
