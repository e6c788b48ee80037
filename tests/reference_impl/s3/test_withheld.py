"""Sessions that S3 has and does not give: archived by a lifecycle, under a key that was disabled, or denied."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from session_conformance.reference_impl import S3SessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message

from .memory_s3 import Bucket, Client, Session, refusal

LONG = timedelta(days=30)

Open = Callable[[str], Any]


@pytest.fixture(
    params=[
        ("InvalidObjectState", 403, "archived"),
        ("KMS.DisabledException", 400, "key"),
        ("AccessDenied", 403, "allow"),
    ]
)
def withheld(request: pytest.FixtureRequest) -> tuple[Client, str]:
    """Return a client that is not given session ``old``, beside which there is ``new``, and a word of the reason."""
    code, status, why = request.param
    stored = Bucket()

    def refuses(_: int, operation: str, key: str) -> Any:
        is_refused = operation == "GetObject" and key.startswith("journal_old/") and key in stored.objects
        return refusal(code, status) if is_refused else None

    for name in ("old", "new"):
        agent = agent_on(Client(stored), name)
        say(agent, *(f"{name} {number}" for number in range(20)))
        agent._session_manager.close()
    return Client(stored, fault=refuses), why


def manager_on(client: Client, session_id: str) -> S3SessionManager:
    return S3SessionManager(session_id, "bucket", boto_session=Session(client))  # type: ignore[arg-type]


def agent_on(client: Client, session_id: str) -> Any:
    return open_agent(None, manager=manager_on(client, session_id))  # type: ignore[arg-type]


def say(agent: Any, *texts: str) -> None:
    asyncio.run(add(agent, *map(text_message, texts)))


def test_it_is_told_of_and_hides_no_other(withheld: tuple[Client, str]) -> None:
    client, why = withheld
    place: Any = {"bucket": "bucket", "boto_session": Session(client)}
    assert [info.session_id for info in S3SessionManager.list_sessions(**place)] == ["new"]
    [told] = S3SessionManager.list_unreadable(**place)
    assert (told.name, why in told.reason) == ("journal_old", True)
    with pytest.raises(SessionException, match=why):
        manager_on(client, "old")


@pytest.mark.parametrize("damaged", [False, True])
def test_it_is_kept_by_a_clean_up_which_removes_the_others(withheld: tuple[Client, str], damaged: bool) -> None:
    client, why = withheld
    now = client.stored.now + LONG
    place: Any = {"bucket": "bucket", "boto_session": Session(client), "now": now, "damaged": damaged}
    done = S3SessionManager.clean_up(timedelta(days=1), **place)
    assert list(done) == ["new"]
    assert [(one.name, why in one.reason) for one in done.skipped] == [("journal_old", True)]
    assert client.stored.holding(b"old 7")
    assert not S3SessionManager.clean_up(LONG + LONG, **place).skipped, "it is not old enough to be told of"


def test_it_is_deleted_all_the_same(withheld: tuple[Client, str]) -> None:
    client, _ = withheld
    speaking = agent_on(Client(client.stored), "old")
    say(speaking, "old, and on")
    manager_on(client, "new").delete_session("old")
    assert not client.stored.holding(b"old")
    with pytest.raises(SessionException, match="was deleted"):
        say(speaking, "old, too late")
    assert not client.stored.holding(b"old")
    with pytest.raises(SessionException, match="does not exist"):
        manager_on(client, "new").delete_session("old")


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "ExpiredToken"])
def test_what_says_nothing_of_one_session_is_an_error_of_all(code: str) -> None:
    """A list that left out what could not be read for a moment would call it gone."""
    stored = Bucket()
    say(agent_on(Client(stored), "one"), "hello")

    def refuses(_: int, operation: str, __: str) -> Any:
        return refusal(code, 503) if operation == "GetObject" else None

    place: Any = {"bucket": "bucket", "boto_session": Session(Client(stored, fault=refuses))}
    for ask in (S3SessionManager.list_sessions, S3SessionManager.list_unreadable):
        with pytest.raises(SessionException, match=code):
            ask(**place)
