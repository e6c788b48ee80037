"""The reference S3SessionManager where one session id has several lives: deleted beside those who have it open."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from session_conformance.harness.s3 import S3Endpoint
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.log.change_log import Deleted
from session_conformance.reference_impl.log.commit_lines import bodies_of
from session_conformance.reference_impl.s3 import inspection as s3_inspection
from session_conformance.reference_impl.s3 import life as s3_life
from session_conformance.reference_impl.s3 import session_folders
from session_conformance.reference_impl.s3.deletion import delete
from session_conformance.reference_impl.s3.log import S3Log
from session_conformance.reference_impl.s3.objects import S3Objects
from session_conformance.reference_impl.s3.place import ENDED
from strands.session import S3SessionManager as SdkS3SessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message

from .test_s3_session_manager import Keys, agent_on, commit_key, keys, life_of, log_in, redacted, say, texts_in

__all__ = ["keys"]


@pytest.fixture
def remover(s3: S3Endpoint, bucket: str) -> Callable[[], None]:
    """Return what deletes session ``s`` and makes no session of its own."""
    return lambda: (delete(S3Objects(s3.client, bucket, "s"), "journal_s/", "session_s/", "s"), None)[1]


@pytest.fixture
def unsure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let writers look at each commit whether their session is still there."""
    monkeypatch.setattr(s3_life, "SURE", 0)


def keep_on(agent: Any, *texts: str) -> None:
    asyncio.run(add(agent, *(text_message(text) for text in texts)))


def begin(log: S3Log, *bodies: bytes) -> None:
    log.create(bodies[0])
    for body in bodies[1:]:
        log.append(body)


# -- a manager that outlives its session -----------------------------------------------------------------------


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("length", [0, 1, 5, 20])
def test_who_outlives_a_deletion_is_refused(
    bucket: str, keys: Keys, remover: Callable[[], None], length: int, anew: bool
) -> None:
    stale = agent_on(bucket)
    keep_on(stale, *(f"private {number}" for number in range(length)))
    remover()
    assert set(keys().values()) == {ENDED}
    if anew:
        keep_on(agent_on(bucket), "new one")
    before = keys()
    for _ in range(2):
        with pytest.raises(SessionException, match=r"session 's' at s3://.*/journal_s/ was deleted while it was open"):
            keep_on(stale, "goes on")
    stale.state.set("card", "private")
    for refused in (
        lambda: stale._session_manager.sync_agent(stale),
        lambda: redacted(stale._session_manager, stale),
        lambda: asyncio.run(stale.stop()),
        lambda: stale._session_manager._store.rest(),
        lambda: open_agent(None, manager=stale._session_manager, agent_id="second"),  # type: ignore[arg-type]
    ):
        with pytest.raises(SessionException, match="was deleted while it was open"):
            refused()
    with suppress(SessionException):
        stale._session_manager.close()
    assert keys() == before
    assert texts_in(bucket) == (["new one"] if anew else [])
    assert S3SessionManager.verify("s", bucket).ok


def test_a_deletion_of_what_is_at_rest_leaves_nothing(bucket: str, keys: Keys, remover: Callable[[], None]) -> None:
    for number in range(2):  # one after the other
        agent = agent_on(bucket)
        keep_on(agent, f"private {number}")
        agent._session_manager.close()
    remover()
    assert keys() == {}
    with pytest.raises(SessionException, match="was deleted while it was open"):
        keep_on(agent, "goes on")
    assert not any(b"private" in data for data in keys().values())


def test_who_stops_does_not_speak_for_others(bucket: str, remover: Callable[[], None]) -> None:
    one, two = agent_on(bucket), agent_on(bucket, agent_id="two")
    keep_on(one, "private")
    keep_on(two, "more")
    two._session_manager.close()
    remover()
    with pytest.raises(SessionException, match="was deleted while it was open"):
        keep_on(one, "goes on")


def test_an_end_is_removed_when_nobody_needs_it(bucket: str, keys: Keys, remover: Callable[[], None]) -> None:
    keep_on(agent_on(bucket), "private")
    remover()
    with pytest.raises(SessionException, match="does not exist"):
        remover()
    now = datetime.now(timezone.utc)
    S3SessionManager.clean_up(timedelta(days=1), bucket, now=now + timedelta(minutes=50))
    assert list(keys().values()) == [ENDED]
    S3SessionManager.clean_up(timedelta(days=1), bucket, now=now + timedelta(minutes=70))
    assert keys() == {}


