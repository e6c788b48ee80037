"""What S3 and botocore answer: sent again where that helps, a SessionException where not, and no wrong history."""

import asyncio
import http.client
import io
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import botocore.exceptions as boto
import pytest
import urllib3.exceptions
from botocore.parsers import ResponseParserError
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.s3 import requests as s3_requests
from session_conformance.reference_impl.s3.objects import S3Objects
from session_conformance.reference_impl.s3.rest import Rest
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message

from .memory_s3 import Bucket, Client, Fault, Session, refusal


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_requests.time, "sleep", lambda seconds: None)


def manager_on(client: Client, **more: Any) -> S3SessionManager:
    return S3SessionManager("s", "bucket", boto_session=Session(client), **more)  # type: ignore[arg-type]


def agent_on(client: Client, **more: Any) -> Any:
    return open_agent(None, manager=manager_on(client, **more))  # type: ignore[arg-type]


def say(agent: Any, *texts: str) -> None:
    asyncio.run(add(agent, *(text_message(text) for text in texts)))


def texts_in(stored: Bucket) -> list[str]:
    return texts_on(Client(stored))


def texts_on(client: Client) -> list[str]:
    return [block["text"] for message in agent_on(client).messages for block in message["content"]]


def not_retried() -> boto.ClientError:
    """Return what botocore raises at once, where its client has used up what it may retry."""
    error = refusal("InternalError", 500)
    error.response["ResponseMetadata"]["RetryQuotaReached"] = True  # type: ignore[typeddict-unknown-key]
    return error


PASSING: list[Callable[[], Exception]] = [
    not_retried,
    lambda: boto.ReadTimeoutError(endpoint_url="x"),
    lambda: boto.ConnectionClosedError(endpoint_url="x"),
    lambda: boto.EndpointConnectionError(endpoint_url="x"),
    lambda: boto.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    lambda: boto.ResponseStreamingError(error="reset"),
    lambda: boto.FlexibleChecksumError(error_msg="checksum mismatch"),
    lambda: ResponseParserError("no XML"),
    lambda: urllib3.exceptions.ProtocolError("broken"),
    lambda: http.client.IncompleteRead(b"x"),
    lambda: ConnectionResetError(104, "reset by peer"),
    lambda: refusal("BadDigest", 400),
    lambda: refusal("NoSuchKdy", 404),
]
LASTING: list[Callable[[], Exception]] = [
    *PASSING,
    lambda: boto.NoCredentialsError(),
    lambda: boto.ParamValidationError(report="x"),
    lambda: refusal("AccessDenied", 403),
    lambda: KeyError("Contents"),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda make: type(make()).__name__)
def test_what_may_pass_is_sent_again(error: Callable[[], Exception]) -> None:
    seen: set[tuple[str, str]] = set()

    def first_time(_: int, operation: str, key: str) -> Fault | None:
        if (operation, key) in seen:
            return None
        seen.add((operation, key))
        return error()

    stored = Bucket()
    agent = agent_on(Client(stored, fault=first_time))
    say(agent, "one", "two")
    assert texts_in(stored) == ["one", "two"]
    seen.clear()
    restored = agent_on(Client(stored, fault=first_time))
    assert len(restored.messages) == 2


@pytest.mark.parametrize("error", LASTING, ids=lambda make: type(make()).__name__)
def test_what_lasts_is_a_session_exception_and_what_was_not_stored_is_stored_later(
    error: Callable[[], Exception],
) -> None:
    stored, failing = Bucket(), False
    agent = agent_on(Client(stored, fault=lambda *_: error() if failing else None))
    say(agent, "one")
    failing = True
    for text in ("two", "three"):
        with pytest.raises(SessionException, match=r"session 's': s3:\w+ failed on s3://bucket/"):
            say(agent, text)
    with pytest.raises(SessionException, match=r"session 's': s3:\w+ failed on s3://bucket/"):
        manager_on(Client(stored, fault=lambda *_: error()))
    failing = False
    say(agent, "four")
    assert texts_in(stored) == ["one", "two", "three", "four"]


