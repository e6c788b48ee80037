"""The log in S3 with several writers, their requests interleaved in many ways, on objects in memory."""

import threading
import time
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from session_conformance.reference_impl.log.change_log import Behind
from session_conformance.reference_impl.log.commit_lines import bodies_of
from session_conformance.reference_impl.s3 import segments as s3_segments
from session_conformance.reference_impl.s3 import sizes
from session_conformance.reference_impl.s3.deletion import delete
from session_conformance.reference_impl.s3.errors import Deleted
from session_conformance.reference_impl.s3.life import Life
from session_conformance.reference_impl.s3.log import S3Log
from session_conformance.reference_impl.s3.objects import S3Objects
from strands.types.exceptions import SessionException

from .memory_s3 import Bucket, Client, Turns, run


def log_on(stored: Bucket, who: str = "", turns: Turns | None = None) -> S3Log:
    return S3Log(S3Objects(client_of(stored, who, turns), "bucket", "s"), "place/", "s")


def client_of(stored: Bucket, who: str = "", turns: Turns | None = None) -> Client:
    return Client(stored, (lambda: turns.of(who)) if turns is not None else nullcontext)


def append(log: S3Log, body: bytes) -> None:
    """Append as a session store does: it knows by the commit's id whether others have folded it meanwhile."""
    while True:
        try:
            return log.append(body)
        except Behind:
            if log.news() is None and body in bodies_of(log.read()) and body.startswith(b'["new'):
                return None


def redact(log: S3Log, secret: bytes) -> None:
    """Redact as a session store does: here commits are texts, and ``no X`` is a change that takes X out."""
    change = b'["no %b"]' % secret[2:-2]
    while True:
        bodies = bodies_of(log.read())
        touched = [index for index, body in enumerate(bodies) if body == secret]
        taken_out = {body.replace(b"no ", b"") for body in [*bodies, change] if b"no " in body}
        try:
            return log.rewrite([body for body in bodies if body not in taken_out], change, touched)
        except Behind:
            continue


