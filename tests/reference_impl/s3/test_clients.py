"""Clients are shared where nobody can tell: the SDK's managers have one each, made from what is said at that time."""

from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.s3.client import client_for

from .memory_s3 import Bucket, Client, Session


def key_of(client: Any) -> str:
    return str(client._request_signer._credentials.access_key)


@pytest.fixture(params=["in its place", "where the environment says"])
def credentials(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    for name in (*keys, "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".aws" / "credentials"
    if request.param == "where the environment says":
        file = tmp_path / "elsewhere"
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "~/elsewhere")
    file.parent.mkdir(exist_ok=True)
    return file


def test_credentials_that_were_renewed_in_their_file_are_used_by_whoever_comes_next(credentials: Path) -> None:
    """Else a process that lives longer than its credentials is refused until somebody starts it anew."""

    def client(key: str) -> Any:
        credentials.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = x\n")
        return client_for(None, None, "us-east-1", "http://nowhere")

    first = client("FIRST")
    assert client_for(None, None, "us-east-1", "http://nowhere") is first
    assert [key_of(first), key_of(client("RENEWED")), key_of(first)] == ["FIRST", "RENEWED", "FIRST"]


def test_credentials_that_a_session_was_given_are_used_by_whoever_comes_next() -> None:
    own = botocore.session.get_session()
    own.set_credentials("FIRST", "x")
    session = boto3.Session(botocore_session=own, region_name="us-east-1")
    first = client_for(session, None, None, None)
    assert client_for(session, None, None, None) is first
    own.set_credentials("RENEWED", "x")
    renewed = client_for(session, None, None, None)
    assert [key_of(first), key_of(renewed)] == ["FIRST", "RENEWED"]
    assert client_for(session, None, None, None) is renewed


class Clients(Session):
    """A session that makes a client each time, as boto3's do."""

    def client(self, *_: Any, **__: Any) -> Client:
        return Client(self.made.stored)


def test_a_client_that_an_application_takes_hold_of_is_no_other_managers() -> None:
    """It may have handlers of its own then, as those that encrypt with the key of a tenant."""
    session: Any = Clients(Client(Bucket()))
    one, two = (S3SessionManager(id, "b", boto_session=session) for id in "ab")
    before = two._own_client.client
    assert one._own_client.client is before
    mine = one.client
    assert mine is not before
    assert one.client is mine
    assert all(log.objects.client is mine for log in one._logs.values())
    assert two._own_client.client is before
    assert two.client not in (before, mine)


def test_a_client_that_nobody_shares_stays_when_an_application_takes_hold_of_it() -> None:
    session: Any = Clients(Client(Bucket()))
    manager = S3SessionManager("s", "b", boto_session=session, boto_client_config=Config())
    before = manager._own_client.client
    assert manager.client is before
