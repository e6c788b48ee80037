"""Repair of a session in S3: every message whose bytes are whole comes back, and nothing is said to be lost that is."""

import asyncio
from typing import Any

import pytest
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.log.commit_lines import commit_line
from session_conformance.reference_impl.log.history import message_added
from session_conformance.reference_impl.s3 import sizes
from session_conformance.reference_impl.s3.place import HEADER, commit_name
from session_conformance.reference_impl.s3.salvage import Salvage
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message

from .memory_s3 import Bucket, Client, Session, Stored


def manager_on(stored: Bucket) -> S3SessionManager:
    return S3SessionManager("s", "bucket", boto_session=Session(Client(stored)))  # type: ignore[arg-type]


def said(stored: Bucket, *texts: str) -> list[Any]:
    agent = open_agent(None, manager=manager_on(stored))  # type: ignore[arg-type]
    asyncio.run(add(agent, *(text_message(text) for text in texts)))
    return agent.messages


def texts_in(stored: Bucket) -> list[str]:
    agent = open_agent(None, manager=manager_on(stored))  # type: ignore[arg-type]
    return [block["text"] for message in agent.messages for block in message["content"]]


def repaired(stored: Bucket) -> Any:
    return S3SessionManager.repair("s", "bucket", boto_session=Session(Client(stored)))  # type: ignore[arg-type]


def whole(stored: Bucket) -> bool:
    return S3SessionManager.verify("s", "bucket", boto_session=Session(Client(stored))).ok  # type: ignore[arg-type]


def spoil(stored: Bucket, key: str, data: bytes) -> None:
    stored.objects[key] = Stored(data, stored.now)


def commit_keys(stored: Bucket) -> list[str]:
    return sorted(key for key in stored.objects if "/c/" in key)


TEXTS = [f"message {number}" for number in range(6)]


def test_what_another_object_repeats_is_not_lost(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "session_conformance.reference_impl")
    for key_at in range(6):
        stored = Bucket()
        said(stored, *TEXTS)
        key = commit_keys(stored)[key_at]
        spoil(stored, key, b"garbage")
        assert not whole(stored)
        repair = repaired(stored)
        assert repair.lost == (), key
        assert texts_in(stored) == TEXTS
        assert whole(stored)
    assert caplog.text.count("lost=<0>") == 6  # each repair is one line


@pytest.mark.parametrize("damage", [b"", b"garbage in front of it"])
def test_a_damaged_rewritten_history_is_not_taken_where_all_commits_are_there(damage: bytes) -> None:
    """As where it was put, damaged on its way, and its writer was killed before it emptied what it stands for."""
    salvage = Salvage()
    commits = [commit_line(number, b'[{"number":%d}]' % number) for number in range(3)]
    for number, line in enumerate(commits):
        assert salvage.add(commit_name(number), HEADER + line)
    of_the_first = [commits[0], commits[1].replace(b'"number"', b'"nimber"')]
    assert not salvage.add("s/0000000000-0000000001-r", damage + HEADER * (not damage) + b"".join(of_the_first))
    found, lost = salvage.result()
    assert [body for body, _ in found] == [b'[{"number":0}]', b'[{"number":1}]', b'[{"number":2}]']
    assert lost == []


def test_a_whole_commit_behind_a_hole_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for lost_at in range(5):
        stored = Bucket()
        said(stored, *TEXTS)
        last = commit_keys(stored)[-1]
        data = stored.objects[last].data
        for key in commit_keys(stored)[:-1]:
            del stored.objects[key]
        lines = data[len(HEADER) :].split(b"\n")
        at = next(n for n, line in enumerate(lines) if b'"message %d"' % lost_at in line)
        lines[at] = bytes(len(lines[at]))
        hole = (
            HEADER + b"\n".join(lines[:at]) + (b"\n" if at else b"") + lines[at] + b"\0" + b"\n".join(lines[at + 1 :])
        )
        assert len(hole) == len(data)
        spoil(stored, last, hole)
        repair = repaired(stored)
        assert len(repair.lost) == 1
        assert "commit" in repair.lost[0]
        assert texts_in(stored) == [text for text in TEXTS if text != f"message {lost_at}"]


def test_a_damaged_commit_of_several_messages_gives_back_those_that_are_whole() -> None:
    stored = Bucket()
    manager = manager_on(stored)
    open_agent(None, manager=manager)  # type: ignore[arg-type]
    now = "2026-01-01T00:00:00+00:00"
    changes = [message_added("default", text_message(text), now) for text in ("first", "second", "third")]
    manager._store.commit(changes)
    last = commit_keys(stored)[-1]
    spoil(stored, last, stored.objects[last].data.replace(b'"second"', b'"sec\0nd"'))
    repair = repaired(stored)
    assert len(repair.lost) == 1
    assert "tracking id" in repair.lost[0]
    assert changes[1]["message"]["tracking_id"] in repair.lost[0]
    assert "sec" not in repair.lost[0]
    assert texts_in(stored) == ["first", "third"]


