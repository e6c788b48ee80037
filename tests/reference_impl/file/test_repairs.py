"""A repair brings back every message whose bytes are whole, and says which it did not."""

import asyncio
import copy
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness import ScriptedTextModel, Timeline
from session_conformance.harness.models import text_answer
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file import journal_file
from session_conformance.reference_impl.file.journal import new_journal, new_life
from session_conformance.reference_impl.file.scanning import scan
from session_conformance.reference_impl.log import waiting_line
from session_conformance.reference_impl.log.codec import encode
from session_conformance.reference_impl.log.history import agent_set, message_added, message_replaced, session_created
from strands import Agent

from tests.reference_impl.agents import add, open_agent, text_message, texts_of


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "_sync", lambda _: None)


def journal(folder: Path) -> Path:
    return folder / "journal_s" / "journal"


WORDS = [f"message number {number}" for number in range(8)]


def talked(folder: Path) -> bytes:
    """Return a journal in which some commits have several changes."""
    manager = FileSessionManager("s", storage_dir=str(folder))
    agent = open_agent(folder, manager=manager)
    for number, word in enumerate(WORDS):
        if number % 3 == 0:
            agent.state.set("number", number)
        asyncio.run(add(agent, text_message(word)))
    manager.close()
    return journal(folder).read_bytes()


@pytest.mark.parametrize("damage", ["zeroes", "a flipped bit", "other bytes", "cut out", "a sector of zeroes"])
def test_every_message_whose_bytes_are_whole_comes_back(tmp_path: Path, damage: str) -> None:
    whole = talked(tmp_path)
    end = scan(whole).end
    lines = [line for line in whole[:end].split(b"\n") if line]
    for start in range(200, end - 10, 97):
        length = {"a flipped bit": 1, "a sector of zeroes": 512}.get(damage, 40)
        stop = start + length
        if "zero" in damage and stop >= end - 3:
            continue  # zeroes to the end are what a write that was cut short leaves
        stop = min(stop, end)
        data = bytearray(whole)
        if damage == "a flipped bit":
            data[start] ^= 4
        elif damage == "cut out":
            data[start:stop] = b""
        else:
            data[start:stop] = (b"\0" if "zero" in damage else b"?") * (stop - start)
        hit, position = set(), 0
        for line in lines:
            where = range(position, position + len(line) + 1)
            position = where.stop
            for word in WORDS:
                at = line.find(b'{"op":"message"')
                if word.encode() in line and at >= 0:
                    own = range(where.start, where.start + line.find(b'"at":') + 60)  # its line, up to its end
                    if own.start < stop and start < own.stop:
                        hit.add(word)
        for kept in journal(tmp_path).parent.glob("journal.damaged-*"):
            kept.unlink()
        journal(tmp_path).write_bytes(data)
        done = FileSessionManager.repair("s", str(tmp_path))
        found = texts_of(tmp_path)
        assert [word for word in WORDS if word not in hit] == [word for word in found if word not in hit], start
        missing = [word for word in WORDS if word not in found]
        if missing:
            assert done.lost, start
        assert not any(word in str(done.lost) for word in WORDS), "nothing of what was said"
        assert FileSessionManager.verify("s", str(tmp_path)).ok


def test_what_cannot_be_restored_is_mended_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent = open_agent(tmp_path, manager=manager)
    asyncio.run(add(agent, text_message("good")))
    monkeypatch.setattr(waiting_line, "check_change", lambda _: None)
    poison: list[Any] = [
        message_added("default", {"role": "user", "tracking_id": "poison-1"}, "t"),
        agent_set({"agent_id": "default", "state": [], "conversation_manager_state": {}}),
        {"op": "never heard of"},
    ]
    for change in poison:
        manager._store.commit([change]) if change["op"] != "agent" else None
    asyncio.run(add(agent, text_message("good too")))
    manager.close()
    monkeypatch.undo()
    found = FileSessionManager.verify("s", str(tmp_path))
    assert not found.ok
    assert any("poison-1" in problem for problem in found.problems)
    with caplog.at_level("INFO", "session_conformance.reference_impl"):
        done = FileSessionManager.repair("s", str(tmp_path))
    assert any("poison-1" in lost for lost in done.lost)
    assert f"lost=<{len(done.lost)}>" in caplog.text
    assert "good" not in caplog.text  # of the content nothing
    assert texts_of(tmp_path) == ["good", "good too"]
    assert FileSessionManager.verify("s", str(tmp_path)).ok
    assert FileSessionManager.repair("s", str(tmp_path)).lost == ()


