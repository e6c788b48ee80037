"""S3A: storage on S3. What S3 does to any client, now and then, costs no message."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from session_conformance.fixtures import ConformanceSuite, NewSession, NewWorkspace, RecordProperty, endpoint_of_run
from session_conformance.harness import (
    Backend,
    BackendError,
    Capability,
    Level,
    NotApplicable,
    Reading,
    ScenarioRuns,
    Script,
    Session,
    Timeline,
    expect_no_failure,
    expect_same,
    play,
    requirement,
    violated,
)
from session_conformance.harness.process import within_limit
from session_conformance.harness.s3 import Fault, NoVersioning, Request, S3Endpoint, without_pauses
from session_conformance.harness.sdk import SDK_EXCEPTIONS, Message
from session_conformance.harness.timeline import AgentStopped, Failed, one_message, shape, texts

from .scenarios import (
    LATE_UPDATE,
    LOAD,
    MESSAGES_A_CONVERSATION,
    count_requests,
    expect_readable,
    expect_redaction_to_outlive_a_retry,
    listed,
)

S3 = (Capability.S3,)

TALK = (
    Script()
    .user("Good morning")
    .assistant("Good morning to you")
    .calls("weather", city="Paris", returns="Sunny")
    .sets_state("city", "Paris")
    .assistant("It is sunny in Paris")
    .timeout()
    .user("Thank you")
    .restarts_process()
    .user("I am back")
    .assistant("Welcome back")
)

TURNS = 150
"""Turns of the conversation whose requests are counted: messages of a user and of an assistant, 300 in all."""

REQUESTS_A_MESSAGE = 1.1
REQUESTS_A_RESTORE = 30
"""The budget: one request a message, and a tenth for what is done now and then; and what a restore may take."""


class StorageOnS3(ConformanceSuite):
    """S3A: storage on S3."""

    @pytest.fixture
    def s3(self, request: pytest.FixtureRequest) -> S3Endpoint:
        """Return the endpoint of the run."""
        return endpoint_of_run(request.config)

    @requirement("S3A-01", source="F: S3's error responses, and the retries of its clients", needs=S3)
    def transient_faults(self, run: ScenarioRuns, new_session: NewSession, s3: S3Endpoint) -> None:
        """Throttling (503), 500 and dropped connections are retried; the history stays exact."""
        for fault in (Fault.SLOW_DOWN, Fault.INTERNAL_ERROR, Fault.RESET_BEFORE, Fault.TRUNCATED):
            session = new_session()
            with _each_request_fails_once(s3, session, fault):
                timeline = play(session, TALK, observing=False)
                _expect_as_ever(run, session, timeline, f"where each request is first {fault.value}")

    @requirement("S3A-02", source="F: an answer that is lost says nothing of the request", needs=S3)
    def lost_answers(self, run: ScenarioRuns, new_session: NewSession, s3: S3Endpoint) -> None:
        """A write that was applied though its answer was lost leaves one message, not two."""
        for fault in (Fault.RESET_AFTER, Fault.ERROR_AFTER):
            session = new_session()
            with _each_request_fails_once(s3, session, fault):
                timeline = play(session, TALK, observing=False)
                _expect_as_ever(run, session, timeline, f"where each request is first {fault.value}")

    @requirement("S3A-03", source="D: session management, S3SessionManager, 'Required S3 permissions'", needs=S3)
    def least_privilege(self, run: ScenarioRuns, new_session: NewSession, s3: S3Endpoint) -> None:
        """Works with s3:GetObject, s3:PutObject and s3:ListBucket alone."""
        allowed = {"s3:GetObject", "s3:PutObject", "s3:ListBucket"}
        session = new_session()
        with s3.seam.faults(_bucket(session), lambda _, request: None if request.action in allowed else Fault.DENIED):
            timeline = play(session, TALK, observing=False)
            _expect_as_ever(run, session, timeline, f"with {', '.join(sorted(allowed))} alone")

    @requirement("S3A-04", source="D: session management, exceptions", needs=S3)
    def denied_permissions(self, new_session: NewSession, s3: S3Endpoint) -> None:
        """Each permission denied gives an error that names the bucket and the denied action."""
        for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"):
            session = new_session()
            expect_no_failure(play(session, Script().user("before"), observing=False))
            with s3.seam.faults(_bucket(session), _denying(action)), s3.seam.recording(_bucket(session)) as record:
                timeline = play(session, Script().user("while it is denied"), observing=False)
            denied = [exchange for exchange in record.exchanges if exchange.fault is Fault.DENIED]
            failures = timeline.of(Failed)
            if denied and not failures:
                violated(f"where {action} is denied, an error reaches the caller", "none does", timeline)
            operations = {exchange.operation for exchange in denied}
            for failure in failures:
                named = action in failure.error or any(operation in failure.error for operation in operations)
                if not (failure.is_a(*SDK_EXCEPTIONS) and _bucket(session) in failure.error and named):
                    violated(
                        f"an SDK exception names the bucket ({_bucket(session)}) and the denied action ({action})",
                        failure.summary,
                        timeline,
                        failure,
                    )
            _expect_kept(session, ["before"], f"after {action} was denied for a while")

    @requirement("S3A-05", source="D: session management, exceptions", needs=S3)
    def missing_bucket(self, new_session: NewSession, s3: S3Endpoint) -> None:
        """A missing bucket gives a clear error and no partial session."""
        session = new_session()
        bucket = f"{_bucket(session)}-missing"
        values = {**session.workspace.values, "bucket": bucket}
        session = replace(session, workspace=replace(session.workspace, values=values))
        timeline = play(session, Script().user("into nowhere"), observing=False)
        failures = timeline.of(Failed)
        if not failures:
            violated("a missing bucket is an error", "there is none", timeline)
        for failure in failures:
            if not failure.is_a(*SDK_EXCEPTIONS) or bucket not in failure.error:
                violated(f"an SDK exception names the missing bucket ({bucket})", failure.summary, timeline, failure)
        s3.new_bucket(bucket)
        try:
            _expect_kept(session, [], "in the bucket that is there now")
        finally:
            s3.remove_bucket(bucket)

    @requirement("S3A-06", source="F: ListObjectsV2 answers with up to 1,000 keys, and may answer with fewer", needs=S3)
    def long_listings(self, new_session: NewSession, s3: S3Endpoint) -> None:
        """Histories longer than one listing page (1,000 keys, or fewer where S3 gives fewer) restore whole, and are
        deleted whole; of more sessions than one page has, all are listed.
        """
        session = new_session()
        script = Script()
        for number in range(20):
            script = script.user(f"message {number}")
        memory = _memory(play(session, script, observing=False))
        for size in (1, 7):
            with s3.seam.listing_pages_of(_bucket(session), size):
                reading = within_limit(session.read, "restoring")
            expect_readable(reading, f"from listings of {size} keys a page")
            expect_same(memory, reading.messages, f"it is restored whole from listings of {size} keys a page")
        _expect_all_listed(session, s3)
        delete = session.backend.delete
        if delete is None:
            return
        with s3.seam.listing_pages_of(_bucket(session), 7):
            within_limit(lambda: delete(session.session_id, session.workspace), "deleting")
        expect_readable(session.read(), "after it was deleted by listings of 7 keys a page")
        expect_same([], session.read().messages, "it is deleted whole by listings of 7 keys a page")

    @requirement("S3A-07", source="D: session management, S3SessionManager, prefix", needs=S3)
    def prefixes(self, new_session: NewSession) -> None:
        """Prefixes isolate; with and without a trailing slash they mean the same."""
        place = new_session()
        sessions = {prefix: _under(place, prefix) for prefix in ("one", "one/two", "on", "")}
        for prefix, session in sessions.items():
            expect_no_failure(play(session, Script().user(f"I am under {prefix!r}"), observing=False))
            if prefix and not any(key.startswith(prefix) for key in session.workspace.stored()):
                assert isinstance(session.workspace.values, _Asked)
                if "prefix" not in session.workspace.values.asked:
                    raise NotApplicable("it takes no prefix for its keys")
                violated(
                    f"with the prefix {prefix!r} keys begin with it",
                    f"it asks for the prefix, and there is {', '.join(sorted(session.workspace.stored())[:3])}",
                )
        for prefix, session in sessions.items():
            _expect_kept(session, [f"I am under {prefix!r}"], f"under {prefix!r}")
        _expect_kept(_under(place, "one/"), ["I am under 'one'"], "under 'one/', which is 'one'")

    @requirement(
        "S3A-08",
        level=Level.SHOULD,
        source="D: Amazon S3 user guide, versioning: recovering objects from accidental deletion or overwrite",
        needs=[Capability.S3, Capability.REPAIR],
    )
    def versioned_bucket(self, backend: Backend, new_workspace: NewWorkspace, s3: S3Endpoint) -> None:
        """With bucket versioning, an overwritten or deleted object can be brought back."""
        assert backend.repair is not None
        script = Script().user("one").assistant("two").calls("weather", city="Paris", returns="Sunny").user("three")
        number = 0
        while True:
            try:
                workspace = new_workspace(versioned=True)
            except BackendError as error:
                if isinstance(error.__cause__, NoVersioning):
                    raise NotApplicable(str(error.__cause__)) from None
                raise
            session = Session(backend, workspace)
            memory = _memory(play(session, script, observing=False))
            keys = sorted(workspace.stored())
            if number == 2 * len(keys):
                return
            key, what = keys[number // 2], ("overwritten", "deleted")[number % 2]
            if what == "deleted":
                s3.client.delete_object(Bucket=_bucket(session), Key=key)
            else:
                s3.client.put_object(Bucket=_bucket(session), Key=key, Body=b"overwritten")
            try:
                backend.repair(session.session_id, workspace)
            except Exception as error:
                violated(f"a repair brings back {key}, which was {what}", f"it raised {type(error).__name__}: {error}")
            reading = session.read()
            expect_readable(reading, f"after {key} was {what} and the session was repaired")
            expect_same(memory, reading.messages, f"after {key} was {what}, a repair brings everything back")
            number += 1

    @requirement("S3A-09", level=Level.SHOULD, source="F: S3 is paid by the request, and slow by the request", needs=S3)
    def request_budget(self, new_session: NewSession, s3: S3Endpoint, record_property: RecordProperty) -> None:
        """Requests a message, and requests a restore, stay within the stated budget: one request a message, with a
        tenth of one for what is done now and then, and thirty a restore of 300 messages.
        """
        counted = count_requests(s3, new_session(), TURNS)
        usual = count_requests(s3, new_session(), MESSAGES_A_CONVERSATION // 2)
        a_year = f"{usual.usd_a_year:,.0f} USD a year at list prices for the requests of {LOAD}"
        record_property("measured", f"{counted}; {a_year}")
        if counted.a_message > REQUESTS_A_MESSAGE:
            violated(f"at most {REQUESTS_A_MESSAGE} requests a message", f"{counted}")
        if len(counted.restoring) > REQUESTS_A_RESTORE:
            violated(f"at most {REQUESTS_A_RESTORE} requests a restore", f"{counted}")

    @requirement(
        "S3A-10",
        level=Level.SHOULD,
        source="F: a TCP checksum has 16 bits, and proxies and caches have none; D: S3 user guide, checking integrity",
        needs=S3,
        since="2026.12",
    )
    def damaged_answers(self, run: ScenarioRuns, new_session: NewSession, s3: S3Endpoint) -> None:
        """Where an object is damaged on its way to the reader, it is asked for again, and the history stays exact."""
        session = new_session()
        timeline = play(session, TALK, observing=False)
        with _each_request_fails_once(s3, session, Fault.DAMAGED):
            _expect_as_ever(run, session, timeline, f"where each request is first {Fault.DAMAGED.value}")

    @requirement(
        "S3A-11",
        source="F: an answer that is lost says nothing of the request; D: session management, redact_latest_message",
        needs=(Capability.S3, Capability.READ_BESIDE_WRITER),
        since="2026.12",
    )
    def redacted_before_a_retry(self, new_session: NewSession, s3: S3Endpoint) -> None:
        """What another process redacts, between the loss of the answer to a write and its next try, stays redacted."""
        expect_redaction_to_outlive_a_retry(s3, new_session())

    @requirement(
        "S3A-12",
        source="F: S3 counts in seconds, and its clock is nobody's order; D: Amazon S3 user guide, LastModified",
        needs=S3,
        since="2026.12",
    )
    def times_of_objects(self, new_session: NewSession, s3: S3Endpoint) -> None:
        """Messages keep their order whatever S3 says of when their objects were written: all of them within one
        second, or one a minute after the other, where one that was replaced is the latest.
        """
        script = LATE_UPDATE.script
        for number in range(12):
            script = script.user(f"message {number}")
        for apart, how in ((timedelta(), "within one second"), (timedelta(minutes=1), "a minute apart")):
            session = new_session()
            with s3.seam.writes_apart(_bucket(session), apart):
                memory = _memory(play(session, script, observing=False))
                reading = session.read()
            expect_readable(reading, f"from objects that were written {how}")
            ids = [message.get("tracking_id") for message in memory]
            found = [message.get("tracking_id") for message in reading.messages]
            if found != ids:
                violated(
                    f"messages whose objects were written {how} are restored in order: {shape(memory)}",
                    f"{shape(reading.messages)}",
                )


def _expect_all_listed(session: Session, s3: S3Endpoint) -> None:
    others = [replace(session, session_id=f"other-{number}") for number in range(3)]
    for other in others:
        expect_no_failure(play(other, Script().user("hello"), observing=False))
    ids = {session.session_id, *(other.session_id for other in others)}
    for size in (1, 7):
        with s3.seam.listing_pages_of(_bucket(session), size), suppress(NotApplicable):  # it lists none
            found = sorted(one.session_id for one in within_limit(lambda: listed(session), "listing"))
            if found != sorted(ids):
                violated(
                    f"the sessions {', '.join(sorted(ids))} are listed by listings of {size} keys a page",
                    f"listed are {', '.join(found) or 'none'}",
                )


def _bucket(session: Session) -> str:
    return session.workspace.values["bucket"]


def _memory(timeline: Timeline) -> list[Message]:
    expect_no_failure(timeline)
    return timeline.of(AgentStopped)[-1].memory


class _Asked(dict[str, str]):
    """A workspace's values, and which of them were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


