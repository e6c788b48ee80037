"""A redaction stays: what a running agent still holds in memory is not stored again, under whatever id."""

import asyncio
import copy
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness import ScriptedTextModel, Timeline
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file.journal_file import JournalFile
from strands import Agent
from strands.hooks import AfterInvocationEvent
from strands.types.exceptions import SessionException
from strands.types.session import SessionMessage

from tests.reference_impl.agents import add, open_agent, text_message, texts_of, update


def redacted_by_another(folder: Path, id: int, **more: Any) -> None:
    manager = FileSessionManager("s", storage_dir=str(folder))
    stored = manager.read_message("s", "default", id)
    assert stored is not None
    replacement: Any = {"role": "user", "content": [{"text": "[redacted]"}], **more}
    manager.update_message("s", "default", SessionMessage(stored.message, id, replacement))
    manager.close()


def in_bytes(folder: Path, word: bytes) -> bool:
    return any(word in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("replacement", [{}, {"tracking_id": "its own"}, {"tracking_id": "another"}])
@pytest.mark.parametrize("then", ["goes on", "stops", "updates", "says it again", "restarts", "pins"])
def test_what_another_process_redacted_does_not_come_back(
    tmp_path: Path, then: str, replacement: dict[str, str]
) -> None:
    agent = open_agent(tmp_path)
    secret = text_message("my card is 4111")
    asyncio.run(add(agent, text_message("hello"), secret))
    if replacement.get("tracking_id") == "its own":
        replacement = {"tracking_id": secret["tracking_id"]}
    redacted_by_another(tmp_path, 1, **replacement)
    assert not in_bytes(tmp_path, b"card is 4111"), "right after the call"
    expected = ["hello", "[redacted]"]
    if then == "goes on":
        asyncio.run(add(agent, text_message("next")))
        expected.append("next")
    elif then == "updates":
        asyncio.run(update(agent, {**secret}))
    elif then == "pins":
        asyncio.run(update(agent, {**secret, "metadata": {"custom": {"pinned": True}}}))
    elif then == "says it again":
        asyncio.run(add(agent, secret))
        expected.append("[redacted]")
    for number in range(3 if then == "restarts" else 1):
        agent.state.set("number", number)
        agent._session_manager.sync_agent(agent)  # type: ignore[union-attr]
    if then == "stops":
        asyncio.run(agent.hooks.invoke_callbacks_async(AfterInvocationEvent(agent=agent)))  # type: ignore[arg-type]
    agent._session_manager.close()  # type: ignore[union-attr]
    assert texts_of(tmp_path) == expected
    assert not in_bytes(tmp_path, b"card is 4111")


def test_what_is_merged_with_a_redacted_message_is_stored(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    secret = text_message("my card is 4111")
    asyncio.run(add(agent, secret))
    redacted_by_another(tmp_path, 0)
    merged = {**secret, "content": [*secret["content"], {"text": "and another question"}]}
    asyncio.run(update(agent, merged))
    assert texts_of(tmp_path) == ["[redacted]", "and another question"]
    of_memory = {**secret, "content": [{"text": "[redacted]"}, {"text": "a third"}]}
    asyncio.run(update(agent, of_memory))
    assert texts_of(tmp_path) == ["[redacted]", "a third"]
    assert not in_bytes(tmp_path, b"card is 4111")


def of_blocks(*texts: str) -> Any:
    return {**text_message(""), "content": [{"text": text} for text in texts]}


def test_a_message_that_is_redacted_twice_had_as_many_blocks_as_at_first(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    secret = of_blocks("my card", "is 4111", "until May")
    asyncio.run(add(agent, secret))
    redacted_by_another(tmp_path, 0)
    redacted_by_another(tmp_path, 0, content=[{"text": "[redacted again]"}])
    asyncio.run(update(agent, {**secret, "metadata": {"custom": {"pinned": True}}}))
    assert texts_of(tmp_path) == ["[redacted again]"]
    assert not in_bytes(tmp_path, b"4111")


def test_what_follows_a_redaction_that_was_made_once_more_is_stored(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    secret = of_blocks("my card", "is 4111")
    asyncio.run(add(agent, secret))
    redacted_by_another(tmp_path, 0)
    redacted_by_another(tmp_path, 0)
    asyncio.run(update(agent, {**secret, "content": [{"text": "[redacted]"}, {"text": "and a question"}]}))
    assert texts_of(tmp_path) == ["[redacted]", "and a question"]


def test_each_copy_of_a_message_in_the_history_is_redacted(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    secret = text_message("my card is 4111")
    asyncio.run(add(agent, secret, text_message("between"), secret))
    redacted_by_another(tmp_path, 2)
    assert texts_of(tmp_path) == ["[redacted]", "between", "[redacted]"]
    assert not in_bytes(tmp_path, b"card is 4111")


def test_a_message_that_waits_to_be_stored_is_stored_as_it_was_redacted_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from session_conformance.reference_impl.file import journal_file

    agent = open_agent(tmp_path)
    secret = text_message("my card is 4111")
    asyncio.run(add(agent, secret))
    with monkeypatch.context() as patched:
        patched.setattr(journal_file, "_sync", lambda _: (_ for _ in ()).throw(OSError(5, "EIO")))
        with pytest.raises(Exception, match="EIO"):
            asyncio.run(add(agent, secret))
    redacted_by_another(tmp_path, 0)
    asyncio.run(add(agent, text_message("next")))
    assert texts_of(tmp_path) == ["[redacted]", "[redacted]", "next"]
    assert not in_bytes(tmp_path, b"card is 4111")


def test_what_is_replaced_on_purpose_is_replaced(tmp_path: Path) -> None:
    asyncio.run(add(open_agent(tmp_path), text_message("my card is 4111")))
    redacted_by_another(tmp_path, 0)
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    stored = manager.read_message("s", "default", 0)
    assert stored is not None
    stored.message["content"] = [{"text": "removed at the caller's wish"}]
    manager.update_message("s", "default", stored)
    assert texts_of(tmp_path) == ["removed at the caller's wish"]


def is_ahead_of_storage(agent: Any) -> None:
    agent.messages.append(text_message("what nobody was told of"))


@pytest.mark.parametrize("with_id", [True, False], ids=["by its id", "a message of no id"])
@pytest.mark.parametrize(
    "memory",
    [lambda agent: None, lambda agent: agent.messages.clear(), is_ahead_of_storage],
    ids=["as stored", "cleared", "ahead"],
)
def test_what_another_writer_has_stored_meanwhile_is_not_what_is_redacted(
    tmp_path: Path, memory: Callable[[Any], None], with_id: bool
) -> None:
    """Found by the soak: two processes in one session, and one redacts what it said last."""
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    one, other = open_agent(tmp_path, manager=manager), open_agent(tmp_path)
    asyncio.run(add(one, text_message("hello"), text_message("a secret")))
    asyncio.run(add(other, text_message("said by another writer")))
    assert len(manager.list_messages("s", "default")) == 3  # it knows of all, and the agent of its own
    instead = {**one.messages[-1], "content": [{"text": "[redacted]"}]}
    if not with_id:
        del instead["tracking_id"]
    memory(one)
    for text in ("[redacted]", "[redacted once more]"):
        instead["content"] = [{"text": text}]
        manager.redact_latest_message(instead, one)
        found = [message["content"][0]["text"] for message in open_agent(tmp_path).messages]
        assert found == ["hello", text, "said by another writer"]


@pytest.mark.parametrize("left", [[], [{"text": "Hello"}]], ids=["nothing", "the first block"])
def test_what_a_redaction_leaves_of_the_beginning_does_not_let_the_rest_through(tmp_path: Path, left: Any) -> None:
    agent = open_agent(tmp_path)
    secret = {**text_message("Hello"), "content": [{"text": "Hello"}, {"text": "my card is 4111"}]}
    asyncio.run(add(agent, secret))
    redacted_by_another(tmp_path, 0, content=left)
    of_redacted = open_agent(tmp_path)
    asyncio.run(update(agent, {**secret, "metadata": {"custom": {"pinned": True}}}))
    assert texts_of(tmp_path) == [block["text"] for block in left]
    assert not in_bytes(tmp_path, b"card is 4111")
    asyncio.run(update(of_redacted, {**secret, "content": [*left, {"text": "what I say now"}]}))
    assert texts_of(tmp_path)[-1] == "what I say now", "it goes on from what it restored"


def test_what_follows_ones_own_redaction_is_stored_though_that_left_nothing(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("my card is 4111")))
    message: Any = {**agent.messages[0], "content": []}
    agent.messages[0] = message
    agent._session_manager.redact_latest_message(message, agent)  # type: ignore[union-attr]
    asyncio.run(update(agent, {**message, "content": [{"text": "what I say now"}]}))
    assert texts_of(tmp_path) == ["what I say now"]


def test_what_was_merged_is_redacted_with_the_message_that_was_redacted_before(tmp_path: Path) -> None:
    asyncio.run(add(open_agent(tmp_path), text_message("first")))
    redacted_by_another(tmp_path, 0)
    agent = open_agent(tmp_path)
    merged = {**agent.messages[0], "content": [*agent.messages[0]["content"], {"text": "my card is 4111"}]}
    asyncio.run(update(agent, merged))
    redacted_by_another(tmp_path, 0, content=[{"text": "[redacted again]"}])
    asyncio.run(update(agent, {**merged, "metadata": {"custom": {"pinned": True}}}))
    assert texts_of(tmp_path) == ["[redacted again]"]
    assert not in_bytes(tmp_path, b"card is 4111")


@pytest.mark.parametrize("then", ["edits", "removes", "redacts"])
def test_a_message_that_was_given_another_tracking_id_is_still_one_message(tmp_path: Path, then: str) -> None:
    old = open_agent(tmp_path)
    asyncio.run(add(old, text_message("my card is 4111"), text_message("next")))
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    renamed: Any = {"role": "user", "content": [{"text": "my card is 4111"}], "tracking_id": "another"}
    manager.update_message("s", "default", SessionMessage(renamed, 0))
    agent = open_agent(tmp_path, manager=manager)
    if then == "edits":
        asyncio.run(update(agent, {**agent.messages[0], "content": [{"text": "edited"}]}))
        assert texts_of(tmp_path) == ["edited", "next"]
    elif then == "removes":
        del agent.messages[0]
        manager.sync_agent(agent)
        assert texts_of(tmp_path) == ["next"]
    else:
        redacted_by_another(tmp_path, 0)
        asyncio.run(update(old, {**old.messages[0], "metadata": {"custom": {"pinned": True}}}))
        assert texts_of(tmp_path) == ["[redacted]", "next"]
        assert not in_bytes(tmp_path, b"card is 4111")


@pytest.mark.parametrize("in_memory", [True, False], ids=["in memory too", "in storage alone"])
def test_what_memory_adds_to_a_message_after_its_redaction_is_stored(tmp_path: Path, in_memory: bool) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent = Agent(model=ScriptedTextModel(Timeline()), session_manager=manager, agent_id="default")
    agent.messages.append(text_message("my card is 4111"))
    manager.sync_agent(agent)
    instead = {**agent.messages[0], "content": [{"text": "[redacted]"}]}
    if in_memory:
        agent.messages[0] = copy.deepcopy(instead)
    manager.redact_latest_message(instead, agent)
    agent.messages[0] = {**agent.messages[0], "content": [*agent.messages[0]["content"], {"text": "and more"}]}
    manager.sync_agent(agent)
    assert texts_of(tmp_path) == ["[redacted]", "and more"]
    assert not in_bytes(tmp_path, b"card is 4111")


def test_a_redaction_that_fails_knows_what_others_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has read is known from there on: else what is redacted next is another message, of another writer."""
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    one, other = open_agent(tmp_path, manager=manager), open_agent(tmp_path)
    asyncio.run(add(one, text_message("hello"), text_message("a secret")))
    asyncio.run(add(other, text_message("said by another writer")))
    with monkeypatch.context() as patched:
        patched.setattr(JournalFile, "rewrite", lambda *_: (_ for _ in ()).throw(SessionException("full")))
        with pytest.raises(SessionException, match="full"):
            manager.redact_latest_message({"role": "user", "content": [{"text": "[redacted]"}]}, one)
        asyncio.run(add(one, text_message("another secret")))
    manager.redact_latest_message({"role": "user", "content": [{"text": "[redacted too]"}]}, one)
    assert texts_of(tmp_path) == ["hello", "[redacted]", "said by another writer", "[redacted too]"]


def test_a_look_that_fails_leaves_what_others_stored_to_the_next(tmp_path: Path) -> None:
    class Flaky:
        fails = False

        def seal(self, data: bytes, session_id: str) -> bytes:
            return data

        def open(self, data: bytes, session_id: str) -> bytes:
            if self.fails:
                raise OSError("no key server")
            return data

    at_rest = Flaky()
    manager = FileSessionManager("s", storage_dir=str(tmp_path), at_rest=at_rest)
    other = FileSessionManager("s", storage_dir=str(tmp_path), at_rest=at_rest)
    one = open_agent(tmp_path, manager=manager)
    asyncio.run(add(open_agent(tmp_path, manager=other), text_message("said by another writer")))
    at_rest.fails = True
    with pytest.raises(SessionException, match="no key server"):
        manager.list_messages("s", "default")
    at_rest.fails = False
    asyncio.run(add(one, text_message("a secret")))
    manager.redact_latest_message({"role": "user", "content": [{"text": "[redacted]"}]}, one)
    assert [stored.message["content"][0]["text"] for stored in other.list_messages("s", "default")] == [
        "said by another writer",
        "[redacted]",
    ]


def test_the_redaction_of_a_message_that_was_refused_replaces_no_other(tmp_path: Path) -> None:
    """It took the place of the last message that was stored, whosever that was."""
    agent = open_agent(tmp_path)
    manager: Any = agent._session_manager
    one = text_message("one")
    agent.messages.append(one)
    manager.append_message(one, agent)
    refused = text_message("two", unstorable=object())
    agent.messages.append(refused)
    with pytest.raises(SessionException, match="cannot store"):
        manager.append_message(refused, agent)
    redacted = {**text_message("[redacted]"), "tracking_id": refused["tracking_id"]}
    with suppress(SessionException):  # of which nothing is stored that could be redacted
        manager.redact_latest_message(redacted, agent)
    assert texts_of(tmp_path)[:1] == ["one"]
    agent.messages[-1] = redacted
    manager.sync_agent(agent)
    assert texts_of(tmp_path) == ["one", "[redacted]"]
