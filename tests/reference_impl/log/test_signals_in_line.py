"""The handler of a signal raises at any line of the waiting line, while a message is stored that is then redacted."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, S3SessionManager
from session_conformance.reference_impl.log import waiting_line

from tests.reference_impl.agents import open_agent, text_message
from tests.reference_impl.log.interrupting import interrupted_at
from tests.reference_impl.s3.memory_s3 import Bucket, Client, Session


class Rings(BaseException):
    """What the handler raises."""


def ring() -> None:
    raise Rings


def rings_at(number: int, do: Callable[[], object]) -> bool:
    """Do something, in which the handler raises at a line of the waiting line. Return whether there are so many."""
    try:
        return interrupted_at(number, {waiting_line}, do, ring)
    except Rings:
        return True


@pytest.mark.parametrize("store", ["file", "s3"])
def test_a_redaction_leaves_nothing_of_it_and_stores_nothing_twice(tmp_path: Path, store: str) -> None:
    def broken_off_at(line: int) -> bool:
        bucket = Bucket()

        def manager() -> Any:
            if store == "file":
                return FileSessionManager(f"s{line}", storage_dir=str(tmp_path))
            return S3SessionManager("s", "b", boto_session=Session(Client(bucket)))

        agent = open_agent(None, manager=manager())  # type: ignore[arg-type]
        own: Any = agent._session_manager
        one, two, three = map(text_message, ("one", "two", "three"))
        agent.messages.append(one)
        own.append_message(one, agent)
        agent.messages.append(two)
        rang = rings_at(line, lambda: own.append_message(two, agent))
        two["content"] = [{"text": "[redacted]"}]
        own.redact_latest_message(two, agent)
        agent.messages.append(three)
        own.append_message(three, agent)
        own.sync_agent(agent)
        restored = open_agent(None, manager=manager())  # type: ignore[arg-type]
        texts = [block["text"] for message in restored.messages for block in message["content"]]
        assert texts == ["one", "[redacted]", "three"], f"line {line} of those that are run"
        own.close()
        return rang

    assert sum(1 for _ in itertools.takewhile(broken_off_at, itertools.count(1))) > 10