@pytest.mark.parametrize("anew", [False, True])
def test_a_writer_is_told_of_the_deletion_and_leaves_no_copy(
    bucket: str, keys: Keys, remover: Callable[[], None], unsure: None, anew: bool
) -> None:
    stale = agent_on(bucket)
    keep_on(stale, "private one", "private two")
    remover()
    if anew:
        say(bucket, "new")
    for _ in range(2):
        with pytest.raises(SessionException, match="was deleted while it was open"):
            keep_on(stale, "private three")
    assert not [key for key, data in keys().items() if b"private" in data]
    assert texts_in(bucket) == (["new"] if anew else [])


def test_who_has_only_read_leaves_no_copy_beside_what_others_left(
    bucket: str, keys: Keys, remover: Callable[[], None]
) -> None:
    writer = agent_on(bucket)
    keep_on(writer, "private one")
    readers = [agent_on(bucket)]
    keep_on(writer, "private two")
    readers.append(agent_on(bucket))
    keep_on(writer, "private three")
    remover()
    assert list(keys().values()) == [ENDED]
    for reader in (*readers, *readers):  # each meets what the deletion has left, and the second what the first emptied
        with pytest.raises(SessionException, match="was deleted while it was open"):
            keep_on(reader, "private four")
        assert not [key for key, data in keys().items() if b"private" in data]


