"""Instances are replaced one by one: the SDK's manager and the reference serve one session in turn."""

import asyncio
import contextlib
import errno
import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness import ScriptedTextModel, Timeline
from session_conformance.harness.models import text_answer
from session_conformance.harness.timeline import difference
from session_conformance.reference_impl import FileSessionManager, S3SessionManager
from session_conformance.reference_impl.log import sdk_layout
from session_conformance.reference_impl.log.history import agent_set
from session_conformance.reference_impl.log.sdk_layout import UNSURE
from session_conformance.reference_impl.log.session_store import SessionStore
from strands import Agent, ToolContext, tool
from strands.agent.conversation_manager import SlidingWindowConversationManager, SummarizingConversationManager
from strands.hooks import MessageAddedEvent
from strands.multiagent import GraphBuilder
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.session import S3SessionManager as SdkS3SessionManager
from strands.types import session as session_types
from strands.types.exceptions import SessionException
from strands.types.session import SessionMessage

from tests.reference_impl.agents import add, open_agent, text_message
from tests.reference_impl.s3.memory_s3 import Bucket, ListingClient, Session


class Place:
    """Where both managers keep one session."""

    def __init__(self, where: Any, *, on_s3: bool) -> None:
        self.where = where
        self._kinds = (S3SessionManager, SdkS3SessionManager) if on_s3 else (FileSessionManager, SdkFileSessionManager)

    def ours(self) -> Any:
        return self._kinds[0]("s", self.where)

    def sdks(self) -> Any:
        return self._kinds[1]("s", self.where)


