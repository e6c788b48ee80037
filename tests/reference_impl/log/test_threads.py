"""Work off the loop: tasks that are cancelled meanwhile are not torn, and other users of threads are not waited for."""

import asyncio
import contextlib
import os
import threading
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
from strands.hooks import AfterInvocationEvent, HookOrder

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


@pytest.mark.asyncio
@pytest.mark.parametrize("order", [HookOrder.SDK_FIRST, HookOrder.DEFAULT])
async def test_who_is_cancelled_while_the_last_is_stored_ends_within_the_invocation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: float
) -> None:
    """Else the exception comes at whatever is awaited next: behind the timeout that was put around the invocation."""
    agent = Agent(
        model=ScriptedTextModel(Timeline(), answer=lambda _: text_answer("yes")),
        session_manager=FileSessionManager("s", storage_dir=str(tmp_path)),
        agent_id="a",
        callback_handler=None,
    )
    loop, task, drain, is_last = asyncio.get_running_loop(), asyncio.current_task(), SessionStore.drain, []
    assert task is not None

    def change(event: AfterInvocationEvent) -> None:
        event.agent.state.set("turns", 1)
        is_last.append(True)

    def cancelled(store: Any, *arguments: Any) -> None:
        if is_last:
            is_last.clear()
            told = threading.Event()
            loop.call_soon_threadsafe(lambda: (task.cancel(), told.set()))
            assert told.wait(20)
        drain(store, *arguments)

    agent.add_hook(change, AfterInvocationEvent, order=order - 1)
    monkeypatch.setattr(SessionStore, "drain", cancelled)
    try:
        await agent.invoke_async("one")
        ended = "behind it"
    except asyncio.CancelledError:
        ended = "within"
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    assert not is_last
    assert ended == "within"
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    assert manager.read_agent("s", "a").state == {"turns": 1}  # type: ignore[union-attr]
    assert len(manager.list_messages("s", "a")) == 2
