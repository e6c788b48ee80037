"""Where storage fails or refuses a value, nothing else is lost, nothing is doubled, and no redaction is forgotten."""

import asyncio
import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file.journal_file import JournalFile
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message


class Disk:
    """A disk that is full now and then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        for name in ("append", "rewrite"):
            monkeypatch.setattr(JournalFile, name, self._failing(getattr(JournalFile, name)))

    def _failing(self, write: Callable[..., None]) -> Callable[..., None]:
        def attempt(*arguments: Any) -> None:
            if self.full:
                raise SessionException("no room")
            write(*arguments)

        return attempt


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def texts(messages: list[Any]) -> list[str]:
    return [block["text"] for message in messages for block in message["content"]]


def stored(folder: Path) -> list[str]:
    return texts(open_agent(folder).messages)


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def fails_to_add(agent: Any, *messages: Any) -> None:
    with pytest.raises(SessionException):
        asyncio.run(add(agent, *messages))


@pytest.mark.parametrize("value", [{"a": {"b": "\ud800"}}, {"\ud800": 2}])
def test_messages_are_stored_beside_a_state_that_cannot_be(tmp_path: Path, value: Any) -> None:
    agent = open_agent(tmp_path)
    agent.state.set("score", value)
    fails_to_add(agent, text_message("one"))
    fails_to_add(agent, text_message("two"))
    assert stored(tmp_path) == ["one", "two"]
    agent.state.set("score", 3)
    asyncio.run(add(agent, text_message("three")))
    assert stored(tmp_path) == ["one", "two", "three"]
    assert open_agent(tmp_path).state.get("score") == 3


def test_a_message_that_cannot_be_stored_stops_no_other(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent = open_agent(tmp_path, manager=manager)
    fails_to_add(agent, text_message("\ud800"))
    asyncio.run(add(agent, text_message("two")))
    manager.sync_agent(agent)
    assert stored(tmp_path) == ["two"]


def test_a_state_that_is_equal_for_python_alone_is_stored(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent = open_agent(tmp_path, manager=manager)
    for value in (1, True, 1.0, [1], [True]):
        agent.state.set("flag", value)
        manager.sync_agent(agent)
        found = open_agent(tmp_path).state.get("flag")
        assert repr(found) == repr(value)


class Waits(FileSessionManager):
    """Stores a stream's placeholder with what follows it, as on S3."""

    _placeholders_wait = True


@pytest.mark.parametrize("waits", [False, True])
def test_close_says_what_could_not_be_written(tmp_path: Path, disk: Disk, waits: bool) -> None:
    manager = Waits("s", storage_dir=str(tmp_path))
    agent = open_agent(tmp_path, manager=manager)
    disk.full = True
    if waits:
        pending = {"custom": {"bidi": {"kind": "text", "status": "pending"}}}
        asyncio.run(add(agent, text_message("", metadata=pending) | {"content": []}))
    else:
        fails_to_add(agent, text_message("one"))
    with pytest.raises(SessionException, match="no room"):
        manager.close()


def test_a_constructor_that_is_called_again_doubles_nothing(tmp_path: Path, disk: Disk) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    given = [text_message("one"), text_message("two")]
    disk.full = True
    with pytest.raises(SessionException, match="no room"):
        open_agent(tmp_path, manager=manager, messages=list(given))
    disk.full = False
    agent = open_agent(tmp_path, manager=manager, messages=list(given))
    assert texts(agent.messages) == stored(tmp_path) == ["one", "two"]


def test_what_is_redacted_by_another_message_does_not_come_back(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent = open_agent(tmp_path, manager=manager)
    asyncio.run(add(agent, text_message("hello"), text_message("my card is 4111")))
    manager.redact_latest_message({"role": "user", "content": [{"text": "[redacted]"}]}, agent)
    for number in range(2):  # memory has the original still
        agent.state.set("number", number)
        manager.sync_agent(agent)
        assert stored(tmp_path) == ["hello", "[redacted]"]
    assert b"card is 4111" not in bytes_in(tmp_path)


def test_a_redaction_is_about_what_waits_to_be_stored(tmp_path: Path, disk: Disk) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent = open_agent(tmp_path, manager=manager)
    asyncio.run(add(agent, text_message("hello")))
    secret = text_message("my card is 4111")
    disk.full = True
    fails_to_add(agent, secret)
    secret["content"] = [{"text": "[redacted]"}]
    with pytest.raises(SessionException, match="no room"):
        manager.redact_latest_message(secret, agent)
    disk.full = False
    asyncio.run(add(agent, text_message("and on")))
    assert stored(tmp_path) == texts(agent.messages) == ["hello", "[redacted]", "and on"]
    assert b"card is 4111" not in bytes_in(tmp_path)


@pytest.mark.parametrize("next_change", ["a message", "close"])
def test_a_redaction_that_failed_is_made_with_the_next_change(tmp_path: Path, disk: Disk, next_change: str) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent = open_agent(tmp_path, manager=manager)
    asyncio.run(add(agent, secret := text_message("my card is 4111")))
    disk.full = True
    with pytest.raises(SessionException, match="no room"):
        manager.redact_latest_message({**secret, "content": [{"text": "[redacted]"}]}, agent)
    disk.full = False
    if next_change == "close":
        manager.close()
    else:
        asyncio.run(add(agent, text_message("and on")))
    assert stored(tmp_path)[0] == "[redacted]"
    assert b"card is 4111" not in bytes_in(tmp_path)


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_said_to_be_that(
    error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_agent(tmp_path)._session_manager.close()

    def refuses(*_: Any) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "flock", refuses)
    with pytest.raises(SessionException, match="no locks for files: keep sessions on a local disk"):
        open_agent(tmp_path)
