"""The handler of a signal may store something itself, whatever its thread is at: nothing waits for that very thread."""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness.process import within_limit
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.file import journal_file
from session_conformance.reference_impl.log import session_store, waiting_line
from session_conformance.reference_impl.s3 import client as s3_client
from session_conformance.reference_impl.s3 import folding
from session_conformance.reference_impl.s3 import log as s3_log
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import open_agent, text_message
from tests.reference_impl.log.interrupting import interrupted_at
from tests.reference_impl.s3.memory_s3 import Bucket, Client, Session

COMMITS = {waiting_line, session_store}
LOGS = {"file": COMMITS | {journal_file}, "s3": COMMITS | {s3_log, folding}}


@pytest.mark.parametrize("what", ["append", "sync"])
@pytest.mark.parametrize("store", ["file", "s3"])
def test_it_stores_something_at_any_line_of_a_commit(tmp_path: Path, store: str, what: str) -> None:
    def interrupted_at_line(line: int) -> bool:
        session = Session(Client(Bucket()))

        def open_session() -> Any:
            if store == "file":
                return open_agent(tmp_path / str(line))
            return open_agent(None, manager=S3SessionManager("s", "b", boto_session=session))  # type: ignore[arg-type]

        agent = open_session()
        own, told = agent._session_manager, []

        def say(text: str) -> None:
            message = text_message(text)
            agent.messages.append(message)
            own.append_message(message, agent)

        def handler() -> None:
            try:
                say("from the handler")
            except SessionException as error:
                told.append(str(error))

        def work() -> None:
            if what == "append":
                say("one")
            else:
                agent.state.set("mood", "calm")
                own.sync_agent(agent)

        say("zero")
        rang = interrupted_at(line, LOGS[store], work, handler)
        say("two")
        own.close()
        restored = open_session()
        texts = [block["text"] for message in restored.messages for block in message["content"]]
        expected = ["zero", *["one"] * (what == "append"), *["from the handler"] * rang, "two"]
        assert sorted(texts) == sorted(expected), f"line {line} of those that are run"
        assert texts[0] == "zero"
        assert texts[-1] == "two"
        assert what == "append" or restored.state.get("mood") == "calm"
        assert all("interrupts the same thread" in one for one in told)
        restored._session_manager.close()
        outcomes.update(["told" if told else "stored"] if rang else [])
        return rang

    outcomes: Counter[str] = Counter()
    assert sum(1 for _ in itertools.takewhile(interrupted_at_line, itertools.count(1))) > 40
    assert outcomes["told"] > 30


def test_one_that_redacts_within_a_commit_is_told_and_its_redaction_is_made_next(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    own: Any = agent._session_manager
    messages = [text_message(text) for text in ("a secret", "two", "three")]
    write = own._store._log.append

    def redact() -> None:
        messages[0]["content"] = [{"text": "[redacted]"}]
        with pytest.raises(SessionException, match="interrupts the same thread"):
            own.redact_latest_message(messages[0], agent)

    def write_and_ring(*given: Any) -> None:
        own._store._log.append = write
        redact()
        write(*given)

    for message in messages:
        agent.messages.append(message)
        own.append_message(message, agent)
        if message is messages[0]:
            own._store._log.append = write_and_ring
    own.close()
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_it_opens_a_session_while_a_client_is_made() -> None:
    session = Session(Client(Bucket()))

    def within() -> None:
        with s3_client._lock:
            S3SessionManager("s", "b", boto_session=session)

    within_limit(within, "a handler that opens a session", limit_s=10)
