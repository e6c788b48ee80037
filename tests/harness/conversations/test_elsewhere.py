"""Other agents, other sessions, whole sessions that are cared for, and storage that fails: played in one process."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from session_conformance.harness import BackendSpec, Script, Session, TextAgent, play
from session_conformance.harness.scripts import (
    CleanUp,
    DeleteSession,
    HookReads,
    Merge,
    Send,
    Start,
    Stop,
    StorageFails,
    StorageWorks,
    stream,
)
from session_conformance.harness.timeline import (
    AgentStopped,
    Failed,
    Happened,
    HappenedElsewhere,
    ProcessStarted,
    texts,
)

pytestmark = pytest.mark.usefixtures("quickly_collected")


def test_an_agent_elsewhere_stays_open_beside_the_conversation(session: Session) -> None:
    second = {"agent_id": "second"}
    script = Script().elsewhere(Send("one"), **second).user("mine").elsewhere(Send("two"), Stop(), **second)
    timeline = play(session, script.elsewhere(Start(), Send("three"), **second), observing=False, at_rest=True)
    assert not timeline.of(Failed)
    elsewhere = [event.event for event in timeline.of(HappenedElsewhere)]
    assert len([event for event in elsewhere if isinstance(event, ProcessStarted)]) == 1
    stops = [event for event in elsewhere if isinstance(event, AgentStopped)]
    assert [texts(stop.memory) for stop in stops] == [["one", "two"], ["one", "two", "three"]]
    assert [texts(stop.stored.messages) for stop in stops if stop.stored] == [texts(stop.memory) for stop in stops]
    assert texts(session.read().messages) == ["mine"]
    assert 'agent "second"] the user sends "one"' in str(timeline)


def test_another_session_has_a_manager_of_its_own(session: Session) -> None:
    timeline = play(session, Script().user("mine").elsewhere(Send("theirs"), session_id="other"), observing=False)
    assert not timeline.of(Failed)
    assert texts(replace(session, session_id="other").read().messages) == ["theirs"]


def test_a_session_that_cannot_be_opened_elsewhere_is_told(session: Session) -> None:
    timeline = play(session, Script().elsewhere(Send("x"), session_id="").user("mine"), observing=False)
    [told] = [event.event for event in timeline.of(HappenedElsewhere)]
    assert isinstance(told, Failed)
    assert (told.where, told.type) == ("opening the session", "ValueError")


def test_sessions_are_deleted_and_cleaned_up_between_processes(session: Session) -> None:
    script = Script().user("one").restarts_process("stopped", CleanUp(0)).restarts_process("stopped", DeleteSession())
    script = script.user("two").restarts_process("stopped", CleanUp(1))
    timeline = play(session, script, observing=False)
    assert not timeline.of(Failed)
    assert [texts(begun.memory) for begun in timeline.of(ProcessStarted)] == [[], ["one"], [], []]


def test_a_session_that_is_cleaned_up_is_not_held_by_the_thread_that_stored_last(session: Session) -> None:
    """Its manager leaves alone what is in use, and holds what it did last, as a thread may that was given no time."""
    caretaking = BackendSpec("caretaking", "tests.conforming.caretaking_manager:CaretakingManager").resolve()
    script = Script().user("one").restarts_process("stopped", CleanUp(1))
    timeline = play(replace(session, backend=caretaking), script, observing=False)
    assert not timeline.of(Failed)
    assert [texts(begun.memory) for begun in timeline.of(ProcessStarted)] == [[], []]


@pytest.mark.parametrize("text_agent", [None, TextAgent()], ids=["voice", "text"])
def test_what_a_manager_has_lost_cannot_be_redacted(session: Session, text_agent: TextAgent | None) -> None:
    """The history that it restored is compared afterwards, and says so."""
    script = Script().user("one").restarts_process("stopped", DeleteSession()).redacts("[redacted]")
    script = script.then(Merge("more")) if text_agent else script
    timeline = play(replace(session, text_agent=text_agent), script, observing=False)
    assert not timeline.of(Failed)
    assert "there is no message to redact" in str(timeline)


def test_what_a_backend_cannot_do_is_no_violation(session: Session) -> None:
    bare = replace(session, backend=replace(session.backend, delete=None))
    with pytest.raises(ValueError, match=r"'delete_session' between processes: .* cannot"):
        play(bare, Script().restarts_process("stopped", DeleteSession()), observing=False)


def test_storage_fails_as_the_caller_says(session: Session) -> None:
    broken: list[bool] = []

    @contextlib.contextmanager
    def fault() -> Iterator[None]:
        broken.append(True)
        yield
        broken.append(False)

    play(session, Script().user("a").then(StorageFails()).user("b"), observing=False, storage_fault=fault)
    assert broken == [True, False], "what was broken works again when the script is over"


def test_storage_faults_bind_this_process_for_as_long_as_they_last(session: Session) -> None:
    script = Script().user("a").then(StorageFails()).user("b").then(StorageWorks()).user("c")
    timeline = play(session, script, observing=False, at_rest=True)
    assert [failed.where for failed in timeline.of(Failed)] == ["agent.send()"]
    (session.workspace.folder / "here").write_bytes(b"files can be written again")


def test_at_rest_little_is_read(session: Session) -> None:
    script = Script().user("one").timeout().then(HookReads()).user("two").assistant("three")
    timeline = play(session, script, observing=False, at_rest=True)
    read = [event for event in timeline if getattr(event, "stored", None) is not None]
    assert [type(event).__name__ for event in read] == ["Happened", "HookCalled", "AgentStopped"]
    [restarted] = timeline.of(Happened)
    assert texts(restarted.memory or []) == ["one"]


def test_a_script_gives_messages_to_constructors(session: Session) -> None:
    given = {"role": "user", "content": [{"text": "given"}], "tracking_id": "00000000-0000-4000-8000-000000000001"}
    play(session, Script().given(given).emits(*stream("a", "text", "said")), observing=False)
    assert texts(session.read().messages) == ["given", "said"]
