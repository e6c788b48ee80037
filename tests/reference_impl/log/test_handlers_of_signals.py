"""The handler of a signal may store something itself, whatever its thread is at: nothing waits for that very thread."""

from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness.process import within_limit
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.file.journal_file import JournalFile
from session_conformance.reference_impl.s3 import client as s3_client
from session_conformance.reference_impl.s3.folding import Known

from tests.reference_impl.agents import open_agent, text_message
from tests.reference_impl.s3.memory_s3 import Bucket, Client, Session


@pytest.mark.parametrize("store", ["file", "s3"])
def test_it_stores_while_a_commit_has_just_been_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    session = Session(Client(Bucket()))
    kind, name = (JournalFile, "append") if store == "file" else (Known, "note")
    write, coming = getattr(kind, name), [text_message("two")]

    def open_session() -> Any:
        if store == "file":
            return open_agent(tmp_path)
        return open_agent(None, manager=S3SessionManager("s", "b", boto_session=session))  # type: ignore[arg-type]

    agent = open_session()

    def say(message: Any) -> None:
        agent.messages.append(message)
        agent._session_manager.append_message(message, agent)

    def write_and_ring(place: Any, *given: Any) -> None:
        write(place, *given)
        if coming:
            say(coming.pop())

    say(text_message("zero"))
    monkeypatch.setattr(kind, name, write_and_ring)
    within_limit(lambda: say(text_message("one")), "a handler that stores something", limit_s=10)
    say(text_message("three"))
    agent._session_manager.close()
    texts = [block["text"] for message in open_session().messages for block in message["content"]]
    assert texts == ["zero", "one", "two", "three"]


def test_it_opens_a_session_while_a_client_is_made() -> None:
    session = Session(Client(Bucket()))

    def within() -> None:
        with s3_client._lock:
            S3SessionManager("s", "b", boto_session=session)

    within_limit(within, "a handler that opens a session", limit_s=10)