@pytest.fixture(params=["files", "S3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "files":
        return Place(str(tmp_path / "sessions"), on_s3=False)
    request.getfixturevalue("s3")
    return Place(request.getfixturevalue("bucket"), on_s3=True)


def agent(manager: Any, id: str = "a") -> Agent:
    return Agent(
        model=ScriptedTextModel(Timeline(), answer=lambda _: text_answer("yes")),
        agent_id=id,
        session_manager=manager,
        callback_handler=None,
    )


def said(one: Agent) -> list[str]:
    return [message["content"][0]["text"] for message in one.messages if message["role"] == "user"]


def test_what_the_sdk_stores_after_an_import_is_taken_over(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    agent(place.sdks())("old 1")
    agent(place.ours())("new 1")
    agent(place.sdks())("old 2")
    with caplog.at_level(logging.WARNING):
        assert said(agent(place.ours())) == ["old 1", "new 1", "old 2"]
    assert "messages=<2>" in caplog.text
    caplog.clear()
    agent(place.ours())("new 2")
    agent(place.sdks())("old 3")
    assert said(agent(place.ours())) == ["old 1", "new 1", "old 2", "new 2", "old 3"]
    caplog.clear()
    assert said(agent(place.ours())) == ["old 1", "new 1", "old 2", "new 2", "old 3"], "and once"
    assert "taken over" not in caplog.text


def test_an_old_instance_that_never_stopped(place: Place) -> None:
    old = agent(place.sdks())
    old("old 1")
    agent(place.ours())("new 1")
    old("old 2")
    new = agent(place.ours())
    old("old 3")
    new("new 2")
    assert said(agent(place.ours())) == ["old 1", "new 1", "old 2", "new 2", "old 3"]


def test_a_session_that_both_began(place: Place) -> None:
    agent(place.ours())("new 1")
    agent(place.sdks())("old 1")
    agent(place.sdks(), "another")("old 2")
    assert said(agent(place.ours())) == ["new 1", "old 1"]
    assert said(agent(place.ours(), "another")) == ["old 2"]


def test_two_that_take_over_at_once_take_each_message_once(place: Place) -> None:
    agent(place.sdks())("old 1")
    agent(place.ours())("new 1")
    agent(place.sdks())("old 2")
    one, other = place.ours(), place.ours()
    history = one.history()
    other._imports.take_over("s", history)  # it looked before the other one had stored what it took over
    assert said(agent(place.ours())) == ["old 1", "new 1", "old 2"]


def test_a_look_imports_nothing(place: Place) -> None:
    agent(place.sdks())("old 1")
    manager = place.ours()
    assert said(agent(manager)) == ["old 1"]
    assert manager.read_message("s", "a", 0).message["content"] == [{"text": "old 1"}]
    assert len(manager.list_messages("s", "a")) == 2
    assert not manager._store.exists()
    agent(place.sdks())("old 2")
    late = agent(place.ours())
    assert said(late) == ["old 1", "old 2"]
    late("new 1")
    assert said(agent(place.ours())) == ["old 1", "old 2", "new 1"]


def test_what_the_sdk_stored_between_a_look_and_the_first_message_is_there(place: Place) -> None:
    agent(place.sdks())("old 1")
    looked = agent(place.ours())
    agent(place.sdks())("old 2")
    looked("new 1")
    assert sorted(said(agent(place.ours()))) == ["new 1", "old 1", "old 2"]


def test_the_state_that_was_stored_last_is_taken(place: Place) -> None:
    old = agent(place.sdks())
    old.state.set("by", "old")
    old("old 1")
    new = agent(place.ours())
    new.state.set("by", "new")
    new("new 1")
    assert agent(place.ours()).state.get("by") == "new"
    old = agent(place.sdks())
    old.state.set("by", "old again")
    old("old 2")
    assert agent(place.ours()).state.get("by") == "old again"


@pytest.fixture(params=[timedelta(minutes=-1), timedelta(hours=-20), timedelta(days=1)], ids=str)
def another_clock(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Returns what has whatever is stored meanwhile stored by a clock that was set."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + request.param

    @contextlib.contextmanager
    def set_clock() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(session_types, "datetime", Clock)
            yield

    return set_clock


def in_state(manager: Any, **state: Any) -> Agent:
    one = agent(manager)
    for key, value in state.items():
        one.state.set(key, value)
    one("something")
    return one


def state(one: Agent) -> Any:
    return one.state.get()


def test_a_state_is_taken_over_whatever_the_clock_says(place: Place, another_clock: Any) -> None:
    in_state(place.sdks(), by="old")
    in_state(place.ours(), by="new")
    with another_clock():
        in_state(place.sdks(), by="old again")
    assert state(agent(place.ours())) == {"by": "old again"}
    in_state(place.ours(), by="new again")
    assert state(agent(place.ours())) == {"by": "new again"}, "and once"


def test_a_state_that_an_agent_here_stored_after_the_sdks_stays(place: Place, another_clock: Any) -> None:
    in_state(place.sdks(), by="old")
    new = in_state(place.ours(), by="new")
    with another_clock():
        in_state(place.sdks(), by="old again")
    new.state.set("by", "new, which was open all the while")
    new("and on")
    assert state(agent(place.ours())) == {"by": "new, which was open all the while"}


def test_a_state_that_the_sdk_only_writes_again_is_not_taken_over(place: Place) -> None:
    """It writes an agent's state with each message, and has never seen the one that was stored here."""
    in_state(place.sdks(), cart=["a"])
    in_state(place.ours(), cart=["a", "b"])
    in_state(place.sdks())
    assert state(agent(place.ours())) == {"cart": ["a", "b"]}


def test_two_that_take_over_a_state_at_once_keep_what_was_stored_since(place: Place) -> None:
    in_state(place.sdks(), by="old")
    in_state(place.ours(), by="new")
    in_state(place.sdks(), by="old again")
    assert step(place.sdks()) == 1
    assert step(place.ours()) == 2
    assert step(place.sdks()) == 2
    assert step(place.sdks()) == 3
    late, looked = place.ours(), place.ours
    history = late.history()
    manager = looked()
    late._imports.take_over("s", history)
    in_state(manager, by="new again")
    assert step(manager) == 4
    late._imports.take_over("s", history)  # it looked before the other one had stored anything
    assert state(agent(place.ours())) == {"by": "new again"}
    assert step(place.ours()) == 5


def test_a_team_that_went_on_here_after_the_sdks_stays(place: Place) -> None:
    assert step(place.sdks()) == 1
    team: Any = Team()
    here = place.ours()
    here.initialize_multi_agent(team)
    here.sync_multi_agent(team)
    assert step(place.sdks()) == 2
    team.state["step"] = 10
    here.sync_multi_agent(team)
    assert step(place.ours()) == 11


def test_what_is_noted_of_states_does_not_set_back_what_was_noted_with_them(place: Place) -> None:
    in_state(place.sdks(), by="old")
    agent(place.sdks(), "another")("old 1")
    ours = place.ours()
    in_state(ours, by="new")
    agent(place.sdks(), "another")("old 2")
    in_state(place.sdks(), by="old again")
    late = ours.history().agents["a"].record
    ours._store.submit([agent_set({**late, "state": {"by": "new again"}})])
    ours.read_session("s")  # what it takes over is stored with what is in line
    mark = ours.history().session["imported"]
    assert mark["state"].rstrip(UNSURE) == ours._sdk_session("s").state().rstrip(UNSURE)
    assert said(agent(place.ours(), "another")) == ["old 1", "old 2"]


def test_files_of_one_tick_of_the_clock_are_told_apart(tmp_path: Path) -> None:
    place, tick = Place(str(tmp_path), on_s3=False), time.time_ns()

    def written_at_once(**state: Any) -> None:
        in_state(place.sdks(), **state)
        for folder, _, _ in os.walk(tmp_path / "session_s"):
            os.utime(folder, ns=(tick, tick))

    written_at_once(by="old")
    in_state(place.ours(), by="new")
    written_at_once(by="old again")
    place.ours()
    manager = place.sdks()
    stored = manager.read_agent("s", "a")
    stored.state["by"] = "old, a third time"  # nothing else is written, and no file has come
    manager.update_agent("s", stored)
    for folder, _, _ in os.walk(tmp_path / "session_s"):
        os.utime(folder, ns=(tick, tick))
    assert state(agent(place.ours())) == {"by": "old, a third time"}


def test_objects_of_one_second_are_told_apart() -> None:
    """S3 says when an object was written to the second, by another clock than this machine's."""

    class Still(Bucket):
        def put(self, request: Any) -> None:
            super().put(request)
            self.objects[request["Key"]].modified = datetime(2026, 1, 1, tzinfo=timezone.utc)

    s3 = Session(ListingClient(Still()))

    def sdks() -> Any:
        return SdkS3SessionManager("s", bucket="b", boto_session=s3)

    def ours() -> Any:
        return S3SessionManager("s", bucket="b", boto_session=s3)

    assert step(sdks()) == 1
    assert step(ours()) == 2
    assert step(sdks()) == 2
    assert step(sdks()) == 3
    assert step(ours()) == 4


def test_a_mark_of_an_earlier_version_is_understood(place: Place, another_clock: Any) -> None:
    """It had the time of an agent's record in place of what the record says."""
    in_state(place.sdks(), by="old")
    ours = place.ours()
    in_state(ours, by="new")
    session = dict(ours.history().session)
    seen = place.sdks().read_agent("s", "a").updated_at
    ours._store.commit(
        [{"op": "session", "session": {**session, "imported": {**session["imported"], "agents": {"a": seen}}}}]
    )
    assert state(agent(place.ours())) == {"by": "new"}
    with another_clock():
        in_state(place.sdks(), by="old again")
    assert state(agent(place.ours())) == {"by": "old again"}


def test_a_redaction_by_the_sdk_is_taken_over_and_one_by_us_is_not_undone(place: Place) -> None:
    old = agent(place.sdks())
    old("a secret")
    old("another secret")
    ours = place.ours()
    agent(ours)("new 1")
    theirs = place.sdks()
    first = theirs.read_message("s", "a", 0)
    first.redact_message = {**first.message, "content": [{"text": "[redacted there]"}]}
    theirs.update_message("s", "a", first)
    ours.update_message(
        "s", "a", SessionMessage(text_message("x"), 2, {"role": "user", "content": [{"text": "[redacted here]"}]})
    )
    assert said(agent(place.ours())) == ["[redacted there]", "[redacted here]", "new 1"]
    if isinstance(place.ours(), FileSessionManager):
        assert b"secret" not in (Path(place.where) / "journal_s" / "journal").read_bytes()


def redact(manager: Any, id: int, text: str) -> None:
    stored = manager.read_message("s", "a", id)
    redacted: Any = {"role": "user", "content": [{"text": text}]}
    manager.update_message("s", "a", SessionMessage(stored.message, id, redacted))


def test_what_the_sdk_left_in_a_redaction_and_we_redacted_does_not_come_back(place: Place) -> None:
    agent(place.sdks())("card 4111, Bob")
    agent(place.ours())("imported")
    redact(place.sdks(), 0, "card [redacted], Bob")
    assert said(agent(place.ours())) == ["card [redacted], Bob", "imported"]
    redact(place.ours(), 0, "[all redacted]")
    agent(place.sdks())("of the old instance")
    assert said(agent(place.ours()))[0] == "[all redacted]"
    redact(place.sdks(), 0, "[redacted by the old instance once more]")
    assert said(agent(place.ours()))[0] == "[redacted by the old instance once more]"


def test_a_redaction_by_the_sdk_that_cannot_be_taken_over_at_once_is_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk_layout, "COARSE", 0)
    agent(place.sdks())("card 4111")
    agent(place.ours())("imported")
    redact(place.sdks(), 0, "[redacted]")
    agent(place.sdks())("of the old instance")
    with monkeypatch.context() as patched:
        patched.setattr(SessionStore, "replace_for_good", lambda *_: (_ for _ in ()).throw(SessionException("full")))
        with pytest.raises(SessionException, match="full"):
            place.ours()
    assert said(agent(place.ours())) == ["[redacted]", "imported", "of the old instance"]


class Team:
    id = "team"

    def __init__(self) -> None:
        self.state: Any = {"step": 0}

    def serialize_state(self) -> Any:
        return dict(self.state)

    def deserialize_state(self, state: Any) -> None:
        self.state = state


def step(manager: Any) -> int:
    team: Any = Team()
    manager.initialize_multi_agent(team)
    team.state["step"] += 1
    manager.sync_multi_agent(team)
    return int(team.state["step"])


def test_a_team_goes_on_where_the_sdk_left_it(place: Place) -> None:
    assert step(place.sdks()) == 1
    assert step(place.ours()) == 2
    theirs = place.sdks()
    assert step(theirs) == 2
    assert step(theirs.__class__("s", place.where)) == 3
    assert step(place.ours()) == 4, "the SDK's is the one that went on since this manager looked"


def test_nothing_is_read_again_where_nothing_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk_layout, "COARSE", 0)
    place = Place(str(tmp_path), on_s3=False)
    agent(place.sdks())("old 1")
    agent(place.ours())("new 1")

    def never(*args: Any) -> Any:
        raise AssertionError("the SDK's files were read again")

    monkeypatch.setattr(sdk_layout.SdkFolder, "read", never)
    assert said(agent(place.ours())) == ["old 1", "new 1"]


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Returns what makes all storage read-only, also for root."""

    def refuse(path: Any) -> OSError:
        return OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    def make() -> None:
        opened = os.open

        def open_to_read(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                raise refuse(path)
            return opened(path, flags, *args, **kwargs)

        def refused(path: Any, *args: Any, **kwargs: Any) -> None:
            raise refuse(path)

        monkeypatch.setattr(os, "open", open_to_read)
        for name in ("mkdir", "rename", "replace", "unlink", "rmdir", "chmod", "utime"):
            monkeypatch.setattr(os, name, refused)

    return make


@pytest.mark.parametrize("imported", [True, False])
def test_a_read_only_disk_can_be_read(tmp_path: Path, imported: bool, read_only: Any) -> None:
    place = Place(str(tmp_path), on_s3=False)
    first = agent(place.sdks())
    first("old 1")
    if imported:
        first = agent(place.ours())
        first("new 1")
    read_only()
    again = agent(place.ours())
    assert difference(first.messages, again.messages) is None
    with pytest.raises(SessionException, match=r"(?i)read-only"):
        again("and on")


def test_voice_goes_on_in_turn(tmp_path: Path) -> None:
    def talk(manager: Any, text: str) -> list[str]:
        voice = open_agent(tmp_path, manager=manager, agent_id="v")
        asyncio.run(add(voice, text_message(text)))
        return [message["content"][0]["text"] for message in voice.messages]

    place = Place(str(tmp_path), on_s3=False)
    talk(place.sdks(), "old 1")
    talk(place.ours(), "new 1")
    talk(place.sdks(), "old 2")
    assert talk(place.ours(), "new 2") == ["old 1", "new 1", "old 2", "new 2"]


def test_a_graph_in_turn(place: Place) -> None:
    def run(manager: Any) -> Any:
        graph = GraphBuilder()
        graph.add_node(agent(None), "n")
        graph.set_max_node_executions(2)
        graph.set_session_manager(manager)
        return graph.build()("go").status.value

    assert [run(manager()) for manager in (place.sdks, place.ours, place.sdks, place.ours)] == ["completed"] * 4


def send_again(one: Agent, message: Any) -> None:
    one.messages.append(message)
    one.hooks.invoke_callbacks(MessageAddedEvent(agent=one, message=message))


def test_each_copy_of_a_message_is_taken_over_once(place: Place) -> None:
    """An application may send a message a second time: it has the same tracking id then."""
    again, old = text_message("again"), agent(place.sdks())

    def add_again() -> None:
        send_again(old, again)

    add_again()
    old("old 1")
    add_again()
    looked = agent(place.ours())
    assert said(looked) == ["again", "old 1", "again"]
    looked("new 1")
    assert said(agent(place.ours())) == ["again", "old 1", "again", "new 1"]
    add_again()
    one, other = place.ours(), place.ours()
    other._imports.take_over("s", one.history())  # it looked before the other one had stored what it took over
    assert said(agent(place.ours())) == ["again", "old 1", "again", "new 1", "again"]
    agent(place.ours())("new 2")
    assert said(agent(place.ours())) == ["again", "old 1", "again", "new 1", "again", "new 2"]


def send_first_again(manager: Any) -> None:
    one = agent(manager)
    asyncio.run(add(one, one.messages[0]))


def test_a_message_that_is_sent_again_here_and_there_was_sent_twice(place: Place) -> None:
    agent(place.sdks())("again")
    agent(place.ours())("new 1")
    send_first_again(place.sdks())
    new = agent(place.ours())
    send_first_again(place.sdks())
    asyncio.run(add(new, new.messages[0]))
    assert said(agent(place.ours())) == ["again", "new 1", "again", "again", "again"]
    one, other = place.ours(), place.ours()
    send_first_again(place.sdks())
    looks = [(manager, manager.history()) for manager in (one, other)]
    for manager, history in looks:
        manager._imports.take_over("s", history)  # both looked before one had stored what it took over
    assert said(agent(place.ours())) == ["again", "new 1", "again", "again", "again", "again"]


def test_what_was_handed_back_is_not_taken_over_for_sent_again(place: Place) -> None:
    agent(place.sdks())("again")
    send_first_again(place.ours())
    send_first_again(place.ours())
    place.ours().hand_back()
    assert said(agent(place.sdks())) == ["again"] * 3
    assert said(agent(place.ours())) == ["again"] * 3
    send_first_again(place.sdks())
    send_first_again(place.ours())
    assert said(agent(place.ours())) == ["again"] * 5


def test_a_message_that_an_application_gives_to_both_was_sent_once(place: Place) -> None:
    agent(place.sdks())("old 1")
    given = text_message("given to both")
    asyncio.run(add(agent(place.ours()), dict(given)))
    send_again(agent(place.sdks()), dict(given))
    assert said(agent(place.ours())) == ["old 1", "given to both"]


@pytest.mark.parametrize("summarises", [False, True])
def test_what_memory_let_go_of_stays_away_where_nothing_else_happened_here(place: Place, summarises: bool) -> None:
    """The SDK's conversation manager lets go of messages as well, and counts them, or restores a summary of them."""
    for text in ("old 1", "old 2", "old 3"):
        agent(place.sdks())(text)
    here = agent(place.ours())
    del here.messages[2:4]
    here._session_manager.sync_agent(here)  # type: ignore[union-attr]
    there = agent(place.sdks())
    there.conversation_manager = SlidingWindowConversationManager(window_size=6)
    if summarises:
        there.conversation_manager = SummarizingConversationManager(summary_ratio=0.5, preserve_recent_messages=2)
        there.conversation_manager.reduce_context(there)
    there("old 4")
    assert there.conversation_manager.removed_message_count > 0
    assert [m["content"] for m in agent(place.ours()).messages if m["role"] == "user"] == [
        [{"text": text}] for text in ("old 1", "old 3", "old 4")
    ]


@tool(context=True)
def ask(tool_context: ToolContext) -> str:
    """Ask a person."""
    return f"the answer is {tool_context.interrupt('question', reason='may I?')}"


def asking(manager: Any) -> Agent:
    use = {"type": "tool_use_blocks", "tool_uses": [{"toolUseId": "use", "name": "ask", "input": {}}]}

    def answer(messages: list[Any]) -> list[Any]:
        asks = messages[-1]["content"][0].get("text") == "ask"
        return [{"type": "response_start"}, use, {"type": "response_stop"}] if asks else text_answer("yes")

    model = ScriptedTextModel(Timeline(), answer=answer)
    return Agent(model=model, agent_id="a", session_manager=manager, tools=[ask], callback_handler=None)


@pytest.mark.parametrize("here", ["nothing", "a message", "let go"])
def test_what_the_sdks_agent_waits_for_is_answered_here(place: Place, here: str) -> None:
    asking(place.sdks())("old 1")
    one = asking(place.ours())
    if here == "a message":
        one("new 1")
    elif here == "let go":
        one.messages.clear()
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    said_ahead = [m["content"][0]["text"] for m in one.messages] + ["ask"]
    waiting = asking(place.sdks())("ask")
    assert waiting.stop_reason == "interrupt"
    [interrupt] = waiting.interrupts or []
    response: Any = [{"interruptResponse": {"interruptId": interrupt.id, "response": "yes, you may"}}]
    one = asking(place.ours())
    assert said_ahead == [m["content"][0]["text"] for m in one.messages if "text" in m["content"][0]]
    assert one(response).stop_reason == "end_turn"
    [result] = [block["toolResult"] for m in one.messages for block in m["content"] if "toolResult" in block]
    assert result["content"] == [{"text": "the answer is yes, you may"}]
    assert not difference(one.messages, asking(place.ours()).messages)
