"""Managers on one session, each request scheduled and some spoiled: nothing lost, doubled, mixed up or leaked."""

import asyncio
import random
from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.s3 import folding, sizes
from session_conformance.reference_impl.s3 import requests as s3_requests
from session_conformance.reference_impl.s3.deletion import delete
from session_conformance.reference_impl.s3.errors import Deleted
from session_conformance.reference_impl.s3.objects import S3Objects
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message

from .memory_s3 import Bucket, Client, Fault, Session, Stored, Turns, run

pages = st.sampled_from([7, 1000])
"""How many keys a page of a listing shows: with 1,000 the first one shows them all."""

many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_requests.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(folding, "LEAST", 3000)
    for name, length in (("RUN", 3), ("SEGMENT", 6), ("MERGE", 2)):
        monkeypatch.setattr(sizes, name, length)


def schedules(*actors: str) -> st.SearchStrategy[list[str]]:
    runs = st.tuples(st.sampled_from(actors), st.integers(1, 12))
    return st.lists(runs, max_size=16).map(lambda found: [who for who, count in found for _ in range(count)])


def spoiling(seed: int, rate: float, late: bool) -> Any:
    chance = random.Random(seed)

    def fault(_: int, operation: str, key: str) -> Fault | None:
        if chance.random() >= rate:
            return None
        kinds = (
            ["before", "after"]
            if operation != "PutObject"
            else ["before", "after", "after", "late" if late else "busy", "busy"]
        )
        return chance.choice(kinds)

    return fault


class Speaker:
    """An agent on a manager of its own, and what it said: each text with whether it was acknowledged."""

    def __init__(self, stored: Bucket, name: str, turns: Turns, seed: int, late: bool = True) -> None:
        self.name, self.said, self.spoken, self.secrets = name, [], [], []  # type: ignore[var-annotated]
        self.client = Client(stored)
        manager = S3SessionManager("s", "bucket", boto_session=Session(self.client))  # type: ignore[arg-type]
        self.agent = open_agent(None, manager=manager, agent_id=name)  # type: ignore[arg-type]
        self.manager: Any = manager
        self.spoiled = Client(stored, lambda: turns.of(name), spoiling(seed, 0.08, late))

    def say(self, text: str) -> bool:
        self.said.append(text)
        self.spoken.append(text)
        try:
            asyncio.run(add(self.agent, text_message(text)))
        except SessionException:
            return False
        return True

    def redact(self) -> None:
        """Redact what was said last, in storage and in memory, as the SDK does."""
        text, last = self.said[-1], self.agent.messages[-1]
        replacement = {**last, "content": [{"text": f"[redacted {len(self.said)}]"}]}
        self.said[-1] = replacement["content"][0]["text"]
        self.secrets.append(text)
        with suppress(SessionException):  # then it is made with the next change
            self.manager.redact_latest_message(replacement, self.agent)
        self.agent.messages[-1] = replacement

    def calm(self) -> None:
        self.manager.client = self.client

    def stored_texts(self, stored: Bucket) -> list[str]:
        session: Any = Session(Client(stored))
        agent = open_agent(None, manager=S3SessionManager("s", "bucket", boto_session=session), agent_id=self.name)  # type: ignore[arg-type]
        return [block["text"] for message in agent.messages for block in message["content"]]


@many
@given(schedules("one", "two"), st.integers(0, 1 << 30), pages)
def test_two_managers_that_talk_and_redact(schedule: list[str], seed: int, page: int) -> None:
    stored, turns = Bucket(page=page), Turns(schedule)
    speakers = {name: Speaker(stored, name, turns, seed + at) for at, name in enumerate(("one", "two"))}

    def talk(name: str) -> Any:
        def do() -> None:
            speaker = speakers[name]
            speaker.manager.client = speaker.spoiled
            for number in range(8):
                speaker.say(f"{name} {number} {'secret ' if number % 3 == 1 else ''}{seed}")
                if number % 3 == 1:
                    speaker.redact()
            speaker.manager._store._log._folding.wait()

        return do

    run(turns, {name: talk(name) for name in speakers})
    stored.deliver()
    for speaker in speakers.values():
        speaker.calm()
        assert speaker.say(f"{speaker.name} at last")
        speaker.manager.close()
    for speaker in speakers.values():
        assert speaker.stored_texts(stored) == speaker.said
        for secret in speaker.secrets:
            assert not stored.holding(secret.encode()), secret
    assert S3SessionManager.verify("s", "bucket", boto_session=Session(Client(stored))).ok  # type: ignore[arg-type]