def _under(session: Session, prefix: str) -> Session:
    values = _Asked({**session.workspace.values, "prefix": prefix})
    return replace(session, workspace=replace(session.workspace, values=values))


def _denying(action: str) -> Callable[[int, Request], Fault | None]:
    return lambda _, request: Fault.DENIED if request.action == action else None


@contextmanager
def _each_request_fails_once(s3: S3Endpoint, session: Session, fault: Fault) -> Iterator[None]:
    """Let each request for a session's bucket fail the first time that it is sent, and succeed the second time."""
    seen: set[tuple[str, str, bytes]] = set()
    lock = threading.Lock()

    def choose(_: int, request: Request) -> Fault | None:
        with lock:
            sent = (request.method, request.target, request.body)
            if sent in seen:
                seen.remove(sent)
                return None
            seen.add(sent)
            return fault

    with ExitStack() as stack:
        stack.enter_context(without_pauses())
        stack.enter_context(s3.seam.faults(_bucket(session), choose))
        yield


def _stored_when_calm(new_session: Callable[[], Session]) -> Reading:
    """Return what is stored of the talk where nothing fails: whether that is right, other requirements say."""
    session = new_session()
    expect_no_failure(play(session, TALK, observing=False))
    return session.read()


def _expect_as_ever(run: ScenarioRuns, session: Session, timeline: Timeline, where: str) -> None:
    calm = run.once(_stored_when_calm)
    expect_no_failure(timeline)
    reading = within_limit(session.read, "restoring")
    expect_readable(reading, where, timeline)
    expected, found = ([(m["role"], m["content"]) for m in history.messages] for history in (calm, reading))
    if found != expected:
        violated(f"what is stored {where} is {_shown(calm)}, as where nothing fails", _shown(reading), timeline)


def _shown(reading: Reading) -> str:
    return ", ".join(one_message(message) for message in reading.messages) or "nothing"


def _expect_kept(session: Session, said: list[str], where: str) -> None:
    reading = session.read()
    expect_readable(reading, where)
    found = texts(reading.messages)
    if found[: len(said)] != said or (not said and found):
        violated(f"{where} there is {said}", f"there is {found}")


__all__ = ["StorageOnS3"]