class Flips(Client):
    """A client whose ``number``-th answer has one bit flipped somewhere: in bytes, a key, a size, a word or a flag."""

    def __init__(self, stored: Bucket, number: int, seed: int) -> None:
        super().__init__(stored)
        self.number, self.random = number, random.Random(seed)

    def _do(self, *given: Any, **more: Any) -> Any:
        answer = super()._do(*given, **more)
        if len(self.requests) - 1 != self.number or not answer:
            return answer
        if "Body" in answer:
            data = bytearray(answer["Body"].read())
            if data:
                data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
            return {**answer, "Body": io.BytesIO(bytes(data))}
        if not answer.get("Contents"):
            return answer
        contents = [dict(item) for item in answer["Contents"]]
        what = self.random.choice(["key", "size", "truncated", "token", "count"])
        item = self.random.choice([contents[-1], self.random.choice(contents)])
        if what == "key":
            key = bytearray(item["Key"], "ascii")
            key[self.random.randrange(len(key))] ^= 1 << self.random.randrange(7)
            item["Key"] = key.decode()
        elif what == "size":
            digits = bytearray(str(item["Size"]), "ascii")
            digits[self.random.randrange(len(digits))] ^= 1
            with suppress(ValueError):  # else the answer could not be parsed
                item["Size"] = int(digits)
        elif what == "truncated":
            return {**answer, "IsTruncated": not answer["IsTruncated"]}
        elif what == "token":
            return {name: value for name, value in answer.items() if name != "NextContinuationToken"}
        else:
            answer["KeyCount"] ^= 1
        return {**answer, "Contents": contents}


def test_one_flipped_bit_in_an_answer_changes_nothing() -> None:
    stored = Bucket(page=7)
    agent = agent_on(Client(stored))
    expected = [f"message {number}" for number in range(40)]
    say(agent, *expected)
    calm = Client(stored)
    agent_on(calm)
    for number in range(len(calm.requests)):
        for seed in range(40):
            flips = Flips(stored, number, seed)
            messages = agent_on(flips).messages
            found = [block["text"] for message in messages for block in message["content"]]
            assert found == expected, f"answer {number} ({calm.requests[number]}), seed {seed}"


def test_bytes_that_are_not_those_of_their_tag_are_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([b"flipped", b"right", b"other", b"other", b"another"])

    class Tagged:
        def get_object(self, **_: Any) -> Any:
            return {"Body": io.BytesIO(next(answers)), "ETag": '"7c4f29407893c334a6cb7a87bf045c0d"'}

    objects = S3Objects(Tagged(), "bucket", "s")
    assert objects.get("key").data == b"right"
    assert objects.get("key").data == b"other"  # twice the same: the tag is not the bytes' MD5
    assert objects.get("key").data == b"another"


def test_a_listing_that_is_cut_short_without_a_token_is_an_error() -> None:
    stored = Bucket(page=3)
    say(agent_on(Client(stored)), *"abcdef")

    class CutShort(Client):
        def list_objects_v2(self, **request: Any) -> Any:
            answer = super().list_objects_v2(**request)
            return {name: value for name, value in answer.items() if name != "NextContinuationToken"}

    with pytest.raises(SessionException, match=r"s3:ListBucket failed on s3://bucket/journal_s/.*is cut short"):
        manager_on(CutShort(stored))


# -- lost and late answers -------------------------------------------------------------------------------------


def test_a_lost_answer_before_a_redaction_by_another_doubles_nothing() -> None:
    stored, lost = Bucket(), False

    def loses_answers(_: int, operation: str, key: str) -> Fault | None:
        return "after" if lost and operation in ("PutObject", "GetObject") else None

    one = agent_on(Client(stored, fault=loses_answers))
    say(one, "one")
    client = Client(stored)
    two = open_agent(None, manager=manager_on(client), agent_id="two")  # type: ignore[arg-type]
    say(two, "a secret")
    lost = True
    one.messages.append(message := text_message("two"))
    with pytest.raises(SessionException):
        one._session_manager.append_message(message, one)
    lost = False
    last = two.messages[-1]
    two._session_manager.redact_latest_message({**last, "content": [{"text": "[redacted]"}]}, two)
    say(one, "three")
    assert texts_in(stored) == ["one", "two", "three"]
    assert not stored.holding(b"a secret")


