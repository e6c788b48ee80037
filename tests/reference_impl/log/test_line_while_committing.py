"""What is put in line while a commit is written is committed too, by whoever writes: nobody waits for it in vain."""

from collections import deque
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness.process import within_limit
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file.journal_file import JournalFile
from session_conformance.reference_impl.log.commit_lines import Writer
from session_conformance.reference_impl.log.history import message_added, multi_agent_set
from session_conformance.reference_impl.log.waiting_line import WaitingLine

from tests.reference_impl.agents import open_agent, text_message, texts_of


def test_changes_that_come_during_a_commit_are_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager: Any = FileSessionManager("s", storage_dir=str(tmp_path))
    store = manager._store
    append, coming = JournalFile.append, [multi_agent_set("second", {"number": 2})]
    tickets = []

    def append_while_another_comes(journal: JournalFile, *arguments: Any) -> None:
        if coming:
            tickets.append(store.submit([coming.pop()]))
        append(journal, *arguments)

    monkeypatch.setattr(JournalFile, "append", append_while_another_comes)
    within_limit(lambda: store.commit([multi_agent_set("first", {"number": 1})]), "a commit", limit_s=30)
    within_limit(lambda: store.drain(tickets[0]), "the one that came meanwhile", limit_s=30)
    manager.close()
    assert set(FileSessionManager("s", storage_dir=str(tmp_path))._store.view().multi_agents) == {"first", "second"}


def test_what_is_put_ahead_stays_behind_a_commit_that_was_attempted() -> None:
    """Nobody knows whether that is stored: what it holds, and its id, stay as they are."""
    line = WaitingLine(Writer())
    attempted = line.submit([multi_agent_set("attempted", {})])
    line.take()
    line.attempt()
    waiting = line.submit([multi_agent_set("waiting", {})])
    line.take()
    line.submit_ahead([multi_agent_set("ahead", {})])
    line.stored()
    assert (attempted.done.done(), waiting.done.done()) == (True, False)
    assert [one.changes[0][0]["id"] for one in line.attempt().tickets] == ["ahead", "waiting"]


class Rings(deque[Any]):
    """A deque at whose next append the handler of a signal raises, once what was appended is in it."""

    is_due = True

    def append(self, one: Any) -> None:
        super().append(one)
        if self.is_due:
            self.is_due = False
            raise KeyboardInterrupt


def test_what_a_signal_broke_off_when_it_was_in_line_is_known_to_be_there() -> None:
    line = WaitingLine(Writer())
    assert not line.has_message("agent", "name")
    line._queue = Rings()
    with pytest.raises(KeyboardInterrupt):
        line.submit([message_added("agent", text_message("hello", tracking_id="name"), "2026-01-01")])
    assert line.has_message("agent", "name")


@pytest.mark.parametrize("at", ["create_message", "_stored"])
@pytest.mark.parametrize("goes_on", ["says", "redacts"])
def test_a_message_that_a_signal_kept_out_of_line_is_stored_with_the_next_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, goes_on: str
) -> None:
    """It was taken for stored; and its redaction replaced the message before it, which was acknowledged."""
    agent = open_agent(tmp_path)
    manager: Any = agent._session_manager
    manager.append_message(text_message("one"), agent)
    message = text_message("two")
    agent.messages.append(message)

    def rings(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(manager, at, rings)
        with pytest.raises(KeyboardInterrupt):
            manager.append_message(message, agent)
    if goes_on == "says":
        agent.messages.append(text_message("three"))
        manager.sync_agent(agent)
        assert texts_of(tmp_path) == ["one", "two", "three"]
    else:
        message["content"] = [{"text": "[redacted]"}]
        manager.redact_latest_message(message, agent)
        assert texts_of(tmp_path) == ["one", "[redacted]"]


def test_messages_that_a_signal_kept_out_of_line_are_stored_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(tmp_path)
    manager: Any = agent._session_manager
    agent.messages += [text_message(text) for text in ("one", "two", "three")]
    place, due = manager._changes.place, [KeyboardInterrupt]

    def rings(message: Any, *arguments: Any, **more: Any) -> Any:
        if message["content"] == [{"text": "two"}] and due:
            raise due.pop()
        return place(message, *arguments, **more)

    monkeypatch.setattr(manager._changes, "place", rings)
    with pytest.raises(KeyboardInterrupt):
        manager.sync_agent(agent)
    manager.sync_agent(agent)
    assert texts_of(tmp_path) == ["one", "two", "three"]
