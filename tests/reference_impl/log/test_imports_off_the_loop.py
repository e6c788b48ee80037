"""Imports off the loop: whoever imports waits, nobody else does, and what was said meanwhile is stored in its order."""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from session_conformance.reference_impl.log import imports, threads
from session_conformance.reference_impl.log.session_store import SessionStore
from strands.hooks import MessageAddedEvent
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, text_message

from .import_places import OLD, OnFiles, Steps, opened, say, texts

NewPlace = Callable[[], OnFiles]


class Watch(Steps):
    """Notes which threads do something, and has the first that does wait, if it is to."""

    def __init__(self, *, holds: bool = False) -> None:
        super().__init__(-1, lambda: None)
        self.threads: set[int] = set()
        self.is_held, self.may_go_on = threading.Event(), threading.Event()
        if not holds:
            self.may_go_on.set()

    def step(self) -> None:
        super().step()
        self.threads.add(threading.get_ident())
        self.is_held.set()
        assert self.may_go_on.wait(30)

    async def held(self) -> None:
        """Return when somebody waits, and the loop went round as often as whoever is ready needs."""
        assert await asyncio.get_running_loop().run_in_executor(None, self.is_held.wait, 30)
        for _ in range(100):
            await asyncio.sleep(0)


def failing(*_: Any) -> Any:
    raise SessionException("full")


def redact(agent: Any) -> None:
    """Redact the latest message, as the SDK has it done."""
    agent.messages[-1] = {**agent.messages[-1], "content": [{"text": "[redacted]"}]}
    agent._session_manager.redact_latest_message(agent.messages[-1], agent)


def ours_holding(place: OnFiles, text: bytes) -> list[str]:
    return [key for key in place.holding(text) if "journal_" in key]


def test_nothing_of_an_import_is_done_on_the_loops_thread(new_place: NewPlace) -> None:
    place, watch = new_place(), Watch()
    agent = opened(place)
    with place.watched(watch):
        say(agent, "new")
    assert watch.count > 5
    assert threading.get_ident() not in watch.threads
    assert texts(opened(place)) == [*OLD, "new"]


def test_what_is_said_while_a_session_is_imported_waits_in_its_order(new_place: NewPlace) -> None:
    place, watch = new_place(), Watch(holds=True)
    agent = opened(place)
    heard: list[tuple[str, list[str]]] = []

    def hear(event: Any) -> None:
        heard.append((event.message["content"][0]["text"], texts(opened(place))))

    agent.hooks.add_callback(MessageAddedEvent, hear)

    async def talk() -> None:
        said = [asyncio.create_task(add(agent, text_message(text))) for text in ("one", "two", "three")]
        with place.watched(watch):
            await watch.held()
            assert heard == []
            watch.may_go_on.set()
            await asyncio.gather(*said)

    asyncio.run(talk())
    assert sorted(text for text, _ in heard) == ["one", "three", "two"]
    assert all(text in stored for text, stored in heard)
    assert texts(opened(place)) == [*OLD, "one", "two", "three"]


def test_who_is_cancelled_while_a_session_is_imported_has_said_it(
    new_place: NewPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled, and let go of: the import goes on, and a close waits for it."""
    monkeypatch.setattr(threads, "PATIENCE", 0)
    place, watch = new_place(), Watch(holds=True)
    agent = opened(place)

    async def talk() -> None:
        said = asyncio.create_task(add(agent, text_message("one")))
        with place.watched(watch):
            await watch.held()
            said.cancel()
            with pytest.raises(asyncio.CancelledError):
                await said
            closing = asyncio.get_running_loop().run_in_executor(None, agent._session_manager.close)
            for _ in range(100):
                await asyncio.sleep(0)
            assert not closing.done()
            watch.may_go_on.set()
            await closing

    asyncio.run(talk())
    assert texts(opened(place)) == [*OLD, "one"]
    say(agent, "two")
    assert texts(opened(place)) == [*OLD, "one", "two"]


@pytest.mark.parametrize("failing_at", ["create", "_write"])
def test_a_redaction_while_an_import_fails_is_made_with_what_follows(
    new_place: NewPlace, monkeypatch: pytest.MonkeyPatch, failing_at: str
) -> None:
    place = new_place()
    agent = opened(place)
    with monkeypatch.context() as patched:
        patched.setattr(SessionStore, failing_at, failing)
        with pytest.raises(SessionException, match="full"):
            redact(agent)
        with pytest.raises(SessionException, match="full"):
            say(agent, "a secret")
        with pytest.raises(SessionException, match="full"):
            redact(agent)
    say(agent, "new")
    assert texts(opened(place)) == [*OLD[:-1], "[redacted]", "[redacted]", "new"]
    assert ours_holding(place, OLD[-1].encode()) == ours_holding(place, b"a secret") == []


def test_an_agent_that_says_nothing_imports_nothing(new_place: NewPlace) -> None:
    place = new_place()
    agent = opened(place)

    async def come_and_go() -> None:
        await agent.start()
        await agent.stop()

    asyncio.run(come_and_go())
    agent._session_manager.close()
    assert ours_holding(place, b"") == []
    say(agent, "new")
    assert texts(opened(place)) == [*OLD, "new"]


def test_a_message_that_cannot_be_imported_is_told_and_holds_nothing_half_imported(
    new_place: NewPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = new_place()
    agent = opened(place)
    read = imports.read_sdk_session

    def read_with_one_that_is_none(*given: Any) -> Any:
        history = read(*given)
        if history is not None:
            history.agents["default"].messages[1]["message"]["content"] = [{"text": object()}]
        return history

    with monkeypatch.context() as patched:
        patched.setattr(imports, "read_sdk_session", read_with_one_that_is_none)
        for text in ("one", "two"):
            with pytest.raises(SessionException, match="cannot store"):
                say(agent, text)
        assert ours_holding(place, OLD[0].encode()) == []
    say(agent, "three")
    assert texts(opened(place)) == [*OLD, "one", "two", "three"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_a_child_that_is_forked_while_an_import_fails_imports_by_itself(
    new_place: NewPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = new_place()
    agent = opened(place)
    with monkeypatch.context() as patched:
        patched.setattr(SessionStore, "_write", failing)
        with pytest.raises(SessionException, match="full"):
            say(agent, "of the parent")
    child = os.fork()
    if child == 0:
        failed = 1
        try:
            agent._session_manager.append_message(text_message("of the child"), agent)
            failed = texts(opened(place)) != [*OLD, "of the child"]
        finally:
            os._exit(failed)
    assert os.waitpid(child, 0)[1] == 0
