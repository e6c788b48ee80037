"""The reference S3SessionManager, with each fault at each request of a conversation in turn."""

import functools
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from session_conformance.fixtures import workspace_for
from session_conformance.harness import Backend, Script, Session, Timeline, Workspace, play
from session_conformance.harness.s3 import Fault, S3Endpoint, without_pauses
from session_conformance.harness.timeline import AgentStopped, Failed, essence, is_pending, same
from session_conformance.reference_impl import S3SessionManager


@functools.cache
def boto_session() -> boto3.Session:
    return boto3.Session()


def open_manager(session_id: str, workspace: Workspace) -> S3SessionManager:
    # with a client of its own: one has so many retries for all its requests, and earlier faults would use them up
    return S3SessionManager(session_id, workspace.values["bucket"], boto_session=boto_session())


BACKEND = Backend("reference-s3", open_manager, on_s3=True)
TALK = (
    Script()
    .user("one")
    .calls("weather", city="Paris", returns="Sunny")
    .timeout()
    .restarts_process()
    .user("two")
    .assistant("three")
)
AFTERWARDS = Script().user("everything works again").assistant("it does")


@pytest.fixture
def new_session(tmp_path: Path, pytestconfig: pytest.Config) -> Callable[[], Session]:
    return lambda: Session(BACKEND, workspace_for(BACKEND, tmp_path, pytestconfig))


def requests_of_a_talk(s3: S3Endpoint, session: Session) -> int:
    with s3.seam.recording(session.workspace.values["bucket"]) as record:
        play(session, TALK, observing=False)
    return len(record)


def expect_told_is_stored(session: Session, timeline: Timeline, where: str) -> None:
    """Whatever a hook was told of is stored once, as it was told last."""
    told = {
        call.message["tracking_id"]: call.message
        for call in timeline
        if getattr(call, "position", None) == "early" and call.message is not None and not is_pending(call.message)
    }
    stored = session.read()
    assert stored.error is None, f"{where}: {stored.error}"
    ids = [message["tracking_id"] for message in stored.messages]
    assert len(set(ids)) == len(ids), f"{where}: doubled"
    for id, message in told.items():
        assert id in ids, f"{where}: {message} is lost"
        assert same(essence(stored.messages[ids.index(id)]), essence(message)), where


EACH_DAY = {Fault.ERROR_AFTER, Fault.DAMAGED, Fault.DENIED}  # carried out and not told of, told wrongly, refused


@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, marks=[] if fault in EACH_DAY else [pytest.mark.long]) for fault in Fault],
    ids=lambda fault: fault.name.lower(),
)
def test_a_fault_at_any_request(s3: S3Endpoint, new_session: Callable[[], Session], fault: Fault) -> None:
    requests = requests_of_a_talk(s3, new_session())
    assert requests >= 15
    for number in range(requests):
        session = new_session()
        where = f"request {number} is {fault.value}"
        at = {number}
        with s3.seam.faults(session.workspace.values["bucket"], lambda n, _, at=at: fault if n in at else None):
            with without_pauses():
                timeline = play(session, TALK, observing=False)
        failures = timeline.of(Failed)
        assert fault is Fault.DENIED or not failures, f"{where}: {failures}"
        for failure in failures:
            assert failure.type == "SessionException"
            assert "access denied (AccessDenied): allow s3:" in failure.error
            assert session.workspace.values["bucket"] in failure.error
        expect_told_is_stored(session, timeline, where)
        if not failures:
            assert same(session.read().messages, timeline.of(AgentStopped)[-1].memory), where


@pytest.mark.long
@pytest.mark.parametrize(
    "fault", [Fault.SLOW_DOWN, Fault.RESET_AFTER, Fault.DENIED], ids=lambda fault: fault.name.lower()
)
def test_an_outage_from_any_request_on(s3: S3Endpoint, new_session: Callable[[], Session], fault: Fault) -> None:
    for number in range(requests_of_a_talk(s3, new_session())):
        session = new_session()
        where = f"requests {number} to {number + 11} are {fault.value}"
        at = range(number, number + 12)
        with s3.seam.faults(session.workspace.values["bucket"], lambda n, _, at=at: fault if n in at else None):
            with without_pauses():
                timeline = play(session, TALK, observing=False)
        for failure in timeline.of(Failed):
            assert failure.type == "SessionException", f"{where}: {failure}"
            assert "s3:" in failure.error
            assert session.workspace.values["bucket"] in failure.error
        expect_told_is_stored(session, timeline, where)
        after = play(session, AFTERWARDS, observing=False)
        assert not after.of(Failed), where
        expect_told_is_stored(session, Timeline([*timeline, *after]), where)
        assert same(session.read().messages, after.of(AgentStopped)[-1].memory), where
