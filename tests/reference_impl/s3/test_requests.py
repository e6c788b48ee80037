"""How many requests the reference S3SessionManager makes for each thing that it is asked to do."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from session_conformance.reference_impl import S3SessionManager

from tests.reference_impl.agents import add, open_agent, text_message

from .memory_s3 import Bucket, Client, Session

GET, LIST, PUT = "GetObject", "ListObjectsV2", "PutObject"


class Counting:
    """A bucket, and what is asked of it."""

    def __init__(self) -> None:
        self.client = Client(Bucket())

    def manager(self, session_id: str = "s") -> Any:
        return S3SessionManager(session_id, "bucket", boto_session=Session(self.client))  # type: ignore[arg-type]

    def agent(self, manager: Any = None) -> Any:
        return open_agent(None, manager=manager or self.manager())  # type: ignore[arg-type]

    def of(self, do: Callable[[], object]) -> dict[str, int]:
        before = len(self.client.requests)
        do()
        return Counter(operation for operation, _ in self.client.requests[before:])


@pytest.fixture
def bucket() -> Counting:
    """A bucket with a session of three messages, of which nobody is a user."""
    bucket = Counting()
    agent = bucket.agent()
    say(agent, "one", "two", "three")
    agent._session_manager.close()
    return bucket


def say(agent: Any, *texts: str) -> None:
    asyncio.run(add(agent, *map(text_message, texts)))


def test_to_begin_a_session(bucket: Counting) -> None:
    managers: list[Any] = []
    assert bucket.of(lambda: managers.append(bucket.manager("new"))) == {LIST: 2, PUT: 1}
    # Whether others were faster, the agent, and whether the session is still there.
    assert bucket.of(lambda: bucket.agent(managers[0])) == {LIST: 2, GET: 2, PUT: 1}


def test_to_open_a_session(bucket: Counting) -> None:
    managers: list[Any] = []
    # Its objects, the SDK's objects, the root and the newest commit; then what others have written since.
    assert bucket.of(lambda: managers.append(bucket.manager())) == {LIST: 2, GET: 2}
    assert bucket.of(lambda: bucket.agent(managers[0])) == {LIST: 1}


def test_to_open_a_session_that_was_begun_anew(bucket: Counting) -> None:
    bucket.agent()._session_manager.delete_session("s")
    say(bucket.agent(), "one")
    assert bucket.of(bucket.manager) == {LIST: 2, GET: 2}


def test_to_store_messages_and_to_stop(bucket: Counting) -> None:
    agent = bucket.agent()
    assert bucket.of(lambda: say(agent, "four")) == {PUT: 1, GET: 1, LIST: 1}  # the first one looks whether it may
    assert bucket.of(lambda: say(agent, "five")) == {PUT: 1}
    assert bucket.of(lambda: agent._session_manager.sync_agent(agent)) == {}
    assert bucket.of(agent._session_manager.close) == {GET: 2, PUT: 1}


def test_to_stop_as_the_first(bucket: Counting) -> None:
    agent = bucket.agent(bucket.manager("new"))
    assert bucket.of(agent._session_manager.close) == {GET: 1, PUT: 1}


def test_to_read_again(bucket: Counting) -> None:
    manager = bucket.manager()
    manager._release("s")
    assert bucket.of(lambda: manager.list_messages("s", "default")) == {LIST: 1, GET: 2}


@pytest.mark.parametrize("what", ["listed", "cleaned up"])
def test_many_sessions_are_looked_at_at_once(what: str) -> None:
    """One after the other, ten thousand would take minutes of waiting for answers."""
    stored, meeting = Bucket(), threading.Barrier(4)
    for number in range(4):
        S3SessionManager(f"s{number}", "bucket", boto_session=Session(Client(stored))).close()  # type: ignore[arg-type]

    class Meets(Client):
        def get_object(self, **request: Any) -> Any:
            if request["Key"].endswith("root") and not meeting.broken:
                with contextlib.suppress(threading.BrokenBarrierError):
                    meeting.wait(20)
            return super().get_object(**request)

    where: Any = {"bucket": "bucket", "boto_session": Session(Meets(stored))}
    ids = [f"s{number}" for number in range(4)]
    if what == "listed":
        assert sorted(info.session_id for info in S3SessionManager.list_sessions(**where)) == ids
    else:
        assert S3SessionManager.clean_up(timedelta(0), **where, dry_run=True, now=stored.now + timedelta(1)) == ids
    assert not meeting.broken