# -- stores that are not S3 ------------------------------------------------------------------------------------


def test_a_store_that_ignores_conditions_is_refused_when_a_session_is_begun() -> None:
    stored = Bucket(conditional=False)
    with pytest.raises(SessionException, match=r"'bucket' ignores If-None-Match.*one_writer=True"):
        manager_on(Client(stored))
    assert stored.objects == {}


def test_a_store_that_ignores_conditions_is_refused_before_a_session_is_gone_on_with() -> None:
    stored = Bucket()
    say(agent_on(Client(stored)), "one")
    stored.conditional = False
    agent = agent_on(Client(stored))
    before = dict(stored.objects)
    with pytest.raises(SessionException, match="ignores If-None-Match"):
        say(agent, "two")
    assert {key: value for key, value in stored.objects.items() if not key.endswith("/rest")} == {
        key: value for key, value in before.items() if not key.endswith("/rest")
    }


def test_a_store_that_ignores_conditions_serves_one_writer_if_the_user_says_so() -> None:
    stored = Bucket(conditional=False)
    agent = agent_on(Client(stored), one_writer=True)
    say(agent, "one", "two")
    agent._session_manager.close()
    assert texts_with_one_writer(stored) == ["one", "two"]
    manager_on(Client(stored), one_writer=True).delete_session("s")
    assert stored.objects == {}


def texts_with_one_writer(stored: Bucket) -> list[str]:
    messages = agent_on(Client(stored), one_writer=True).messages
    return [block["text"] for message in messages for block in message["content"]]


def test_a_session_begun_beside_deletions_is_not_taken_for_one_on_such_a_store() -> None:
    stored, deleted = Bucket(), []

    def deletes(_: int, operation: str, key: str) -> None:
        if operation == "PutObject" and key.endswith("/rest") and len(deleted) < 3:
            deleted.append(stored.objects.pop(key, None))

    say(agent_on(Client(stored, fault=deletes)), "one")
    assert texts_in(stored) == ["one"]


@pytest.mark.parametrize("many", [True, False])
def test_a_session_is_deleted_where_objects_can_only_be_deleted_one_by_one(many: bool) -> None:
    stored = Bucket(deletes_many=many)
    agent = agent_on(Client(stored))
    say(agent, *"abc")
    agent._session_manager.close()
    client = Client(stored)
    manager_on(client).delete_session("s")
    assert stored.objects == {}
    asked = [operation for operation, _ in client.requests].count("DeleteObjects")
    assert asked == 1 if not many else asked > 1, "whoever has heard once that it cannot be done does not ask again"


@pytest.mark.parametrize(("code", "status"), [("garbled", 409), ("OperationAborted", 400)])
def test_a_write_that_met_another_is_sent_again_whichever_half_of_the_answer_says_so(code: str, status: int) -> None:
    stored, due = Bucket(), [refusal(code, status)]

    def busy(_: int, operation: str, key: str) -> Any:
        return due.pop() if operation == "PutObject" and "/c/" in key and due else None

    say(agent_on(Client(stored, fault=busy)), "one")
    assert texts_in(stored) == ["one"]


def test_what_goes_while_a_clean_up_looks_at_it_is_no_reason_to_end() -> None:
    class Late(Client):
        def list_objects_v2(self, **request: Any) -> Any:
            answer = super().list_objects_v2(**request)
            if "Delimiter" in request:
                for key in [key for key in self.stored.objects if key.startswith("journal_s/")]:
                    del self.stored.objects[key]
            return answer

    stored = Bucket()
    say(agent_on(Client(stored)), "one")
    done = S3SessionManager.clean_up(timedelta(0), "bucket", boto_session=Session(Late(stored)))  # type: ignore[arg-type]
    assert (list(done), done.skipped) == ([], [])


def test_writers_that_have_stopped_say_nothing_of_one_between_them() -> None:
    """Its session would count as at rest, and a deletion would leave no word for it."""
    for one, other in ((Rest(0, 3), Rest(7, 9)), (Rest(7, 9), Rest(0, 3))):
        said = one.with_own(other)
        assert not said.first <= 5 < said.stop
    assert Rest(0, 3).with_own(Rest(3, 9)) == Rest(0, 9)


