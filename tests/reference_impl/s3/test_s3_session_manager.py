"""The reference S3SessionManager: its log's shape in a bucket, writers, redaction, and what is done to sessions."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from session_conformance.harness.s3 import S3Endpoint
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.log.change_log import Behind
from session_conformance.reference_impl.log.commit_lines import bodies_of, commit_line
from session_conformance.reference_impl.s3 import folding, sizes
from session_conformance.reference_impl.s3.client import client_for
from session_conformance.reference_impl.s3.log import S3Log
from session_conformance.reference_impl.s3.objects import S3Objects
from session_conformance.reference_impl.s3.place import HEADER, Segment
from session_conformance.reference_impl.s3.root import read_root
from strands.session import S3SessionManager as SdkS3SessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message, update

Keys = Callable[[], dict[str, bytes]]


@pytest.fixture
def keys(s3: S3Endpoint, bucket: str) -> Keys:
    def stored() -> dict[str, bytes]:
        listed = s3.client.list_objects_v2(Bucket=bucket).get("Contents", ())
        return {item["Key"]: s3.client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed}

    return stored


def agent_on(bucket: str, session_id: str = "s", **arguments: Any) -> Any:
    return open_agent(None, manager=S3SessionManager(session_id, bucket), **arguments)  # type: ignore[arg-type]


def say(bucket: str, *texts: str, session_id: str = "s") -> None:
    agent = agent_on(bucket, session_id)
    asyncio.run(add(agent, *(text_message(text) for text in texts)))


def texts_in(bucket: str, session_id: str = "s") -> list[str]:
    return [block["text"] for message in agent_on(bucket, session_id).messages for block in message["content"]]


def life_of(bucket: str, session_id: str = "s") -> str:
    root = read_root(S3Objects(client_for(None, None, None, None), bucket, session_id), f"journal_{session_id}/")
    assert root is not None
    return root.life


def commit_key(bucket: str, number: int) -> str:
    return f"journal_s/{life_of(bucket)}/c/{number:010d}"


def log_in(s3: S3Endpoint, bucket: str) -> S3Log:
    return S3Log(S3Objects(s3.client, bucket, "s"), "place/", "s")


# -- the log ---------------------------------------------------------------------------------------------------


def test_a_message_is_one_request(s3: S3Endpoint, bucket: str) -> None:
    agent = agent_on(bucket)
    asyncio.run(add(agent, text_message("warm")))
    with s3.seam.recording(bucket) as record:
        asyncio.run(add(agent, text_message("one")))
    assert record.counts == {"PutObject": 1}


def test_a_streamed_message_is_one_request(s3: S3Endpoint, bucket: str) -> None:
    agent = agent_on(bucket)
    metadata = {"custom": {"bidi": {"status": "pending"}}}
    placeholder = {**text_message("", "assistant"), "content": [], "metadata": metadata}
    with s3.seam.recording(bucket) as record:
        asyncio.run(add(agent, placeholder))
        asyncio.run(update(agent, {**placeholder, "content": [{"text": "all of it"}], "metadata": {}}))
    assert record.counts == {"PutObject": 1}
    assert texts_in(bucket) == ["all of it"]


def test_opening_writes_nothing(bucket: str, keys: Keys) -> None:
    say(bucket, "one")
    before = keys()
    for _ in range(3):
        agent = agent_on(bucket)
        asyncio.run(agent.start())
        asyncio.run(agent.stop())
    assert keys() == before


def test_a_number_is_taken_once(s3: S3Endpoint, bucket: str) -> None:
    one, two = log_in(s3, bucket), log_in(s3, bucket)
    assert one.create(b"[0]")
    assert not two.create(b"[0]")
    assert bodies_of(two.read()) == [b"[0]"]
    two.append(b"[1]")
    with pytest.raises(Behind):
        one.append(b"[2]")
    assert bodies_of(one.news() or b"") == [b"[1]"]
    one.append(b"[2]")
    assert bodies_of(log_in(s3, bucket).read()) == [b"[0]", b"[1]", b"[2]"]


@pytest.mark.parametrize("size", [10, 3 * sizes.RUN_BYTES])
def test_runs_and_segments_hold_every_commit(
    s3: S3Endpoint, bucket: str, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(sizes, "RUN", 4)
    monkeypatch.setattr(sizes, "SEGMENT", 8)
    monkeypatch.setattr(sizes, "MERGE", 2)
    monkeypatch.setattr(folding, "LEAST", 1 << 30)
    log, said = log_in(s3, bucket), [b"[0]"]
    log.create(said[0])
    for number in range(1, 40):
        said.append(b'["%d%s"]' % (number, b"x" * size))
        log.append(said[-1])
        with s3.seam.recording(bucket) as record:
            assert bodies_of(log_in(s3, bucket).read()) == said
        assert size > 10 or record.counts["GetObject"] <= 8
    listed = s3.client.list_objects_v2(Bucket=bucket, Prefix=f"place/{log.life}/s/")["Contents"]
    found = [Segment.named(item["Key"].removeprefix(f"place/{log.life}/"), item["Size"]) for item in listed]
    assert [(segment.first, segment.last) for segment in found if segment] == [
        (0, 7), (0, 15), (0, 31), (16, 23), (32, 39)
    ]  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["one appends", "two appends", "one rewrites", "two rewrites", "both are new"])))
def test_writers_and_rewriters_agree(s3: S3Endpoint, monkeypatch: pytest.MonkeyPatch, steps: list[str]) -> None:
    monkeypatch.setattr(sizes, "RUN", 3)
    monkeypatch.setattr(sizes, "SEGMENT", 6)
    monkeypatch.setattr(sizes, "MERGE", 2)
    bucket = s3.new_bucket()
    logs = {"one": log_in(s3, bucket), "two": log_in(s3, bucket)}
    said = [b"[0]"]
    logs["one"].create(said[0])
    logs["two"].read()
    for number, step in enumerate(steps, 1):
        who, _, what = step.partition(" ")
        if what == "are new":
            logs = {name: log_in(s3, bucket) for name in logs}
            assert [bodies_of(log.read()) for log in logs.values()] == [said, said]
        elif what == "appends":
            said.append(b"[%d]" % number)
            try:
                logs[who].append(said[-1])
            except Behind:
                if logs[who].news() is None:
                    logs[who].read()
                logs[who].append(said[-1])
        else:
            assert bodies_of(logs[who].read()) == said
            logs[who].rewrite([b"[-%d]" % number, *said[1:]], b"[-%d]" % number, [0])
            said[0] = b"[-%d]" % number
        assert bodies_of(log_in(s3, bucket).read()) == said


def test_two_agents_interleave_and_overwrite_nothing(bucket: str) -> None:
    one, two = agent_on(bucket, agent_id="one"), agent_on(bucket, agent_id="two")
    for turn in range(40):
        asyncio.run(add(one, text_message(f"one {turn}")))
        asyncio.run(add(two, text_message(f"two {turn}")))
    for id in ("one", "two"):
        assert [m["content"][0]["text"] for m in agent_on(bucket, agent_id=id).messages] == [
            f"{id} {turn}" for turn in range(40)
        ]


# -- redaction -------------------------------------------------------------------------------------------------


def redacted(manager: Any, agent: Any) -> None:
    last = agent.messages[-1]
    manager.redact_latest_message({**last, "content": [{"text": "[redacted]"}]}, agent)


def test_a_redaction_leaves_no_copy_also_where_another_writer_goes_on(bucket: str, keys: Keys) -> None:
    say(bucket, "before")
    managers = [S3SessionManager("s", bucket) for _ in range(2)]
    agents = [open_agent(None, manager=manager) for manager in managers]  # type: ignore[arg-type]
    asyncio.run(add(agents[0], text_message("a secret")))
    asyncio.run(add(agents[1], text_message("between")))  # it has the secret in memory now
    asyncio.run(add(agents[1], text_message("a second secret")))
    redacted(managers[1], agents[1])
    asyncio.run(add(agents[0], text_message("after")))
    asyncio.run(add(agents[1], text_message("and after that")))
    assert texts_in(bucket) == ["before", "a secret", "between", "[redacted]", "after", "and after that"]
    assert not [key for key, data in keys().items() if b"a second secret" in data]
    assert [key for key, data in keys().items() if b"a secret" in data]


def test_a_redaction_of_what_came_with_the_session_leaves_it_listed(bucket: str, keys: Keys) -> None:
    open_agent(None, manager=SdkS3SessionManager("s", bucket), messages=[text_message("a secret")])  # type: ignore[arg-type]
    manager = S3SessionManager("s", bucket)  # which imports all of it as one commit
    redacted(manager, open_agent(None, manager=manager))  # type: ignore[arg-type]
    assert not [key for key, data in keys().items() if b"a secret" in data and key.startswith("journal_")]
    assert texts_in(bucket) == ["[redacted]"]
    assert [info.session_id for info in S3SessionManager.list_sessions(bucket)] == ["s"]


def test_a_reader_that_listed_before_a_redaction_looks_again(s3: S3Endpoint, bucket: str) -> None:
    log = log_in(s3, bucket)
    log.create(b"[0]")
    log.append(b'["secret"]')
    reader = log_in(s3, bucket)
    assert reader.exists()  # its listing is used by the read that follows
    log.read()
    log.rewrite([b"[0]", b'["gone"]'], b'["gone"]', [1])
    assert bodies_of(reader.read()) == [b"[0]", b'["gone"]']


# -- damage ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "it is empty"),
        (b"garbage", "it has no header"),
        (HEADER + b"garbage", "there is no whole commit"),
        (HEADER + commit_line(7, b"[]"), "its last commit is not its own"),
        (HEADER + commit_line(2, b"[]").replace(b"[]", b"{}"), "there is no whole commit"),
    ],
)
def test_damage_is_an_error_that_names_the_object(s3: S3Endpoint, bucket: str, data: bytes, what: str) -> None:
    say(bucket, "one")
    s3.client.put_object(Bucket=bucket, Key=commit_key(bucket, 2), Body=data)
    with pytest.raises(SessionException, match=f"{commit_key(bucket, 2)} is damaged: .*{what}"):
        S3SessionManager("s", bucket)
    assert not S3SessionManager.verify("s", bucket).ok
    repair = S3SessionManager.repair("s", bucket)
    assert repair.lost
    assert texts_in(bucket) == ["one"][: len(texts_in(bucket))]
    say(bucket, "goes on")
    assert texts_in(bucket)[-1] == "goes on"


def test_a_missing_commit_is_an_error(s3: S3Endpoint, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "RUN", 1)
    say(bucket, "one", "two", "three")
    s3.client.delete_object(Bucket=bucket, Key=commit_key(bucket, 2))
    with pytest.raises(SessionException, match="c/0000000002 is damaged: it is missing, and later ones are there"):
        S3SessionManager("s", bucket)


def test_a_whole_session_needs_no_repair(bucket: str, keys: Keys) -> None:
    say(bucket, "one")
    before = keys()
    assert S3SessionManager.verify("s", bucket).ok
    assert S3SessionManager.repair("s", bucket).lost == ()
    assert keys() == before


def test_a_repair_brings_no_deleted_session_back(s3: S3Endpoint) -> None:
    bucket = s3.new_bucket(versioned=True)
    say(bucket, "of the session that was deleted", "and more of it")
    S3SessionManager("s", bucket).delete_session("s")
    say(bucket, "of the new one")
    S3SessionManager.repair("s", bucket)
    assert texts_in(bucket) == ["of the new one"]


def test_a_repair_brings_nothing_back_that_was_redacted(s3: S3Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """A versioned bucket keeps what a redaction emptied, also where nothing of the redaction is left."""
    monkeypatch.setattr(sizes, "RUN", 1)
    bucket = s3.new_bucket(versioned=True)
    manager = S3SessionManager("s", bucket)
    agent = open_agent(None, manager=manager)  # type: ignore[arg-type]
    asyncio.run(add(agent, text_message("one"), text_message("a secret")))
    redacted(manager, agent)
    manager.close()
    place = f"journal_s/{life_of(bucket)}/"
    keys = [item["Key"] for item in s3.client.list_objects_v2(Bucket=bucket, Prefix=place)["Contents"]]
    commits = [key for key in keys if "/c/" in key]
    for version in s3.client.list_object_versions(Bucket=bucket, Prefix=place)["Versions"]:
        if version["Key"].endswith("-r") or version["Key"] == commits[-1]:
            s3.client.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    for key in commits[:-1]:
        s3.client.delete_object(Bucket=bucket, Key=key)
    S3SessionManager.repair("s", bucket)
    assert "a secret" not in texts_in(bucket)


# -- whole sessions --------------------------------------------------------------------------------------------


def test_sessions_are_listed_deleted_and_cleaned_up(bucket: str, keys: Keys) -> None:
    say(bucket, "one", session_id="one")
    say(bucket, "two", session_id="Two")
    assert {info.session_id for info in S3SessionManager.list_sessions(bucket)} == {"Two", "one"}
    S3SessionManager("one", bucket).delete_session("one")
    with pytest.raises(SessionException, match="does not exist"):
        S3SessionManager("Two", bucket).delete_session("one")
    now = datetime.now(timezone.utc)
    assert S3SessionManager.clean_up(timedelta(hours=1), bucket, now=now) == []
    # nobody said that it stopped: for a week it may be in use
    assert S3SessionManager.clean_up(timedelta(hours=1), bucket, now=now + timedelta(days=6)) == []
    assert S3SessionManager.clean_up(timedelta(hours=1), bucket, now=now + timedelta(days=8)) == ["Two"]
    assert keys() == {}


@pytest.mark.asyncio
async def test_a_stopped_session_is_cleaned_up_by_its_age(bucket: str) -> None:
    agent = agent_on(bucket)

    await agent.start()
    await add(agent, text_message("one"))
    await agent.stop()
    later = datetime.now(timezone.utc) + timedelta(hours=2)
    assert S3SessionManager.clean_up(timedelta(hours=1), bucket, now=later) == ["s"]


def test_a_closed_session_is_cleaned_up_by_its_age(bucket: str) -> None:
    manager = S3SessionManager("s", bucket)
    agent = open_agent(None, manager=manager)  # type: ignore[arg-type]
    asyncio.run(add(agent, text_message("one")))
    later = datetime.now(timezone.utc) + timedelta(hours=2)
    assert S3SessionManager.clean_up(timedelta(hours=1), bucket, now=later) == []
    manager.close()
    assert S3SessionManager.clean_up(timedelta(hours=1), bucket, now=later) == ["s"]


def test_a_deletion_that_was_cut_short_leaves_no_shorter_history(s3: S3Endpoint, bucket: str) -> None:
    say(bucket, "one", "two")
    s3.client.delete_object(Bucket=bucket, Key="journal_s/c/0000000000")
    s3.client.delete_object(Bucket=bucket, Key="journal_s/c/0000000003")
    reader = S3SessionManager.verify("s", bucket)
    assert reader.ok or reader.problems
    S3SessionManager("t", bucket).delete_session("s")
    assert texts_in(bucket) == []


def test_a_session_of_the_sdks_manager_opens_with_all_its_messages(bucket: str) -> None:
    messages = [text_message(str(number), content=[{"text": str(number)}]) for number in range(25)]
    open_agent(None, manager=SdkS3SessionManager("s", bucket, prefix="p/"), messages=messages)  # type: ignore[arg-type]
    agent = open_agent(None, manager=S3SessionManager("s", bucket, prefix="p"))  # type: ignore[arg-type]
    assert [message["content"] for message in agent.messages] == [message["content"] for message in messages]
    S3SessionManager("s", bucket, prefix="p").delete_session("s")
    assert open_agent(None, manager=S3SessionManager("s", bucket, prefix="p")).messages == []  # type: ignore[arg-type]


def test_a_session_of_the_sdks_manager_with_a_gap_is_an_error(s3: S3Endpoint, bucket: str) -> None:
    open_agent(None, manager=SdkS3SessionManager("s", bucket), messages=[text_message(str(n)) for n in range(3)])  # type: ignore[arg-type]
    s3.client.delete_object(Bucket=bucket, Key="session_s/agents/agent_default/messages/message_1.json")
    with pytest.raises(SessionException, match=r"message_1\.json is missing between others"):
        S3SessionManager("s", bucket)