def test_two_who_have_only_read_leave_no_copies_at_once(
    bucket: str, keys: Keys, remover: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = agent_on(bucket)
    keep_on(writer, "private one")
    first = agent_on(bucket)
    keep_on(writer, "private two")
    second = agent_on(bucket)
    keep_on(writer, "private three")
    remover()
    look, looking = s3_life.Life.look, [first, second]

    def look_when_both_have_written(life: s3_life.Life) -> Any:
        if looking:
            looking.clear()
            with pytest.raises(SessionException, match="was deleted while it was open"):
                keep_on(second, "private four")
        return look(life)

    monkeypatch.setattr(s3_life.Life, "look", look_when_both_have_written)
    with pytest.raises(SessionException, match="was deleted while it was open"):
        keep_on(first, "private five")
    assert not looking
    assert not [key for key, data in keys().items() if b"private" in data]


def test_a_writer_that_only_lost_its_root_keeps_what_it_wrote(s3: S3Endpoint, bucket: str, unsure: None) -> None:
    agent = agent_on(bucket)
    keep_on(agent, "one")
    s3.client.delete_object(Bucket=bucket, Key="journal_s/root")
    with pytest.raises(SessionException, match="was deleted"):
        keep_on(agent, "two")
    S3SessionManager.repair("s", bucket)
    assert texts_in(bucket) == ["one", "two"]


def test_a_young_session_that_only_lost_its_root_keeps_what_was_written(s3: S3Endpoint, bucket: str) -> None:
    agent = agent_on(bucket)
    keep_on(agent, "one", "two")
    s3.client.delete_object(Bucket=bucket, Key="journal_s/root")
    with pytest.raises(SessionException, match="was deleted"):
        redacted(agent._session_manager, agent)
    S3SessionManager.repair("s", bucket)
    assert texts_in(bucket) == ["one", "two"]


def test_a_manager_that_knows_only_its_root_is_told_when_it_gets_an_agent(
    bucket: str, remover: Callable[[], None]
) -> None:
    manager = S3SessionManager("s", bucket)
    remover()
    say(bucket, "new")
    with pytest.raises(SessionException, match="was deleted while it was open"):
        open_agent(None, manager=manager)  # type: ignore[arg-type]
    assert texts_in(bucket) == ["new"]


@pytest.mark.parametrize("clock", ["monotonic", "time"])
def test_a_writer_looks_for_its_root_now_and_then(
    s3: S3Endpoint, bucket: str, monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    """One clock stands still while the machine sleeps, and the other is set back."""
    agent = agent_on(bucket)
    keep_on(agent, "one")
    now, other = getattr(time, clock)(), {"monotonic": "time", "time": "monotonic"}[clock]
    before = getattr(time, other)() - (24 * 3600 if other == "time" else 0)
    monkeypatch.setattr(s3_life.time, other, lambda: before)
    for later, counts in (
        (1, {"PutObject": 1}),
        (301, {"PutObject": 1, "GetObject": 1, "ListObjectsV2": 1}),
        (302, {"PutObject": 1}),
    ):
        monkeypatch.setattr(s3_life.time, clock, lambda at=now + later: at)
        with s3.seam.recording(bucket) as record:
            keep_on(agent, f"after {later} seconds")
        assert record.counts == counts


def test_a_closed_manager_goes_on_in_no_other_session(bucket: str, remover: Callable[[], None]) -> None:
    manager = S3SessionManager("s", bucket)
    stale = open_agent(None, manager=manager)  # type: ignore[arg-type]
    keep_on(stale, "private")
    manager.close()
    keep_on(stale, "opened again")
    assert texts_in(bucket) == ["private", "opened again"]
    manager.close()
    remover()
    say(bucket, "new")
    with pytest.raises(SessionException, match="was deleted while it was open"):
        keep_on(stale, "more of it")
    assert texts_in(bucket) == ["new"]


def test_who_deleted_its_own_session_goes_on_in_no_other(bucket: str) -> None:
    manager = S3SessionManager("s", bucket)
    stale = open_agent(None, manager=manager)  # type: ignore[arg-type]
    keep_on(stale, "private")
    manager.delete_session("s")
    say(bucket, "new")
    with pytest.raises(SessionException, match="was deleted while it was open"):
        keep_on(stale, "more of it")
    assert texts_in(bucket) == ["new"]
    manager.delete_session("s")
    manager.create_session(manager.session)  # a life that it began itself
    keep_on(stale, "a new life")
    assert texts_in(bucket) == ["a new life"]


def test_a_redaction_of_a_deleted_session_writes_nothing(bucket: str, keys: Keys, remover: Callable[[], None]) -> None:
    stale = agent_on(bucket)
    keep_on(stale, "private")
    remover()
    say(bucket, "new")
    before = keys()
    with pytest.raises(SessionException, match="was deleted while it was open"):
        redacted(stale._session_manager, stale)
    assert keys() == before


# -- readers beside a deletion ---------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("left", ["all", "the first", "none"])
def test_a_reader_beside_a_deletion_sees_no_shorter_history(
    s3: S3Endpoint, bucket: str, monkeypatch: pytest.MonkeyPatch, remover: Callable[[], None], left: str, known: bool
) -> None:
    say(bucket, *(f"{number}" for number in range(40)))
    reader = S3SessionManager("s", bucket)
    page = S3Objects.page
    life = life_of(bucket)

    def listed_while_it_is_deleted(self: Any, prefix: str) -> Any:
        monkeypatch.undo()
        found = page(self, prefix) if left == "all" else None
        if left == "the first":
            s3.client.delete_object(Bucket=bucket, Key="journal_s/root")
            for number in range(9, 43):
                s3.client.delete_object(Bucket=bucket, Key=f"journal_s/{life}/c/{number:010d}")
        else:
            remover()
        return found or page(self, prefix)

    def read_while_it_is_deleted() -> list[str]:
        monkeypatch.setattr(S3Objects, "page", listed_while_it_is_deleted)
        return [text["text"] for message in reader.list_messages("s", "default") for text in message.message["content"]]

    if known:
        reader._release("s")
        with pytest.raises(SessionException, match="was deleted while it was open"):
            read_while_it_is_deleted()
    else:
        monkeypatch.setattr(S3Objects, "page", listed_while_it_is_deleted)
        assert texts_in(bucket) == []  # in a session that was begun anew
    assert texts_in(bucket) == []


def test_a_reader_that_was_told_of_an_earlier_life_reads_the_next(
    s3: S3Endpoint, bucket: str, remover: Callable[[], None]
) -> None:
    log = log_in(s3, bucket)
    log.create(b"[0]")
    reader = log_in(s3, bucket)
    assert reader.exists()
    delete(log.objects, log.prefix, "session_s/", "s")
    log_in(s3, bucket).create(b"[1]")
    assert bodies_of(reader.read()) == [b"[1]"]


def test_a_session_that_was_begun_anew_is_not_the_one_that_was_known(s3: S3Endpoint, bucket: str) -> None:
    log = log_in(s3, bucket)
    log.create(b"[0]")
    delete(log.objects, log.prefix, "session_s/", "s")
    log_in(s3, bucket).create(b"[1]")
    with pytest.raises(Deleted):
        S3Log(log.objects, log.prefix, "s", log.life).exists()


def test_a_reader_beside_a_new_beginning_reads_the_new_life(
    s3: S3Endpoint, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = log_in(s3, bucket)
    begin(log, b"[0]", b"[1]")
    page = S3Objects.page

    def listed_before_it_is_begun_anew(self: Any, prefix: str) -> Any:
        monkeypatch.undo()
        found = page(self, prefix)
        delete(log.objects, log.prefix, "session_s/", "s")
        begin(log_in(s3, bucket), b"[2]", b"[3]")
        return found

    monkeypatch.setattr(S3Objects, "page", listed_before_it_is_begun_anew)
    assert bodies_of(log_in(s3, bucket).read()) == [b"[2]", b"[3]"]


def test_who_opens_what_was_to_be_imported_beside_a_new_beginning_is_told(
    bucket: str, monkeypatch: pytest.MonkeyPatch, remover: Callable[[], None]
) -> None:
    open_agent(None, manager=SdkS3SessionManager("s", bucket), messages=[text_message("old")])  # type: ignore[arg-type]
    manager: Any = S3SessionManager("s", bucket)
    read_agent = S3SessionManager.read_agent

    def begun_anew_meanwhile(*given: Any) -> Any:
        monkeypatch.undo()
        found = read_agent(*given)
        remover()
        agent_on(bucket, agent_id="two")
        return found

    monkeypatch.setattr(S3SessionManager, "read_agent", begun_anew_meanwhile)
    with pytest.raises(SessionException, match="was deleted while it was opened"):
        open_agent(None, manager=manager)  # type: ignore[arg-type]


def test_lists_and_clean_ups_beside_a_deletion(
    bucket: str, monkeypatch: pytest.MonkeyPatch, remover: Callable[[], None]
) -> None:
    later = datetime.now(timezone.utc) + timedelta(days=3)

    def beside(name: str, where: Any, call: Callable[[], Any]) -> Any:
        manager = S3SessionManager("s", bucket)
        keep_on(open_agent(None, manager=manager), "one")  # type: ignore[arg-type]
        manager.close()
        original = getattr(where, name)
        with monkeypatch.context() as patched:
            patched.setattr(where, name, lambda *given: (patched.undo(), remover(), original(*given))[2])
            return call()

    for name, where in (
        ("read_root", session_folders),
        ("info", session_folders.SessionFolder),
        ("is_resting", session_folders.SessionFolder),
    ):
        if name != "is_resting":
            found = beside(name, where, lambda: S3SessionManager.list_sessions(bucket))
            assert [info.session_id for info in found] in ([], ["s"])
        assert beside(name, where, lambda: S3SessionManager.clean_up(timedelta(days=1), bucket, now=later)) == []


def test_a_clean_up_leaves_the_session_that_was_started_meanwhile(
    bucket: str, monkeypatch: pytest.MonkeyPatch, remover: Callable[[], None]
) -> None:
    say(bucket, "old")
    original = session_folders.delete_unused

    def late(*given: Any, **more: Any) -> bool:
        remover()
        say(bucket, "new")
        return original(*given, **more)

    monkeypatch.setattr(session_folders, "delete_unused", late)
    later = datetime.now(timezone.utc) + timedelta(days=30)
    assert S3SessionManager.clean_up(timedelta(days=1), bucket, now=later) == []
    assert texts_in(bucket) == ["new"]


# -- what is left over -----------------------------------------------------------------------------------------


def test_a_clean_up_removes_what_is_left_of_deleted_sessions(
    s3: S3Endpoint, bucket: str, keys: Keys, remover: Callable[[], None]
) -> None:
    for anew in (True, False):
        stale = agent_on(bucket)
        keep_on(stale, "private")
        for key in keys():  # whoever empties a bucket by other means leaves no word for writers
            s3.client.delete_object(Bucket=bucket, Key=key)
        keep_on(stale, "goes on")
        if anew:
            say(bucket, "new")
        now = datetime.now(timezone.utc)
        S3SessionManager.clean_up(timedelta(days=1), bucket, now=now + timedelta(minutes=50))
        assert any(b"goes on" in data for data in keys().values())
        S3SessionManager.clean_up(timedelta(days=1), bucket, now=now + timedelta(hours=2 if anew else 25))
        assert not any(b"goes on" in data for data in keys().values())
        if anew:
            assert texts_in(bucket) == ["new"]
            agent_on(bucket)._session_manager.delete_session("s")
        S3SessionManager.clean_up(timedelta(days=1), bucket, now=now + timedelta(hours=2))
    assert keys() == {}


def test_a_deletion_that_was_cut_short_can_be_finished(
    s3: S3Endpoint, bucket: str, keys: Keys, monkeypatch: pytest.MonkeyPatch, remover: Callable[[], None]
) -> None:
    say(bucket, *(f"{number}" for number in range(20)))
    original = S3Objects.delete
    calls: Iterator[int] = iter(range(10))

    def breaks_off(self: S3Objects, given: Any) -> None:
        gone = list(given)
        if next(calls) < 2:  # of the SDK's, none; the root
            original(self, gone)
        else:
            original(self, gone[:1])
            raise SessionException("cut short")

    with monkeypatch.context() as patched:
        patched.setattr(S3Objects, "delete", breaks_off)
        with pytest.raises(SessionException, match="cut short"):
            remover()
    assert len([key for key in keys() if "/c/" in key]) == 21  # all but the first, and the end
    assert S3SessionManager.list_sessions(bucket) == []
    with pytest.raises(SessionException, match="there is no session"):
        S3SessionManager.verify("s", bucket)
    assert texts_in(bucket) == []  # in a life of its own
    remover()
    assert set(keys().values()) == {ENDED}


def test_a_deletion_leaves_the_session_that_was_started_meanwhile(
    bucket: str, keys: Keys, monkeypatch: pytest.MonkeyPatch, remover: Callable[[], None]
) -> None:
    say(bucket, "old")
    original = S3Objects.delete

    def while_another_starts(self: S3Objects, given: Any) -> None:
        gone = list(given)
        original(self, gone)
        if gone == ["journal_s/root"]:
            say(bucket, "new")

    with monkeypatch.context() as patched:
        patched.setattr(S3Objects, "delete", while_another_starts)
        remover()
    assert texts_in(bucket) == ["new"]
    assert not any(b'"old"' in data for data in keys().values())


def test_a_deletion_removes_what_is_written_beside_it(
    bucket: str, keys: Keys, monkeypatch: pytest.MonkeyPatch, remover: Callable[[], None]
) -> None:
    stale = agent_on(bucket)
    keep_on(stale, "old")
    original = S3Objects.delete

    def while_it_goes_on(self: S3Objects, given: Any) -> None:
        gone = list(given)
        original(self, gone)
        if gone == ["journal_s/root"]:
            keep_on(stale, "goes on")

    with monkeypatch.context() as patched:
        patched.setattr(S3Objects, "delete", while_it_goes_on)
        remover()
    assert set(keys().values()) == {ENDED}


def test_an_import_is_whole_or_was_not(bucket: str, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [text_message(str(number)) for number in range(5)]
    open_agent(None, manager=SdkS3SessionManager("s", bucket), messages=messages)  # type: ignore[arg-type]
    original = S3Objects.put_new

    def breaks_off(self: S3Objects, key: str, *given: Any) -> bool:
        if key.endswith("/root"):
            raise SessionException("broke off")
        return original(self, key, *given)

    with monkeypatch.context() as patched:
        patched.setattr(S3Objects, "put_new", breaks_off)
        agent = open_agent(None, manager=S3SessionManager("s", bucket))  # type: ignore[arg-type]
        with pytest.raises(SessionException, match="broke off"):
            agent._session_manager.sync_agent(agent)  # type: ignore[union-attr]
    assert texts_in(bucket) == [str(number) for number in range(5)]


# -- the root --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("data", [None, b"", b"garbage", b"flipped"])
def test_a_root_is_brought_back(s3: S3Endpoint, data: bytes | None, versioned: bool) -> None:
    bucket = s3.new_bucket(versioned=versioned)
    say(bucket, "one", "two")
    if data is None:
        s3.client.delete_object(Bucket=bucket, Key="journal_s/root")
    else:
        if data == b"flipped":
            data = s3.client.get_object(Bucket=bucket, Key="journal_s/root")["Body"].read()
            data = data.replace(life_of(bucket).encode(), b"0" * 32)
        s3.client.put_object(Bucket=bucket, Key="journal_s/root", Body=data)
        with pytest.raises(SessionException, match="journal_s/root is damaged: it is no whole root"):
            S3SessionManager("s", bucket)
    assert not S3SessionManager.verify("s", bucket).ok
    assert S3SessionManager.list_sessions(bucket) == []
    S3SessionManager.clean_up(timedelta(days=1), bucket, now=datetime.now(timezone.utc) + timedelta(hours=5))
    assert S3SessionManager.repair("s", bucket).lost == ()  # the next commits repeat what it holds
    assert texts_in(bucket) == ["one", "two"]
    assert S3SessionManager.verify("s", bucket).ok
    say(bucket, "three")
    assert texts_in(bucket) == ["one", "two", "three"]


def test_a_repair_of_a_root_leaves_a_session_that_was_started_meanwhile(
    s3: S3Endpoint, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(bucket, "one")
    s3.client.delete_object(Bucket=bucket, Key="journal_s/root")
    original = S3Log.mend_root
    monkeypatch.setattr(S3Log, "mend_root", lambda *given: (say(bucket, "new"), original(*given))[1])
    with pytest.raises(SessionException, match="it was started anew"):
        S3SessionManager.repair("s", bucket)
    assert texts_in(bucket) == ["new"]


def test_a_stray_object_is_nobodys(s3: S3Endpoint, bucket: str) -> None:
    manager = S3SessionManager("s", bucket)
    keep_on(open_agent(None, manager=manager), "one")  # type: ignore[arg-type]
    manager.close()
    for key in ("c/readme.txt", f"{life_of(bucket)}/c/readme.txt", f"{life_of(bucket)}/s/readme.txt", "readme.txt"):
        s3.client.put_object(Bucket=bucket, Key=f"journal_s/{key}", Body=b"x")
    assert [info.session_id for info in S3SessionManager.list_sessions(bucket)] == ["s"]
    assert S3SessionManager.verify("s", bucket).ok
    assert texts_in(bucket) == ["one"]
    later = datetime.now(timezone.utc) + timedelta(days=2)
    assert S3SessionManager.clean_up(timedelta(days=1), bucket, now=later) == ["s"]


# -- verifying beside others -----------------------------------------------------------------------------------


def test_a_redaction_beside_a_verification_is_no_damage(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = S3SessionManager("s", bucket)
    agent = open_agent(None, manager=manager)  # type: ignore[arg-type]
    keep_on(agent, "one", "a secret")
    secret = commit_key(bucket, 3)
    original = S3Objects.get

    def beside(self: S3Objects, key: str, *given: Any) -> Any:
        if key == secret:  # the segment was not there yet when the objects were listed
            monkeypatch.undo()
            redacted(manager, agent)
        return original(self, key, *given)

    monkeypatch.setattr(S3Objects, "get", beside)
    found = S3SessionManager.verify("s", bucket)
    assert found.ok, found.problems


def test_a_deletion_beside_a_verification_is_an_error(
    bucket: str, monkeypatch: pytest.MonkeyPatch, remover: Callable[[], None]
) -> None:
    say(bucket, "one")
    original = s3_inspection._read_life

    def beside(*given: Any) -> None:
        remover()
        original(*given)

    monkeypatch.setattr(s3_inspection, "_read_life", beside)
    with pytest.raises(SessionException, match="was deleted while it was read"):
        S3SessionManager.verify("s", bucket)


# -- what a clean-up keeps -------------------------------------------------------------------------------------


def test_a_clean_up_says_what_it_kept_and_why(s3: S3Endpoint, bucket: str, keys: Keys) -> None:
    for session_id in ("in use", "stopped", "damaged", "young"):
        agent = agent_on(bucket, session_id)
        keep_on(agent, "one")
        if session_id != "in use":
            agent._session_manager.close()
    s3.client.put_object(Bucket=bucket, Key="journal_damaged/root", Body=b"garbage")
    later = datetime.now(timezone.utc) + timedelta(days=2)
    found = S3SessionManager.clean_up(timedelta(days=3), bucket, now=later)
    assert (found, found.skipped) == ([], [])
    found = S3SessionManager.clean_up(timedelta(days=1), bucket, now=later)
    assert sorted(found) == ["stopped", "young"]
    told = {one.name: one.reason for one in found.skipped}
    assert told.keys() == {"in use", "journal_damaged"}
    assert "has not stopped" in told["in use"]
    assert "damaged" in told["journal_damaged"]
    found = S3SessionManager.clean_up(timedelta(days=1), bucket, now=later + timedelta(days=8), damaged=True)
    assert sorted(found) == ["in use", "journal_damaged"]
    assert keys() == {}
