"""Any history of a session on S3: agents talk, redact, are restored, and outlive deletions; nothing is left over."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.s3 import folding, sizes
from session_conformance.reference_impl.s3 import life as s3_life
from strands.types.exceptions import SessionException
from strands.types.session import SessionMessage

from tests.reference_impl.agents import add, open_agent, text_message

from .memory_s3 import Bucket, Client, Session

NAMES = ("one", "two", "three")


def manager_on(client: Client) -> S3SessionManager:
    session: Any = Session(client)
    return S3SessionManager("s", "bucket", boto_session=session)


class AnyHistory(RuleBasedStateMachine):
    """What is said, by agent, is what a restore returns; what was taken out of it is nowhere in the bucket."""

    names = st.sampled_from(NAMES)

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.open: dict[str, tuple[Any, int]] = {}  # each with the life of the session that it belongs to
        self.said: dict[str, list[str]] = {}
        self.states: dict[str, int] = {}
        self.gone: list[str] = []
        self.life = 0
        self.number = 0

    @initialize(least=st.sampled_from([800, 3000, 10**9]), page=st.sampled_from([5, 1000]))
    def begin(self, least: int, page: int) -> None:
        self.stored = Bucket(page=page)
        for name, length in (("RUN", 4), ("SEGMENT", 8), ("MERGE", 2)):
            self.patch.setattr(sizes, name, length)
        self.patch.setattr(folding, "LEAST", least)
        self.patch.setattr(s3_life, "_now", lambda: (self.stored.now.timestamp(),) * 2)

    def next_text(self, what: str) -> str:
        self.number += 1
        return f"{what} {self.number}."

    @rule(name=names)
    def restore(self, name: str) -> None:
        self.close(name)
        agent = open_agent(None, manager=manager_on(Client(self.stored)), agent_id=name)  # type: ignore[arg-type]
        assert [block["text"] for message in agent.messages for block in message["content"]] == self.said.get(name, [])
        assert agent.state.get("number") == self.states.get(name)
        self.open[name] = (agent, self.life)

    @rule(name=names)
    def close(self, name: str) -> None:
        agent, _ = self.open.pop(name, (None, 0))
        if agent is not None:
            with suppress(SessionException):  # it was deleted
                agent._session_manager.close()

    @rule(name=names, length=st.sampled_from([0, 300]))
    def say(self, name: str, length: int) -> None:
        agent, life = self.opened(name)
        text = self.next_text("said") + "x" * length
        if life == self.life:
            self.said.setdefault(name, []).append(text)
            asyncio.run(add(agent, text_message(text)))
        else:
            self.gone.append(text)
            with pytest.raises(SessionException, match="was deleted"):
                asyncio.run(add(agent, text_message(text)))

    @rule(name=names)
    def change_state(self, name: str) -> None:
        agent, life = self.opened(name)
        self.number += 1
        agent.state.set("number", self.number)
        if life == self.life:
            agent._session_manager.sync_agent(agent)
            self.states[name] = self.number
        else:
            with pytest.raises(SessionException, match="was deleted"):
                agent._session_manager.sync_agent(agent)

    @rule(name=names, ago=st.integers(1, 6))
    def redact(self, name: str, ago: int) -> None:
        agent, life = self.opened(name)
        said = self.said.get(name, [])
        if life != self.life or ago > len(said):
            return
        index = len(said) - ago
        self.gone.append(said[index])
        said[index] = self.next_text("redacted")
        message = {**agent.messages[index], "content": [{"text": said[index]}]}
        if ago == 1:
            agent._session_manager.redact_latest_message(message, agent)
        else:
            agent._session_manager.update_message("s", name, SessionMessage(message, index, message))
        agent.messages[index] = message

    @precondition(lambda self: self.open)
    @rule()
    def delete(self) -> None:
        with suppress(SessionException):  # there is none
            S3SessionManager("other", "bucket", boto_session=Session(Client(self.stored))).delete_session("s")  # type: ignore[arg-type]
        self.life += 1
        self.gone += [text for said in self.said.values() for text in said]
        self.said, self.states = {}, {}

    @rule(minutes=st.sampled_from([1, 31, 61, 200]))
    def pass_time(self, minutes: int) -> None:
        self.stored.now += timedelta(minutes=minutes)

    def opened(self, name: str) -> tuple[Any, int]:
        if name not in self.open:
            self.restore(name)
        return self.open[name]

    @invariant()
    def nothing_is_left_over(self) -> None:
        for agent, _ in self.open.values():
            agent._session_manager._store._log._folding.wait()
        for text in self.gone:
            assert not self.stored.holding(text.encode()), text

    def teardown(self) -> None:
        try:
            for name in NAMES:
                if self.said.get(name):
                    self.restore(name)
            if "journal_s/root" in getattr(self, "stored", Bucket()).objects:
                session: Any = Session(Client(self.stored))
                assert S3SessionManager.verify("s", "bucket", boto_session=session).ok
        finally:
            self.patch.undo()


def test_any_history() -> None:
    run_state_machine_as_test(AnyHistory, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))


def test_who_meets_what_another_was_refused_is_told_of_the_deletion() -> None:
    history = AnyHistory()
    history.begin(least=800, page=5)
    history.change_state(name="one")
    history.close(name="one")
    history.restore(name="one")
    history.change_state(name="two")
    history.nothing_is_left_over()
    history.delete()
    history.change_state(name="one")
    history.say(name="two", length=0)  # its number is taken, by an object that was emptied
    history.teardown()


def clean_up_beside_an_agent(moment: int) -> tuple[bool, bool]:
    """Clean up while an agent that has read the session goes on with it: before one request and before the next.

    Returns:
        Whether the clean-up came so far, and whether it removed the session.
    """
    stored, requests, said = Bucket(), itertools.count(), ["said before"]
    first = open_agent(None, manager=manager_on(Client(stored)), agent_id="one")  # type: ignore[arg-type]
    asyncio.run(add(first, text_message(said[0])))
    first._session_manager.close()
    goes_on = open_agent(None, manager=manager_on(Client(stored)), agent_id="one")  # type: ignore[arg-type]

    @contextmanager
    def say_before_a_request() -> Iterator[None]:
        if next(requests) in (moment, moment + 1):
            text = f"said {len(said)} times"
            with suppress(SessionException):
                asyncio.run(add(goes_on, text_message(text)))
                said.append(text)
        yield

    session: Any = Session(Client(stored, say_before_a_request))
    now = stored.now + timedelta(days=2)
    removed = bool(S3SessionManager.clean_up(timedelta(days=1), "bucket", boto_session=session, now=now))
    if len(said) > 1 or not removed:
        again = open_agent(None, manager=manager_on(Client(stored)), agent_id="one")  # type: ignore[arg-type]
        found = [block["text"] for message in again.messages for block in message["content"]]
        assert found[: len(said)] == said, f"before request {moment}"
    return next(requests) > moment, removed


def test_a_clean_up_takes_nothing_from_who_goes_on_beside_it() -> None:
    done = list(itertools.takewhile(lambda done: done[0], map(clean_up_beside_an_agent, itertools.count())))
    assert {removed for _, removed in done} == {False, True}
    assert clean_up_beside_an_agent(len(done)) == (False, True)
