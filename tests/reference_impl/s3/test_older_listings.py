"""A server whose listings come late, as those of several sites do: what is not listed yet is not lost."""

from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import S3SessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import open_agent, text_message

from .memory_s3 import Bucket, Client, Session, Stored


class Late(Client):
    """A client that is told what was there at some time, while one is set."""

    then: dict[str, Stored] | None = None

    def list_objects_v2(self, **request: Any) -> Any:
        now = self.stored.objects
        self.stored.objects = now if self.then is None else self.then
        try:
            return super().list_objects_v2(**request)
        finally:
            self.stored.objects = now


def test_a_redaction_of_what_is_not_listed_yet_is_told_and_made_later() -> None:
    bucket = Bucket()
    client = Late(bucket)
    manager = S3SessionManager("s", "b", boto_session=Session(client))
    agent = open_agent(Path(), manager=manager)
    manager.append_message(text_message("first"), agent)
    then = dict(bucket.objects)
    manager.append_message(text_message("a secret"), agent)
    client.then = then
    with pytest.raises(SessionException, match="not in what storage lists now"):
        manager.redact_latest_message(text_message("redacted"), agent)
    client.then = None
    manager.append_message(text_message("another secret"), agent)
    manager.redact_latest_message(text_message("redacted too"), agent)
    again = open_agent(Path(), manager=S3SessionManager("s", "b", boto_session=Session(Client(bucket))))
    assert [block["text"] for m in again.messages for block in m["content"]] == ["first", "redacted", "redacted too"]
    assert not bucket.holding(b"secret")


class Place:
    """A bucket, and agents each with a client of its own."""

    def __init__(self) -> None:
        self.bucket = Bucket()

    def manager(self, then: dict[str, Stored] | None = None) -> S3SessionManager:
        client = Late(self.bucket)
        client.then = then
        return S3SessionManager("s", "b", boto_session=Session(client))  # type: ignore[arg-type]

    def agent(self, *texts: str) -> Any:
        agent = open_agent(Path(), manager=self.manager())
        say(agent, *texts)
        return agent


def say(agent: Any, *texts: str) -> None:
    for text in texts:
        agent._session_manager.append_message(text_message(text), agent)


def listed_late(agent: Any, then: dict[str, Stored]) -> None:
    agent._session_manager._own_client.client.then = then


def test_a_deletion_to_which_nothing_is_listed_yet_removes_the_session() -> None:
    place = Place()
    there = dict(place.bucket.objects)
    agent = place.agent("a secret")
    place.manager(there).delete_session("s")
    assert not place.bucket.holding(b"secret")
    with pytest.raises(SessionException, match="was deleted while it was open"):
        say(agent, "another secret")
    assert place.agent("anew").messages == []
    assert not place.bucket.holding(b"secret")


def test_a_writer_that_is_not_listed_yet_is_told_of_a_deletion() -> None:
    place = Place()
    place.agent("a secret")._session_manager.close()
    there = dict(place.bucket.objects)
    agent = place.agent("another secret")
    deletes = place.manager()
    listed_late(open_agent(Path(), manager=deletes), there)
    deletes.delete_session("s")
    with pytest.raises(SessionException, match="was deleted while it was open"):
        say(agent, "a third secret")
    assert not place.bucket.holding(b"secret")


@pytest.mark.parametrize("is_listed", [True, False], ids=["its own is listed", "nothing since"])
def test_who_is_refused_leaves_nothing_of_what_is_not_listed_yet(is_listed: bool) -> None:
    place = Place()
    place.agent("a secret")._session_manager.close()
    agent = place.agent()
    there = dict(place.bucket.objects)
    place.manager().delete_session("s")
    put = place.bucket.put

    def listed_then(request: dict[str, Any]) -> None:
        put(request)
        if is_listed:
            there[request["Key"]] = place.bucket.objects[request["Key"]]

    place.bucket.put = listed_then  # type: ignore[method-assign]
    listed_late(agent, there)
    with pytest.raises(SessionException, match="was deleted while it was open"):
        say(agent, "another secret")
    assert not place.bucket.holding(b"secret")