@many
@given(schedules("one", "two", "remover"), st.integers(0, 1 << 30), pages)
@example(["two"] * 8 + ["remover"] * 28, 233, 7)  # a folding took away what the deletion had left for later writers
def test_two_managers_and_a_deletion(schedule: list[str], seed: int, page: int) -> None:
    stored, turns = Bucket(page=page), Turns(schedule)
    # What S3 carries out after a deletion, though its client has given up on it, nobody can keep from being stored:
    # that is for a clean-up.
    speakers = {name: Speaker(stored, name, turns, seed + at, late=False) for at, name in enumerate(("one", "two"))}
    deleted: list[bool] = []
    late: list[str] = []

    def talk(name: str) -> Any:
        def do() -> None:
            speaker = speakers[name]
            speaker.manager.client = speaker.spoiled
            for number in range(6):
                before = bool(deleted)
                if speaker.say(f"{name} {number} private") and before:
                    late.append(speaker.said[-1])
            speaker.manager._store._log._folding.wait()

        return do

    def remove() -> None:
        session: Any = Session(Client(stored, lambda: turns.of("remover")))
        S3SessionManager("other", "bucket", boto_session=session).delete_session("s")
        deleted.append(True)

    run(turns, {**{name: talk(name) for name in speakers}, "remover": remove})
    stored.deliver()
    assert late == [], "acknowledged in a session that was deleted before"
    for speaker in speakers.values():
        speaker.calm()
        assert not speaker.say(f"{speaker.name} private, too")
        with suppress(SessionException):
            speaker.manager.close()
    new = Speaker(stored, "one", turns, seed)
    assert new.stored_texts(stored) == []
    new.manager.close()
    assert [key for key in stored.holding(b"private") if "/s/" in key] == []


@many
@given(schedules("one", "cleaner"), st.booleans())
@example(["one"] * 6 + ["cleaner"] * 9 + ["one", "cleaner"] * 20, False)
def test_a_clean_up_beside_an_agent_that_goes_on(schedule: list[str], spoke: bool) -> None:
    stored, turns = Bucket(), Turns(schedule)
    said = ["before"] if spoke else []
    prefix = "a/c/b"  # in which nothing is a commit

    def manager_of(who: str) -> Any:
        session: Any = Session(Client(stored, (lambda: turns.of(who)) if who else nullcontext))
        return S3SessionManager("s", "bucket", prefix=prefix, boto_session=session)

    def agent_of(who: str) -> Any:
        return open_agent(None, manager=manager_of(who), agent_id="one")  # type: ignore[arg-type]

    def rest() -> None:
        manager = manager_of("")
        if spoke:
            agent = open_agent(None, manager=manager, agent_id="one")  # type: ignore[arg-type]
            asyncio.run(add(agent, text_message("before")))
        manager.close()

    def go_on() -> None:
        with suppress(SessionException):  # it is told that the session was deleted
            agent = agent_of("one")
            for number in range(4):
                asyncio.run(add(agent, text_message(f"message {number}")))
                said.append(f"message {number}")

    def clean_up() -> None:
        session: Any = Session(Client(stored, lambda: turns.of("cleaner")))
        S3SessionManager.clean_up(
            timedelta(days=1), "bucket", prefix, boto_session=session, now=stored.now + timedelta(days=2)
        )

    rest()
    run(turns, {"one": go_on, "cleaner": clean_up})
    found = [block["text"] for message in agent_of("").messages for block in message["content"]]
    if spoke and len(said) > 1:  # it was used before, and somebody went on with it
        assert found[: len(said)] == said or found == said[1:]  # of a session that was begun anew


class Reader:
    """Opens the session of a speaker again and again, and notes what it finds beside what was acknowledged before."""

    def __init__(self, stored: Bucket, turns: Turns, speaker: Speaker) -> None:
        self._session: Any = Session(Client(stored, lambda: turns.of("reader")))
        self._speaker = speaker
        self.acknowledged: list[str] = []
        self.found: list[tuple[list[str], list[str]]] = []

    def note_acknowledged(self) -> None:
        if not self._speaker.manager._store.has_unwritten():
            self.acknowledged = list(self._speaker.said)

    def read(self) -> None:
        before = self.acknowledged
        agent = open_agent(
            None,  # type: ignore[arg-type]
            manager=S3SessionManager("s", "bucket", boto_session=self._session),
            agent_id="one",
        )
        self.found.append((before, [block["text"] for message in agent.messages for block in message["content"]]))

    def expect_whole(self, before: list[str], texts: list[str]) -> None:
        """Nothing is missing of what was acknowledged, nothing is there twice, and what was redacted is."""
        speaker = self._speaker
        assert len(before) <= len(texts) <= len(speaker.said)
        for acknowledged, text, *said in zip(before, texts, speaker.spoken, speaker.said, strict=False):
            assert text == acknowledged or (text in said and not acknowledged.startswith("[redacted"))
        assert all(text in said for text, *said in zip(texts, speaker.spoken, speaker.said, strict=False))


