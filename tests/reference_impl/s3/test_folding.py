"""Storage follows its content: a history takes the place of its commits as they grow, beside whoever writes."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.s3 import folding
from session_conformance.reference_impl.s3.objects import S3Objects
from session_conformance.reference_impl.s3.place import HEADER
from strands.types.exceptions import SessionException
from strands.types.session import SessionMessage

from tests.reference_impl.agents import add, open_agent, text_message

from .memory_s3 import COMES_LATE, Bucket, Client, Session, refusal


def agent_on(client: Client, **more: Any) -> Any:
    manager = S3SessionManager("s", "bucket", boto_session=Session(client))  # type: ignore[arg-type]
    return open_agent(None, manager=manager, **more)  # type: ignore[arg-type]


def say(agent: Any, *texts: str) -> None:
    asyncio.run(add(agent, *(text_message(text) for text in texts)))


def texts_of(stored: Bucket, **more: Any) -> list[str]:
    return [block["text"] for m in agent_on(Client(stored), **more).messages for block in m["content"]]


def size_of(stored: Bucket) -> int:
    return sum(len(found.data) for found in stored.objects.values())


def update(agent: Any, number: int, size: int = 10_000) -> None:
    agent.state.set("notes", f"{number} ".ljust(size, "x"))
    agent._session_manager.sync_agent(agent)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "LEAST", 10_000)


def test_updates_of_a_state_leave_at_most_four_times_what_is_there() -> None:
    stored = Bucket()
    client = Client(stored)
    agent = agent_on(client)
    say(agent, "kept")
    client.requests.clear()
    for number in range(1500):
        update(agent, number)
        agent._session_manager._store._log._folding.wait()
        assert size_of(stored) <= 1_000_000
    assert len(client.requests) <= 1.12 * 1500, Counter(operation for operation, _ in client.requests)
    restored = agent_on(Client(stored))
    assert restored.state.get("notes").startswith("1499 ")
    assert texts_of(stored) == ["kept"]


def test_a_long_conversation_is_not_stored_many_times(small: None) -> None:
    stored = Bucket()
    agent = agent_on(Client(stored))
    texts = [f"message {number}: {'x' * 300}" for number in range(1200)]
    for start in range(0, 1200, 100):
        say(agent, *texts[start : start + 100])
        agent._session_manager._store._log._folding.wait()
        content = sum(map(len, texts[: start + 100])) + 200 * (start + 100)
        assert size_of(stored) <= 4 * content
    assert texts_of(stored) == texts
    assert S3SessionManager.verify("s", "bucket", boto_session=Session(Client(stored))).ok  # type: ignore[arg-type]


def test_a_writer_that_was_silent_while_others_were_folded_loses_nothing(small: None) -> None:
    stored = Bucket()
    silent = agent_on(Client(stored), agent_id="silent")
    say(silent, "before")
    never = agent_on(Client(stored), agent_id="never wrote")
    busy = agent_on(Client(stored))
    for number in range(100):
        say(busy, f"message {number}: {'x' * 300}")
    busy._session_manager._store._log._folding.wait()
    assert any(key.endswith("-f") for key in stored.objects)
    say(silent, "after")
    say(never, "first")
    say(busy, "last")
    assert texts_of(stored, agent_id="silent") == ["before", "after"]
    assert texts_of(stored, agent_id="never wrote") == ["first"]
    assert texts_of(stored)[-1] == "last"
    assert len(texts_of(stored)) == 101


def test_who_wrote_long_ago_takes_no_number_that_was_freed(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from session_conformance.reference_impl.s3 import life

    stored = Bucket()
    silent = agent_on(Client(stored), agent_id="silent")
    say(silent, "before")
    stored.now += timedelta(hours=2)
    busy = agent_on(Client(stored))
    for number in range(100):
        say(busy, f"message {number}: {'x' * 300}")
    busy._session_manager._store._log._folding.wait()
    numbers = [int(key.rpartition("/")[2]) for key in stored.objects if "/c/" in key]
    assert min(numbers) > 50
    monkeypatch.setattr(life, "SURE", 0)  # as two hours later
    say(silent, "after")
    assert texts_of(stored, agent_id="silent") == ["before", "after"]
    assert len(texts_of(stored)) == 100


def test_a_redaction_beside_a_folding_leaves_no_copy(small: None) -> None:
    stored = Bucket()
    agent = agent_on(Client(stored))
    for number in range(60):
        say(agent, f"message {number}: {'x' * 300}")
        if number % 7 == 3:
            say(agent, f"secret {number}")
            last = agent.messages[-1]
            replacement = {**last, "content": [{"text": "[redacted]"}]}
            agent._session_manager.redact_latest_message(replacement, agent)
            assert not stored.holding(b"secret")
    agent._session_manager._store._log._folding.wait()
    assert not stored.holding(b"secret")
    assert texts_of(stored).count("[redacted]") == 9


def test_a_session_grows_where_nothing_may_be_deleted(small: None) -> None:
    stored = Bucket()
    client = Client(
        stored, fault=lambda n, operation, key: refusal("AccessDenied", 403) if "Delete" in operation else None
    )
    agent = agent_on(client)
    for number in range(100):
        say(agent, f"message {number}: {'x' * 300}")
    agent._session_manager._store._log._folding.wait()
    assert sum("Delete" in operation for operation, _ in client.requests) == 1
    assert len(texts_of(stored)) == 100


@pytest.mark.parametrize("at", range(14))
def test_a_folding_that_fails_anywhere_loses_nothing(small: None, at: int) -> None:
    stored = Bucket()
    began: list[int] = []

    def fails(number: int, operation: str, key: str) -> Any:
        if key.endswith("-f") and operation == "PutObject" and not began:
            began.append(number - 2)
        return "before" if began and began[0] + at <= number < began[0] + at + 3 else None

    agent = agent_on(Client(stored, fault=fails))
    for number in range(60):
        try:
            say(agent, f"message {number}: {'x' * 300}")
        except SessionException:
            continue
        agent._session_manager._store._log._folding.wait()
    say(agent, "last")
    texts = texts_of(stored)
    assert len(texts) == 61
    assert len(set(texts)) == 61


class Turned:
    """Seals by turning bytes round."""

    def seal(self, data: bytes, session_id: str) -> bytes:
        return data[::-1]

    open = seal


def test_what_is_sealed_is_folded_sealed(small: None) -> None:
    stored = Bucket()

    def sealed_agent() -> Any:
        session: Any = Session(Client(stored))
        return open_agent(None, manager=S3SessionManager("s", "bucket", boto_session=session, at_rest=Turned()))  # type: ignore[arg-type]

    agent = sealed_agent()
    for number in range(60):
        say(agent, f"message {number}: {'x' * 300}")
    agent._session_manager.close()
    assert [key for key in stored.objects if key.endswith("-f")]
    assert not stored.holding(b"message 1")
    assert len(sealed_agent().messages) == 60


@pytest.mark.parametrize("folded_first", [False, True], ids=["redacted, then folded", "folded, then redacted"])
@pytest.mark.parametrize("how", COMES_LATE)
def test_a_write_that_comes_late_brings_nothing_back_that_was_redacted(
    small: None, folded_first: bool, how: str
) -> None:
    stored = Bucket()
    due: list[str] = []
    agent = agent_on(Client(stored, fault=lambda _, op, key: due.pop() if due and op == "PutObject" else None))
    say(agent, "before")
    due.append(how)  # S3 carries out the first write of it at the end, though it was sent again meanwhile
    agent.messages.append(text_message("my secret"))
    with suppress(SessionException, KeyboardInterrupt):
        agent._session_manager.append_message(agent.messages[-1], agent)
    agent._session_manager.sync_agent(agent)
    if folded_first:
        fold_up(agent)
        assert_removed(stored, 1, 2, 3)
    redact(agent, 1)
    if not folded_first:
        fold_up(agent)
    stored.deliver()
    assert texts_of(stored)[:2] == ["before", "[redacted]"]
    assert stored.holding(b"my secret") == []


def test_a_late_write_of_what_is_redacted_while_its_object_is_removed(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = Bucket()
    due: list[str] = []
    agent = agent_on(Client(stored, fault=lambda _, op, key: due.pop() if due and op == "PutObject" else None))
    other = agent_on(Client(stored), agent_id="other")
    say(agent, "before")
    due.append("late")
    say(agent, "my secret")
    say(agent, "later")
    delete = S3Objects.delete
    removed: list[str] = []

    def after_a_redaction(self: S3Objects, keys: Iterable[str]) -> None:
        if not removed:
            redact(agent, 1)
        removed.extend(keys)
        delete(self, removed)

    monkeypatch.setattr(S3Objects, "delete", after_a_redaction)
    fold_up(other)
    assert texts_of(stored)[1] == "[redacted]"
    assert any(key.endswith("c/0000000002") for key in removed)
    stored.deliver()
    assert stored.holding(b"my secret") == []


@pytest.mark.parametrize("how", ["late", "refused"])
def test_a_late_write_of_what_is_redacted_under_a_number_that_was_anothers(
    small: None, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    stored = Bucket()
    due: list[str] = []
    agent = agent_on(Client(stored, fault=lambda _, op, key: due.pop() if due and op == "PutObject" else None))
    other = agent_on(Client(stored), agent_id="other")
    say(agent, "before")
    remove = folding.Folding._remove

    def after_a_refusal(self: folding.Folding, *given: Any) -> int:
        if len(agent.messages) == 1:
            due.append(how)
            say(agent, "my secret")  # S3 refuses its second write: so it is stored under another number
        return remove(self, *given)

    monkeypatch.setattr(folding.Folding, "_remove", after_a_refusal)
    for number in range(25):
        if not stored.late:
            say(other, f"message {number}: {'x' * 800}")
            other._session_manager._store._log._folding.wait()
    assert stored.late[0]["Key"] not in stored.objects, "a folding should have removed it"
    redact(agent, 1)
    stored.deliver()
    assert texts_of(stored)[1] == "[redacted]"
    assert stored.holding(b"my secret") == []


def test_a_late_write_that_repeats_what_another_redacts(small: None) -> None:
    stored = Bucket()
    due: list[str] = []
    other = agent_on(
        Client(stored, fault=lambda _, op, key: due.pop() if due and op == "PutObject" else None), agent_id="other"
    )
    agent = agent_on(Client(stored))
    say(other, "first")
    say(agent, "before", "my secret")
    say(other, "reads it")
    due.append("late")
    say(other, "repeats it")
    say(agent, "later")
    assert b"my secret" in stored.late[0]["Body"]
    fold_up(other)
    assert stored.late[0]["Key"] not in stored.objects, "a folding should have removed it"
    redact(agent, 1)
    stored.deliver()
    other._session_manager.close()
    assert texts_of(stored)[1] == "[redacted]"
    assert stored.holding(b"my secret") == []


@pytest.mark.parametrize("ago", [2, 5, 9])
def test_what_a_restored_agent_redacts_is_gone_wherever_a_folding_ended(small: None, ago: int) -> None:
    for count in range(16, 36):
        stored = Bucket()
        agent = agent_on(Client(stored))
        for number in range(count):
            say(agent, f"message {number}: {'x' * 400}")
            agent._session_manager._store._log._folding.wait()
        restored = agent_on(Client(stored))
        redact(restored, count - ago)
        assert texts_of(stored)[count - ago] == "[redacted]"
        assert stored.holding(f"message {count - ago}:".encode()) == [], f"after {count} messages"


def test_what_was_said_before_a_redaction_is_removed_an_hour_later(small: None) -> None:
    stored = Bucket()
    agent = agent_on(Client(stored))
    say(agent, "before", "my secret")
    redact(agent, 1)
    fold_up(agent)
    assert any(key.endswith("c/0000000002") for key in stored.objects)
    stored.now += timedelta(hours=2)
    fold_up(agent)
    fold_up(agent)
    assert_removed(stored, 1, 2, 3)


def redact(agent: Any, index: int) -> None:
    """Redact a message of an agent, in storage and in memory."""
    redacted = {**agent.messages[index], "content": [{"text": "[redacted]"}]}
    agent._session_manager.update_message("s", agent.agent_id, SessionMessage(redacted, index, redacted))
    agent.messages[index] = redacted


def fold_up(agent: Any) -> None:
    """Let an agent say so much that all that was said before is folded."""
    for number in range(25):
        say(agent, f"message {number}: {'x' * 800}")
        agent._session_manager._store._log._folding.wait()


def assert_removed(bucket: Bucket, *numbers: int) -> None:
    """Assert that the objects of commits are gone, or emptied."""
    there = [key for key in bucket.objects if key.endswith(tuple(f"c/{number:010d}" for number in numbers))]
    assert all(bucket.objects[key].data == HEADER for key in there)


def test_what_a_deletion_leaves_for_later_writers_stays_when_a_folding_ends_after_it(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = Bucket()
    slow, busy = (agent_on(Client(stored), agent_id=name) for name in ("slow", "busy"))
    say(slow, "private, and seen last")
    remove = folding.Folding._remove

    def after_a_deletion(self: folding.Folding, *given: Any) -> int:
        S3SessionManager("other", "bucket", boto_session=Session(Client(stored))).delete_session("s")  # type: ignore[arg-type]
        return remove(self, *given)

    monkeypatch.setattr(folding.Folding, "_remove", after_a_deletion)
    with suppress(SessionException):  # it may meet what the deletion leaves, too
        say(busy, *(f"private {number} {'x' * 3000}" for number in range(6)))
    busy._session_manager._store._log._folding.wait()
    assert not any(key.startswith("journal_s/root") for key in stored.objects), "it was deleted"
    with pytest.raises(SessionException, match="was deleted"):
        say(slow, "acknowledged nowhere")
    assert [key for key in stored.holding(b"private") if "/s/" in key] == []
