"""Work off the loop: tasks that are cancelled meanwhile are not torn, and other users of threads are not waited for."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness import ScriptedBidiModel, ScriptedTextModel, Timeline
from session_conformance.harness.models import text_answer
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file.journal_file import JournalFile
from session_conformance.reference_impl.log.session_store import SessionStore
from session_conformance.reference_impl.log.threads import off_loop
from strands import Agent
from strands.bidi import BidiAgent
from strands.bidi.types.events import BidiTextStartEvent
from strands.hooks import AfterInvocationEvent, AfterMultiAgentInvocationEvent, HookOrder
from strands.multiagent import GraphBuilder

from tests.reference_impl.agents import open_agent


@pytest.mark.asyncio
async def test_a_task_that_is_cancelled_waits_and_ends_at_its_next_await() -> None:
    begun, goes_on, told = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        goes_on.wait()
        told.append("stored")

    async def task() -> None:
        await off_loop(work)
        told.append("told")
        await asyncio.sleep(0)
        told.append("never")

    running = asyncio.create_task(task())
    await asyncio.to_thread(begun.wait)
    for _ in range(2):
        running.cancel()
        await asyncio.sleep(0)
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert told == ["stored", "told"]


@pytest.mark.asyncio
async def test_a_timeout_around_it_stays_a_timeout() -> None:
    goes_on = threading.Event()

    async def task() -> None:
        await off_loop(goes_on.wait)
        await asyncio.sleep(0)

    running = asyncio.ensure_future(asyncio.wait_for(task(), 0.001))
    while not running.done():
        goes_on.set()
        await asyncio.sleep(0.001)
    if running.exception() is not None:  # unless it was done in time
        assert isinstance(running.exception(), asyncio.TimeoutError)


@pytest.mark.asyncio
async def test_what_fails_while_its_task_is_cancelled_says_so() -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        goes_on.wait()
        raise OSError("no room")

    running = asyncio.create_task(off_loop(work))
    await asyncio.to_thread(begun.wait)
    running.cancel()
    await asyncio.sleep(0)
    goes_on.set()
    with pytest.raises(OSError, match="no room"):
        await running


@pytest.mark.asyncio
async def test_it_does_not_wait_for_whoever_else_uses_threads() -> None:
    ends = threading.Event()

    others = [asyncio.ensure_future(asyncio.to_thread(ends.wait)) for _ in range(64)]
    await asyncio.sleep(0)
    await off_loop(int)
    assert not any(other.done() for other in others)
    ends.set()
    await asyncio.gather(*others)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks on this platform")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_process_that_was_forked_has_threads_of_its_own() -> None:
    asyncio.run(off_loop(int))
    child = os.fork()
    if not child:
        try:
            asyncio.run(asyncio.wait_for(off_loop(int), 30))
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class _Speaks(ScriptedBidiModel):
    """Begins to say something as soon as it is started."""

    async def receive(self):  # type: ignore[no-untyped-def, override]
        yield BidiTextStartEvent(content_id="never-ends")
        await asyncio.Event().wait()


@pytest.mark.asyncio
async def test_a_stream_that_is_stopped_while_its_placeholder_is_stored_is_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, goes_on, append = threading.Event(), threading.Event(), JournalFile.append

    def slow(self: JournalFile, body: bytes, label: str = "") -> None:
        if b"pending" in body:
            at_work.set()
            goes_on.wait()
        append(self, body, label)

    monkeypatch.setattr(JournalFile, "append", slow)
    agent = BidiAgent(
        model=_Speaks(Timeline()),
        session_manager=FileSessionManager("s", storage_dir=str(tmp_path)),
        agent_id="default",
    )

    await agent.start()
    await asyncio.to_thread(at_work.wait)
    stopping = asyncio.ensure_future(agent.stop())
    await asyncio.sleep(0)
    goes_on.set()
    await stopping
    for messages in (agent.messages, open_agent(tmp_path, agent_id="default").messages):
        assert [message["metadata"]["custom"]["bidi"]["status"] for message in messages] == ["incomplete"]


def cancelled_while_storing(monkeypatch: pytest.MonkeyPatch, is_last: list[bool]) -> None:
    """Have this task be cancelled while the next change is stored, once it is said that it is the last."""
    loop, task, drain = asyncio.get_running_loop(), asyncio.current_task(), SessionStore.drain
    assert task is not None

    def cancelled(store: Any, *arguments: Any) -> None:
        if is_last:
            is_last.clear()
            told = threading.Event()
            loop.call_soon_threadsafe(lambda: (task.cancel(), told.set()))
            assert told.wait(20)
        drain(store, *arguments)

    monkeypatch.setattr(SessionStore, "drain", cancelled)


async def ended(work: Awaitable[Any]) -> str:
    """Return where the exception of a cancellation came: within some work, or behind it."""
    try:
        await work
    except asyncio.CancelledError:
        return "within"
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    return "behind it"


def text_agent(**arguments: Any) -> Agent:
    model = ScriptedTextModel(Timeline(), answer=lambda _: text_answer("yes"))
    return Agent(model=model, agent_id="a", callback_handler=None, **arguments)


@pytest.mark.asyncio
@pytest.mark.parametrize("order", [HookOrder.SDK_FIRST, HookOrder.DEFAULT])
async def test_who_is_cancelled_while_the_last_is_stored_ends_within_the_invocation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: float
) -> None:
    """Else the exception comes at whatever is awaited next: behind the timeout that was put around the invocation."""
    agent = text_agent(session_manager=FileSessionManager("s", storage_dir=str(tmp_path)))
    is_last: list[bool] = []

    def change(event: AfterInvocationEvent) -> None:
        event.agent.state.set("turns", 1)
        is_last.append(True)

    agent.add_hook(change, AfterInvocationEvent, order=order - 1)
    cancelled_while_storing(monkeypatch, is_last)
    assert await ended(agent.invoke_async("one")) == "within"
    assert not is_last
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    assert manager.read_agent("s", "a").state == {"turns": 1}  # type: ignore[union-attr]
    assert len(manager.list_messages("s", "a")) == 2


@pytest.mark.asyncio
async def test_a_team_that_is_cancelled_while_the_last_is_stored_ends_within_its_invocation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_last: list[bool] = []

    class Hooks:
        def register_hooks(self, registry: Any, **_: Any) -> None:
            registry.add_callback(
                AfterMultiAgentInvocationEvent, lambda _: is_last.append(True), order=HookOrder.SDK_FIRST - 1
            )

    builder = GraphBuilder()
    builder.add_node(text_agent(), "a")
    builder.set_max_node_executions(3)
    builder.set_graph_id("team")
    builder.set_hook_providers([Hooks()])
    builder.set_session_manager(FileSessionManager("s", storage_dir=str(tmp_path)))
    graph = builder.build()
    cancelled_while_storing(monkeypatch, is_last)
    assert await ended(graph.invoke_async("one")) == "within"
    assert not is_last
    state = FileSessionManager("s", storage_dir=str(tmp_path)).read_multi_agent("s", "team")
    assert state is not None
    assert state["completed_nodes"] == ["a"]


@pytest.mark.asyncio
async def test_a_voice_that_is_cancelled_while_it_stops_ends_within(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(tmp_path)
    is_last: list[bool] = []
    cancelled_while_storing(monkeypatch, is_last)
    await agent.start()
    agent.state.set("turns", 1)
    is_last.append(True)
    assert await ended(agent.stop()) == "within"
    assert not is_last
    assert open_agent(tmp_path).state.get("turns") == 1