def test_a_replacement_finds_its_message_where_others_were_lost(tmp_path: Path) -> None:
    record = {"session_id": "s", "session_type": "AGENT", "created_at": "2026-01-01", "updated_at": "2026-01-01"}
    first, lost, third = (text_message(word, tracking_id=word) for word in ("first", "lost", "third"))
    agent = {"agent_id": "default", "state": {}, "conversation_manager_state": {}}
    changes = [
        session_created(record),
        agent_set(agent),
        *(message_added("default", message, "t") for message in (first, lost, third)),
        message_replaced("default", {**third, "content": [{"text": "third, replaced"}]}, "t", 2),
    ]
    data = bytearray(new_journal([(encode([change]), f"{n:024x}") for n, change in enumerate(changes)], new_life())[0])
    place = data.index(b'"text":"lost"')
    data[place : place + 4] = b"\0\0\0\0"
    journal(tmp_path).parent.mkdir()
    journal(tmp_path).write_bytes(data)
    FileSessionManager.repair("s", str(tmp_path))
    assert texts_of(tmp_path) == ["first", "third, replaced"]


def of_first_edition(data: bytes) -> bytes:
    """Return a journal as version 1 of the format had it."""
    import zlib

    from session_conformance.reference_impl.file.journal import capacity_for, reserve
    from session_conformance.reference_impl.file.scanning import json_array
    from session_conformance.reference_impl.log.commit_lines import bodies_of, commit_line

    content = b'["strands-session-journal 1",\n'
    for number, body in enumerate(bodies_of(json_array(bytearray(data), scan(data)))):
        content += commit_line(number, body, zlib.crc32(content))
    return content + reserve(len(content), capacity_for(len(content)))


def test_a_journal_of_the_first_edition_is_read_as_it_is_and_written_anew_with_the_next_message(tmp_path: Path) -> None:
    old = of_first_edition(talked(tmp_path))
    journal(tmp_path).write_bytes(old)
    first = open_agent(tmp_path)
    assert texts_of(tmp_path) == WORDS
    assert journal(tmp_path).read_bytes() == old
    asyncio.run(add(first, text_message("next")))
    second = open_agent(tmp_path, agent_id="b")
    assert journal(tmp_path).read_bytes().startswith(b'["strands-session-journal 2 ')
    asyncio.run(add(second, text_message("of b")))
    asyncio.run(add(first, text_message("last")))
    assert texts_of(tmp_path) == [*WORDS, "next", "last"]
    assert FileSessionManager.verify("s", str(tmp_path)).ok


@pytest.mark.parametrize("then", ["opened", "gone on with"])
def test_a_copy_whose_addition_is_lost_takes_no_other_ones_place(tmp_path: Path, then: str) -> None:
    """A replacement of one copy is by its id, which another message may have after a repair, or none."""
    agent = Agent(
        model=ScriptedTextModel(Timeline(), answer=lambda _: text_answer("yes")),
        agent_id="default",
        session_manager=FileSessionManager("s", storage_dir=str(tmp_path)),
        callback_handler=None,
    )
    manager: Any = agent._session_manager
    agent("first")
    agent.messages.append({**copy.deepcopy(agent.messages[0]), "content": [{"text": "added"}]})
    manager.sync_agent(agent)
    agent.messages[-1]["content"] = [{"text": "changed"}]
    if then == "opened":
        manager.sync_agent(agent)
    whole = journal(tmp_path).read_bytes()
    line = next(line for line in whole[: scan(whole).end].split(b"\n") if b'"added"' in line)
    journal(tmp_path).write_bytes(whole.replace(line + b"\n", b""))
    FileSessionManager.repair("s", str(tmp_path))
    if then != "opened":
        manager.sync_agent(agent)
    assert sorted(texts_of(tmp_path)) == ["changed", "first", "yes"]
    assert FileSessionManager.verify("s", str(tmp_path)).ok


def test_a_redaction_of_what_a_repair_left_out_replaces_nothing_else(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent = open_agent(tmp_path, manager=manager)
    for word in ("first", "a secret"):
        manager.append_message(text_message(word), agent)
    manager.close()
    data = journal(tmp_path).read_bytes()
    journal(tmp_path).write_bytes(data.replace(b"a secret", b"a_secret"))
    assert FileSessionManager.repair("s", storage_dir=str(tmp_path)).lost
    other = FileSessionManager("s", storage_dir=str(tmp_path))
    beside = open_agent(tmp_path, manager=other)
    for word in ("second", "third"):
        other.append_message(text_message(word), beside)
    manager.redact_latest_message(text_message("redacted"), agent)
    manager.append_message(text_message("last"), agent)
    assert texts_of(tmp_path) == ["first", "second", "third", "last"]