def test_a_store_that_says_it_deleted_many_and_did_not_is_told_again() -> None:
    class Pretends(Client):
        def delete_objects(self, **_: Any) -> Any:
            return {}

    stored = Bucket()
    agent = agent_on(Client(stored))
    say(agent, *"abc")
    agent._session_manager.close()
    manager_on(Pretends(stored)).delete_session("s")
    assert stored.objects == {}


# -- clients ---------------------------------------------------------------------------------------------------


def test_a_client_that_takes_anothers_place_is_used_at_once() -> None:
    one, two = Bucket(), Bucket()
    agent = agent_on(Client(one))
    two.objects.update(one.objects)
    agent._session_manager.client = Client(two)
    say(agent, "to the other")
    assert not one.holding(b"to the other")
    assert two.holding(b"to the other")


def test_what_an_expired_token_held_up_is_stored_with_the_next_client() -> None:
    stored = Bucket()
    agent = agent_on(Client(stored))
    say(agent, "one")
    agent._session_manager.client = Client(stored, fault=lambda *_: refusal("ExpiredToken", 400))
    with pytest.raises(SessionException, match="renew them"):
        say(agent, "two")
    agent.messages[-1] = {**agent.messages[-1], "content": [{"text": "[redacted]"}]}
    with pytest.raises(SessionException, match="renew them"):
        agent._session_manager.redact_latest_message(agent.messages[-1], agent)
    agent._session_manager.client = Client(stored)
    say(agent, "three")
    assert texts_in(stored) == ["one", "[redacted]", "three"]
    assert not stored.holding(b"two")


def test_managers_with_the_same_session_share_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3
    from botocore.config import Config

    session = boto3.Session(region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
    from session_conformance.reference_impl.s3.client import client_for

    assert client_for(session, None, None, None) is client_for(session, None, None, None)
    assert client_for(session, Config(), None, None) is not client_for(session, Config(), None, None)
    assert client_for(session, None, None, None) is not client_for(session, None, None, "http://127.0.0.1:1")
    one = client_for(None, None, "eu-west-1", None)
    assert client_for(None, None, "eu-west-1", None) is one
    assert client_for(None, None, "eu-west-2", None) is not one
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"another {time.time()}")
    assert client_for(None, None, "eu-west-1", None) is not one


# -- missing objects -------------------------------------------------------------------------------------------


class DeniesWhatIsMissing(Client):
    """As S3 does where the right to list the bucket has a condition that a read does not meet, such as a prefix."""

    def get_object(self, **request: Any) -> Any:
        try:
            return super().get_object(**request)
        except boto.ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                raise refusal("AccessDenied", 403) from None
            raise


def test_a_session_that_was_deleted_is_missed_where_s3_denies_to_say_so() -> None:
    stored = Bucket()
    say(agent_on(DeniesWhatIsMissing(stored)), "one")
    looked = agent_on(DeniesWhatIsMissing(stored))
    manager_on(DeniesWhatIsMissing(stored)).delete_session("s")
    with pytest.raises(SessionException, match="was deleted while it was open"):
        say(looked, "two")
    assert texts_on(DeniesWhatIsMissing(stored)) == []
    say(agent_on(DeniesWhatIsMissing(stored)), "anew")
    assert texts_on(DeniesWhatIsMissing(stored)) == ["anew"]
    assert not stored.holding(b"two")


def test_a_read_that_is_denied_is_an_error_whatever_a_listing_says() -> None:
    stored = Bucket()
    say(agent_on(Client(stored)), "one")

    def denies(_: int, operation: str, __: str) -> Any:
        return refusal("AccessDenied", 403) if operation == "GetObject" else None

    with pytest.raises(SessionException, match=r"allow s3:GetObject"):
        agent_on(Client(stored, fault=denies))


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("RequestTimeTooSkewed", "the clock of this machine is not that of S3"),
        ("PermanentRedirect", "is in another region"),
        ("TooManyRequests", "asks to slow down"),
    ],
)
def test_an_error_says_what_to_do(code: str, remedy: str) -> None:
    with pytest.raises(SessionException, match=remedy):
        agent_on(Client(Bucket(), fault=lambda *_: refusal(code, 403)))
