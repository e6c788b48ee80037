"""A session that was closed is read anew with the next change: what is told or closed while that fails is not lost."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, S3SessionManager
from session_conformance.reference_impl.file.journal_file import JournalFile
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message, update
from tests.reference_impl.s3.memory_s3 import Bucket, Client, Session, refusal


class Place:
    """Where sessions are kept, which can be read or not."""

    def __init__(self, open_manager: Callable[[], Any], stored: Callable[[], bytes]) -> None:
        self.manager, self.stored = open_manager, stored
        self.is_readable = self.is_writable = True

    def texts(self) -> list[str]:
        messages = open_agent(Path(), manager=self.manager(), agent_id="a").messages
        return [block["text"] for message in messages for block in message["content"]]


@pytest.fixture(params=["files", "S3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "files":
        read, append = JournalFile.read, JournalFile.append

        def read_if_possible(self: JournalFile) -> Any:
            if not place.is_readable:
                raise SessionException("cannot read it: Input/output error")
            return read(self)

        def append_if_possible(self: JournalFile, *given: Any) -> None:
            if not place.is_writable:
                raise SessionException("cannot write it: No space left on device")
            append(self, *given)

        monkeypatch.setattr(JournalFile, "read", read_if_possible)
        monkeypatch.setattr(JournalFile, "append", append_if_possible)
        place = Place(
            lambda: FileSessionManager("s", str(tmp_path)),
            lambda: b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()),
        )
        return place
    bucket = Bucket()

    def fault(_: int, operation: str, key: str) -> Exception | None:
        is_possible = place.is_readable and (place.is_writable or operation != "PutObject")
        return None if is_possible else refusal("AccessDenied", 403)

    client = Client(bucket, fault=fault)
    place = Place(
        lambda: S3SessionManager("s", "bucket", boto_session=Session(client)),
        lambda: b"".join(stored.data for stored in bucket.objects.values()),
    )
    return place


def closed(place: Place, *texts: str) -> Any:
    """Return an agent that said something, whose manager was closed, and whose session cannot be read any more."""
    agent = open_agent(Path(), manager=place.manager(), agent_id="a")
    asyncio.run(add(agent, *map(text_message, texts)))
    agent._session_manager.close()
    place.is_readable = False
    return agent


def test_a_message_that_was_told_meanwhile_is_stored_with_the_next_change(place: Place) -> None:
    agent = closed(place, "one")
    with pytest.raises(SessionException):
        asyncio.run(add(agent, text_message("two")))
    place.is_readable = True
    asyncio.run(add(agent, text_message("three")))
    agent._session_manager.sync_agent(agent)
    assert place.texts() == ["one", "two", "three"]


def test_so_is_one_that_replaces_another(place: Place) -> None:
    agent = closed(place, "one", "two")
    with pytest.raises(SessionException):
        asyncio.run(update(agent, {**agent.messages[0], "content": [{"text": "one, at last"}]}))
    place.is_readable = True
    agent._session_manager.sync_agent(agent)
    assert place.texts() == ["one, at last", "two"]


@pytest.mark.parametrize("was_told", ["by this agent", "before it was restored"])
def test_a_redaction_that_was_asked_for_meanwhile_is_made_with_the_next_change(place: Place, was_told: str) -> None:
    agent = closed(place, "one", "secret")
    if was_told != "by this agent":
        place.is_readable = True
        agent = closed(place)
    redacted = {**agent.messages[-1], "content": [{"text": "[redacted]"}]}
    with pytest.raises(SessionException):
        agent._session_manager.redact_latest_message(redacted, agent)
    place.is_readable = True
    agent.messages[-1] = redacted
    asyncio.run(add(agent, text_message("three")))
    assert place.texts() == ["one", "[redacted]", "three"]
    assert b"secret" not in place.stored()


def test_the_redaction_of_a_message_that_could_not_be_stored_replaces_no_other(place: Place) -> None:
    agent = closed(place, "one")
    with pytest.raises(SessionException):
        asyncio.run(add(agent, text_message("secret")))
    agent.messages[-1]["content"] = [{"text": "[redacted]"}]
    with pytest.raises(SessionException):
        agent._session_manager.redact_latest_message(agent.messages[-1], agent)
    place.is_readable = True
    agent._session_manager.sync_agent(agent)
    assert place.texts() == ["one", "[redacted]"]
    assert b"secret" not in place.stored()


@pytest.mark.parametrize("then", ["closed again", "something is said"])
def test_what_could_not_be_written_when_it_was_closed_is_written_later(place: Place, then: str) -> None:
    agent = open_agent(Path(), manager=place.manager(), agent_id="a")
    manager: Any = agent._session_manager
    asyncio.run(add(agent, text_message("one")))
    place.is_writable = False
    with pytest.raises(SessionException):
        asyncio.run(add(agent, text_message("two")))
    with pytest.raises(SessionException):
        manager.close()
    place.is_writable = True
    if then == "closed again":
        manager.close()
    else:
        asyncio.run(add(agent, text_message("three")))
    assert place.texts()[:2] == ["one", "two"]