def history_in(stored: Bucket) -> list[bytes]:
    return bodies_of(log_on(stored).read())


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs and segments be so short that a few commits fill them."""
    for name, length in (("RUN", 3), ("SEGMENT", 6), ("MERGE", 2)):
        monkeypatch.setattr(sizes, name, length)


many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def schedules(*actors: str) -> st.SearchStrategy[list[str]]:
    runs = st.tuples(st.sampled_from(actors), st.integers(1, 12))
    return st.lists(runs, max_size=12).map(lambda found: [who for who, count in found for _ in range(count)])


@many
@given(schedules("one", "two", "writer"), st.integers(0, 12), st.integers(0, 13))
def test_redactions_beside_each_other_and_a_writer_leave_no_copy(
    schedule: list[str], before: int, appended: int
) -> None:
    stored = Bucket()
    first = log_on(stored)
    first.create(b"[0]")
    for number in range(before):
        append(first, b"[%d]" % number)
    append(first, b'["one"]')
    append(first, b'["two"]')
    turns = Turns(schedule)
    logs = {who: log_on(stored, who) for who in ("one", "two", "writer")}
    for who, log in logs.items():
        log.read()
        log.objects.client = client_of(stored, who, turns)

    def write() -> None:
        for number in range(appended):
            append(logs["writer"], b'["new %d"]' % number)

    run(
        turns,
        {
            "one": lambda: redact(logs["one"], b'["one"]'),
            "two": lambda: redact(logs["two"], b'["two"]'),
            "writer": write,
        },
    )
    for secret in (b'["one"]', b'["two"]'):
        assert not stored.holding(secret)
    found = history_in(stored)
    assert [body for body in found if body.startswith(b'["new')] == [b'["new %d"]' % n for n in range(appended)]
    append(log_on_read(stored), b'["more"]')
    assert history_in(stored) == [*found, b'["more"]']


def log_on_read(stored: Bucket) -> S3Log:
    log = log_on(stored)
    log.read()
    return log


@many
@given(schedules("old", "remover", "new", "reader"), st.integers(0, 8))
def test_lives_never_mix(schedule: list[str], before: int) -> None:
    stored = Bucket()
    turns = Turns(schedule)
    logs = {who: log_on(stored, who, turns) for who in ("old", "new", "reader")}
    first = log_on(stored)
    first.create(b"[0]")
    for number in range(before):
        append(first, b'["old %d"]' % number)
    logs["old"].objects.client = client_of(stored)
    logs["old"].read()
    logs["old"].objects.client = client_of(stored, "old", turns)
    seen: list[list[bytes]] = []
    deleted, late = threading.Event(), []

    def go_on() -> None:
        with suppress(Deleted):
            for number in range(before, before + 4):
                was_deleted = deleted.is_set()
                append(logs["old"], b'["old %d"]' % number)
                late.extend([number] * was_deleted)

    def begin() -> None:
        while logs["new"].exists() or not logs["new"].create(b"[1]"):
            time.sleep(0.0001)  # lets others at the lock
        for number in range(4):
            append(logs["new"], b'["new %d"]' % number)

    def remove() -> None:
        delete(S3Objects(client_of(stored, "remover", turns), "bucket", "s"), "place/", "sdk/", "s")
        deleted.set()

    def look() -> None:
        for _ in range(3):
            log = log_on(stored, "reader", turns)
            try:
                seen.append(bodies_of(log.read()))
            except SessionException:
                continue

    run(turns, {"old": go_on, "new": begin, "remover": remove, "reader": look})
    for found in [*seen, history_in(stored)]:
        kind = b"old" if found[0] == b"[0]" else b"new"
        assert found[1:] == [b'["%b %d"]' % (kind, number) for number in range(len(found) - 1)]
        assert kind == b"new" or len(found) > before
    assert history_in(stored) == [b"[1]", *(b'["new %d"]' % number for number in range(4))]
    assert not late, "acknowledged in a session that was deleted before"
    assert not stored.holding(b'["old')


def with_a_secret(stored: Bucket, last: int) -> None:
    """Store a session of commits up to the last, of which the second holds a secret."""
    log = log_on(stored)
    log.create(b"[0]")
    for number in range(1, last + 1):
        append(log, b'["secret"]' if number == 2 else b"[%d]" % number)


def expect_no_secret(stored: Bucket, *expected: bytes) -> None:
    assert not stored.holding(b'["secret"]')
    assert [body for body in history_in(stored) if b"no " not in body] == list(expected)


def test_a_segment_that_reaches_beyond_a_redaction_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Bucket()
    with_a_secret(stored, 3)
    writer, redactor = log_on_read(stored), log_on_read(stored)
    put_new = redactor.objects.put_new

    def store_late(key: str, *given: Any) -> bool:
        if key.endswith("-r"):  # the redaction's commit 4 is stored, and its history is not
            append(writer, b"[5]")
            assert any(key.endswith("s/0000000000-0000000005") for key in stored.objects)
        return put_new(key, *given)

    monkeypatch.setattr(redactor.objects, "put_new", store_late)
    redact(redactor, b'["secret"]')
    expect_no_secret(stored, b"[0]", b"[1]", b"[3]", b"[5]")


def test_a_segment_that_is_stored_after_a_redaction_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Bucket()
    with_a_secret(stored, 4)
    writer, redactor = log_on_read(stored), log_on_read(stored)
    put_new = writer.objects.put_new

    def put_late(key: str, *given: Any) -> bool:
        if "/s/" in key:
            redact(redactor, b'["secret"]')
        return put_new(key, *given)

    monkeypatch.setattr(writer.objects, "put_new", put_late)
    append(writer, b"[5]")
    expect_no_secret(stored, b"[0]", b"[1]", b"[3]", b"[4]", b"[5]")


def test_a_segment_of_which_nobody_knows_whether_it_may_stay_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Bucket()
    with_a_secret(stored, 4)
    writer, redactor = log_on_read(stored), log_on_read(stored)
    segments = s3_segments.all_segments
    listings = iter(range(10))

    def fails_once_it_is_stored(life: Life) -> Any:
        if next(listings) == 1:
            raise SessionException("asks to slow down")
        return segments(life)

    monkeypatch.setattr(s3_segments, "all_segments", fails_once_it_is_stored)
    append(writer, b"[5]")
    assert not [key for key in stored.holding(b'["secret"]') if "/s/" in key]
    redact(redactor, b'["secret"]')
    expect_no_secret(stored, b"[0]", b"[1]", b"[3]", b"[4]", b"[5]")


def test_a_redaction_that_broke_off_is_finished_by_another_of_the_same_message() -> None:
    broke_off = 0
    for requests in range(40):
        stored = Bucket()
        with_a_secret(stored, 7)
        redactor = log_on_read(stored)
        redactor.objects.client = Client(stored, fault=lambda n, *_, at=requests: "before" if n >= at else None)
        try:
            redact(redactor, b'["secret"]')
        except SessionException:
            broke_off += 1
        again = log_on_read(stored)
        bodies = bodies_of(again.read())
        touched = [index for index, body in enumerate(bodies) if b"secret" in body]
        kept = [body for body in bodies if b"secret" not in body]
        again.rewrite([*kept, b'["no secret"]'], b'["no secret"]', touched or [0])
        expect_no_secret(stored, *(b"[%d]" % number for number in (0, 1, 3, 4, 5, 6, 7)))
    assert 5 < broke_off < 40
