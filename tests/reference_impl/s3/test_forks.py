"""The reference S3SessionManager in processes that are forked while it is open, as servers do that load all first."""

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from session_conformance.harness.s3 import S3Endpoint, environment
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.s3 import client as s3_client
from session_conformance.reference_impl.s3.log import S3Log
from session_conformance.reference_impl.s3.place import REST
from session_conformance.reference_impl.s3.rest import Rest
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message
from tests.reference_impl.forks import in_a_child

from .memory_s3 import Bucket, Client, Session

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")


def say(agent: Any, *texts: str) -> None:
    asyncio.run(add(agent, *map(text_message, texts)))


def texts(manager: Any) -> list[str]:
    return [block["text"] for message in open_agent(None, manager=manager).messages for block in message["content"]]  # type: ignore[arg-type]


def agent_on(manager: Any) -> Any:
    return open_agent(None, manager=manager)  # type: ignore[arg-type]


def on_memory(client: Client) -> Any:
    return S3SessionManager("s", "bucket", boto_session=Session(client))  # type: ignore[arg-type]


@pytest.fixture
def held() -> Any:
    """Return what has another thread hold a lock until the test ends."""
    with ExitStack() as threads:

        def hold(lock: Any) -> None:
            taken, over = threading.Event(), threading.Event()

            def work() -> None:
                with lock:
                    taken.set()
                    over.wait()

            thread = threading.Thread(target=work)
            thread.start()
            threads.callback(lambda: (over.set(), thread.join()))
            taken.wait()

        yield hold


def test_children_send_on_connections_of_their_own(s3: S3Endpoint, bucket: str) -> None:
    """Two that sent on one connection took each other's answers for their own, and stored each other's bodies."""
    with environment(s3.environment()):

        def manager() -> S3SessionManager:
            return S3SessionManager("s", bucket, endpoint_url=s3.url)

        kept = manager()
        agent = agent_on(kept)
        say(agent, "of the parent")
        parents = kept._own_client.client

        def speaks() -> None:
            say(agent, "of a child")
            assert kept._own_client.client is not parents
            assert all(log.objects.client is kept._own_client.client for log in kept._logs.values())

        assert in_a_child(speaks)() == 0
        assert kept._own_client.client is parents
        say(agent, "of the parent again")
        assert texts(manager()) == ["of the parent", "of a child", "of the parent again"]


def test_a_client_that_an_application_set_closes_the_connections_that_a_child_has_of_it() -> None:
    client = Client(Bucket())
    closed: list[int] = []
    client.close = lambda: closed.append(os.getpid())  # type: ignore[attr-defined]
    manager = S3SessionManager("s", "bucket", boto_session=Session(Client(client.stored)))  # type: ignore[arg-type]
    manager.client = client
    agent = agent_on(manager)
    say(agent, "one")

    def speaks() -> None:
        say(agent, "two")
        assert closed == [os.getpid()]  # once

    assert in_a_child(speaks)() == 0
    say(agent, "three")
    assert not closed


@pytest.mark.parametrize("lock", [lambda log: log._lock, lambda log: log._folding._lock, lambda _: s3_client._lock])
def test_a_child_waits_for_no_thread_of_its_parents(held: Callable[[Any], None], lock: Callable[[S3Log], Any]) -> None:
    manager = on_memory(Client(Bucket()))
    agent = agent_on(manager)
    say(agent, "one")
    held(lock(manager._logs["s"]))

    def speaks() -> None:
        s3_client.client_for(None, None, "us-east-1", "http://nowhere")
        say(agent, "two")
        assert texts(on_memory(manager.client)) == ["one", "two"]
        manager.close()

    assert in_a_child(speaks)() == 0


def test_a_child_that_stops_says_nothing_of_what_its_parent_wrote() -> None:
    """Its session would not count as in use any more, and be cleaned up under the parent's agent."""
    client = Client(Bucket())
    manager = on_memory(client)
    agent = agent_on(manager)
    say(agent, "one")
    rest = next(key for key in client.stored.objects if key.endswith(REST))
    said = client.stored.objects[rest].data

    def stops() -> None:
        manager.close()
        assert client.stored.objects[rest].data == said

    assert in_a_child(stops)() == 0
    manager.close()
    assert client.stored.objects[rest].data != said


def test_a_child_that_speaks_while_its_session_is_deleted_is_refused() -> None:
    """A deletion leaves word for those alone who may write: this has written nothing, and its parent has stopped."""
    stored = Bucket()
    todo = [lambda: on_memory(Client(stored)).delete_session("s")]

    class Meanwhile(Client):
        def put_object(self, **request: Any) -> Any:
            if request["Key"].endswith("/c/0000000003") and todo:
                todo.pop()()
            return super().put_object(**request)

    manager = on_memory(Meanwhile(stored))
    agent = agent_on(manager)
    say(agent, "one")
    rest = next(key for key in stored.objects if key.endswith(REST))

    def speaks() -> None:
        stored.objects[rest].data = Rest(0, 3).data()  # of the parent, which has stopped meanwhile
        with pytest.raises(SessionException, match="was deleted"):
            say(agent, "two")
        assert not todo

    assert in_a_child(speaks)() == 0