@many
@given(schedules("one", "reader"), st.integers(0, 1 << 30), pages)
def test_who_opens_beside_a_writer_finds_what_was_acknowledged(schedule: list[str], seed: int, page: int) -> None:
    stored, turns = Bucket(page=page), Turns(schedule)
    speaker = Speaker(stored, "one", turns, seed)
    reader = Reader(stored, turns, speaker)

    def talk() -> None:
        speaker.manager.client = speaker.spoiled
        for number in range(8):
            speaker.say(f"one {number}")
            if number % 4 == 2:
                speaker.redact()
            reader.note_acknowledged()
        speaker.manager._store._log._folding.wait()

    run(turns, {"one": talk, "reader": lambda: [reader.read() for _ in range(4)]})  # type: ignore[dict-item, return-value]
    for before, texts in reader.found:
        reader.expect_whole(before, texts)


@many
@given(schedules("one", "reader", "remover"), st.integers(0, 1 << 30), pages)
def test_who_opens_beside_a_deletion_finds_all_or_nothing(schedule: list[str], seed: int, page: int) -> None:
    stored, turns = Bucket(page=page), Turns(schedule)
    speaker = Speaker(stored, "one", turns, seed, late=False)
    reader = Reader(stored, turns, speaker)
    deleted: list[int] = []

    def talk() -> None:
        speaker.manager.client = speaker.spoiled
        for number in range(6):
            speaker.say(f"one {number}")
            reader.note_acknowledged()
        speaker.manager._store._log._folding.wait()

    def read() -> None:
        for _ in range(4):
            was_deleted = bool(deleted)
            with suppress(Deleted):  # of what it read just before
                reader.read()
                assert not (was_deleted and reader.found[-1][1])

    def remove() -> None:
        client: Any = Client(stored, lambda: turns.of("remover"))
        delete(S3Objects(client, "bucket", "s"), "journal_s/", "session_s/", "s")
        deleted.append(1)

    run(turns, {"one": talk, "reader": read, "remover": remove})
    for before, texts in reader.found:
        if texts:  # else it was begun anew
            reader.expect_whole(before, texts)


IMPORTED = [f"old {number}" for number in range(4)]


@pytest.fixture(scope="module")
def sdk_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the objects of a session of the SDK's manager, which has the same layout on S3 as in a folder."""
    folder = tmp_path_factory.mktemp("sdk")
    manager: Any = SdkFileSessionManager("s", storage_dir=str(folder))
    messages = [text_message(text) for text in IMPORTED]
    open_agent(folder, manager=manager, agent_id="one", messages=messages)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.json")}


@settings(many, max_examples=40)
@given(schedules("one", "two", "reader", "remover"), pages, st.booleans())
def test_who_opens_beside_an_import_finds_all_of_it(
    sdk_files: dict[str, bytes], schedule: list[str], page: int, removed: bool
) -> None:
    stored, turns = Bucket(page=page), Turns(who for who in schedule if removed or who != "remover")
    stored.objects.update({key: Stored(data, stored.now) for key, data in sdk_files.items()})
    acknowledged: dict[str, list[str]] = {"one": [], "two": []}
    found: list[tuple[list[str], list[str]]] = []

    def open_as(who: str, agent_id: str) -> Any:
        session: Any = Session(Client(stored, lambda: turns.of(who)))
        manager: Any = S3SessionManager("s", "bucket", boto_session=session)
        return open_agent(None, manager=manager, agent_id=agent_id)  # type: ignore[arg-type]

    def talk(who: str) -> None:
        with suppress(*([SessionException] if removed else [])):  # it was deleted meanwhile
            agent = open_as(who, who)
            for number in range(4):
                asyncio.run(add(agent, text_message(f"{who} {number}")))
                acknowledged[who].append(f"{who} {number}")
            agent._session_manager._store._log._folding.wait()

    def read() -> None:
        for _ in range(4):
            before = list(acknowledged["one"])
            with suppress(*([SessionException] if removed else [])):
                agent = open_as("reader", "one")
                found.append((before, [block["text"] for message in agent.messages for block in message["content"]]))

    def remove() -> None:
        client: Any = Client(stored, lambda: turns.of("remover"))
        delete(S3Objects(client, "bucket", "s"), "journal_s/", "session_s/", "s")

    actors = {"one": lambda: talk("one"), "two": lambda: talk("two"), "reader": read}
    run(turns, {**actors, "remover": remove} if removed else actors)
    if removed:
        assert stored.holding(b"old ") == []
    for before, texts in found:
        if removed:
            assert [text for text in texts if text in IMPORTED] in ([], IMPORTED)
        else:
            assert texts[: len(IMPORTED) + len(before)] == [*IMPORTED, *before]
