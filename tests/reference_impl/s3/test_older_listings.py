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