def test_two_commits_of_one_number_both_come_back() -> None:
    stored = Bucket()
    said(stored, "one", "two")
    keys = commit_keys(stored)
    other = said(Bucket(), "of another writer")[0]
    body = b'[{"op":"message","agent_id":"default","id":null,"message":%b,"at":"2026-01-01T00:00:00+00:00"}]'
    message = (
        b'{"role":"user","content":[{"text":"of another writer"}],"tracking_id":"%b"}' % other["tracking_id"].encode()
    )
    spoil(stored, keys[-2], HEADER + commit_line(2, body % message))
    assert not whole(stored)
    repaired(stored)
    assert sorted(texts_in(stored)) == ["of another writer", "one", "two"]


def test_a_damaged_rewritten_history_gives_back_what_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "RUN", 1)
    stored = Bucket()
    manager = manager_on(stored)
    agent = open_agent(None, manager=manager)  # type: ignore[arg-type]
    asyncio.run(add(agent, *(text_message(text) for text in TEXTS)))
    manager.redact_latest_message({**agent.messages[-1], "content": [{"text": "[redacted]"}]}, agent)
    asyncio.run(add(agent, text_message("after")))
    [key] = [key for key in stored.objects if key.endswith("-r")]
    for commit in commit_keys(stored)[:3]:
        del stored.objects[commit]
    spoil(stored, key, stored.objects[key].data.replace(b'"message 4"', b'"massage 4"'))
    repair = repaired(stored)
    assert len(repair.lost) == 1
    assert "of the history up to commit" in repair.lost[0]
    assert texts_in(stored) == [*TEXTS[:4], "[redacted]", "after"]
    assert not stored.holding(TEXTS[5].encode())


@pytest.mark.parametrize(
    "change",
    [
        b'{"op":"unknown"}',
        b'{"op":"update","agent_id":"a","message":{"role":"user","content":[]},"at":"2026","id":99}',
        b'{"op":"message","agent_id":"a","message":{"role":"user"},"at":"2026","id":null}',
        b"3",
    ],
)
def test_a_whole_commit_that_no_restore_can_use_is_told_and_left_out(change: bytes) -> None:
    stored = Bucket()
    said(stored, "one")
    manager = manager_on(stored)
    log: Any = manager._store._log
    manager.history()
    with log.writing():
        log.append(b"[" + change + b"]")
    manager.close()
    assert not whole(stored)
    assert len(repaired(stored).lost) == 1
    assert [text for text in texts_in(stored) if text] == ["one"]
    assert whole(stored)
    assert not repaired(stored).lost


@pytest.mark.parametrize("all_lost", [False, True])
def test_a_rewritten_history_that_was_lost_is_damage_and_not_a_rewriting(all_lost: bool) -> None:
    """What it stood for was emptied: whoever opens the session was told to try again, and a repair found it whole."""
    stored = Bucket()
    agent = open_agent(None, manager=manager_on(stored))  # type: ignore[arg-type]
    asyncio.run(add(agent, text_message("a secret")))
    agent._session_manager.redact_latest_message(text_message("redacted"), agent)  # type: ignore[union-attr]
    for key in list(stored.objects):
        if "/s/" in key or (all_lost and "/c/" in key and stored.objects[key].data != HEADER):
            del stored.objects[key]
    with pytest.raises(SessionException, match=r"is damaged.*repair\(\) brings back"):
        manager_on(stored)
    assert not whole(stored)
    assert any(text.startswith("commit ") for text in repaired(stored).lost)
    assert texts_in(stored) == ([] if all_lost else ["redacted"])
    assert whole(stored)
    assert not stored.holding(b"a secret")


def test_a_history_that_was_emptied_tells_of_the_one_that_took_its_place() -> None:
    salvage = Salvage()
    assert salvage.add("s/0000000000-0000000003-r", HEADER)
    assert salvage.result()[1] == [f"commit {number} is missing" for number in range(4)]


def test_a_history_that_is_rewritten_while_it_is_read_is_no_damage() -> None:
    """Each look finds another one: only one that finds the same emptied object twice has found damage."""
    stored = Bucket()
    said(stored, "first")
    writer = open_agent(None, manager=manager_on(stored))  # type: ignore[arg-type]
    asyncio.run(add(writer, text_message("a secret")))
    rewritten = iter(range(4))

    class Reader(Client):
        def get_object(self, **request: Any) -> Any:
            if not request["Key"].endswith("root") and (number := next(rewritten, None)) is not None:
                redacted = text_message(f"redacted {number}")
                writer._session_manager.redact_latest_message(redacted, writer)  # type: ignore[union-attr]
            return super().get_object(**request)

    manager = S3SessionManager("s", "bucket", boto_session=Session(Reader(stored)))  # type: ignore[arg-type]
    agent = open_agent(None, manager=manager)  # type: ignore[arg-type]
    assert next(rewritten, None) is None
    assert [block["text"] for message in agent.messages for block in message["content"]] == ["first", "redacted 3"]
