"""Truly new processes, storage that fails in them, hangs, and the clock: each does what its name says."""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from session_conformance.harness import Hang, Script, Session, play, read_in_fresh_process
from session_conformance.harness.conversations import Die, ProcessDied, in_fresh_process
from session_conformance.harness.process import clock, fail_writes, let_writes_work, within_limit
from session_conformance.harness.scripts import ProcessEnd, StorageFails, StorageWorks
from session_conformance.harness.timeline import Failed, Happened, ProcessStarted


def answer(session: Session, die: Die, text: str) -> str:
    return f"{text} {os.getpid()} {session.session_id}"


def dies(session: Session, die: Die) -> str:
    die("last words")
    raise AssertionError("not reached")


def crashes(session: Session, die: Die) -> str:
    os._exit(7)


def waits_for_ever(session: Session, die: Die) -> str:
    threading.Event().wait()
    return ""


def raises(session: Session, die: Die) -> str:
    raise KeyError("what the child raised")


def writes(session: Session, die: Die) -> str:
    path = session.workspace.folder / "f"
    told = []
    for step in (lambda: None, fail_writes, let_writes_work):
        step()
        try:
            path.write_bytes(b"data")
            told.append("written")
        except OSError as error:
            told.append(error.strerror)
    return ", ".join(told)


def test_a_process_answers_from_elsewhere(session: Session) -> None:
    text, pid, name = in_fresh_process(answer, session, "from").split()
    assert (text, name) == ("from", session.session_id)
    assert int(pid) != os.getpid()


def test_a_process_that_is_killed_says_its_last_words(session: Session) -> None:
    assert in_fresh_process(dies, session) == "last words"


@pytest.mark.parametrize(
    ("work", "told"), [(crashes, "code 7 and without an answer"), (raises, "KeyError: 'what the child raised'")]
)
def test_a_process_that_does_not_answer_is_told_of(session: Session, work: Callable[..., str], told: str) -> None:
    with pytest.raises(ProcessDied, match=told):
        in_fresh_process(work, session)


def test_a_process_that_hangs_is_killed(session: Session) -> None:
    with pytest.raises(Hang, match=r"did not end within 0\.2 s"):
        in_fresh_process(waits_for_ever, session, limit_s=0.2)


def test_files_cannot_be_written_and_then_can(session: Session) -> None:
    assert in_fresh_process(writes, session) == "written, File too large, written"
    (session.workspace.folder / "here").write_bytes(b"this process is left alone")


def test_storage_faults_are_played_and_seen(session: Session) -> None:
    script = Script().user("a").then(StorageFails()).user("b").then(StorageWorks()).user("c")
    timeline = play(session, script, fresh_processes=True)
    [failed] = timeline.of(Failed)
    assert (failed.where, failed.type) == ("agent.send()", "SessionException")
    assert [happened.what for happened in timeline.of(Happened)] == [
        "from here on, nothing can be stored",
        "everything can be stored again",
    ]


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_a_process_has_its_parent_make_faults(end: ProcessEnd, session: Session) -> None:
    happened: list[tuple[str, int]] = []

    @contextlib.contextmanager
    def fault() -> Iterator[None]:
        happened.append(("begins", os.getpid()))
        yield
        happened.append(("ends", os.getpid()))

    script = Script().user("a").then(StorageFails()).user("b").restarts_process(end).user("c")
    timeline = play(session, script, fresh_processes=True, storage_fault=fault)
    assert happened == [("begins", os.getpid()), ("ends", os.getpid())]
    assert len(timeline.of(ProcessStarted)) == 2


def test_a_killed_process_never_stops_its_agent(session: Session) -> None:
    timeline = play(session, Script().user("a").restarts_process("killed").user("b"), fresh_processes=True)
    assert [len(started.memory) for started in timeline.of(ProcessStarted)] == [0, 1]
    assert {call.event for call in timeline.hooks("agent_stop") if call.at < timeline.of(ProcessStarted)[1].at} == set()
    with pytest.raises(ValueError, match="fresh_processes=True"):
        play(session, Script().restarts_process("killed"))


def test_work_that_blocks_its_thread_is_named_a_hang() -> None:
    for_ever = threading.Event()
    with pytest.raises(Hang, match=r"the script did not end within 0\.1 s"):
        within_limit(for_ever.wait, "the script", 0.1)
    for_ever.set()


def test_work_in_time_returns_or_raises() -> None:
    assert within_limit(lambda: 3, "it") == 3
    with pytest.raises(ZeroDivisionError):
        within_limit(lambda: 1 // 0, "it")


def test_eight_minutes_pass_at_once_and_in_order() -> None:
    async def main() -> list[str]:
        woken: list[str] = []
        loop = asyncio.get_running_loop()
        assert isinstance(loop, clock.MovableClockLoop)
        loop.call_later(480, woken.append, "late")
        loop.call_later(240, woken.append, "early")
        loop.advance(479)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        woken.append("between")
        loop.advance(2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return woken

    began = time.monotonic()
    assert clock.run(main()) == ["early", "between", "late"]
    assert time.monotonic() - began < 240  # not a benchmark: minutes did not pass


def test_what_is_left_running_is_ended() -> None:
    ended: list[str] = []

    async def left_behind() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    async def main() -> None:
        asyncio.ensure_future(left_behind())  # noqa: RUF006
        await asyncio.sleep(0)

    clock.run(main())
    assert ended == ["ended"]


def test_a_session_that_no_other_process_can_open(tmp_path: Path) -> None:
    from session_conformance.harness import Backend, Workspace

    backend = Backend(name="nameless", open=lambda session_id, workspace: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(ValueError, match="nameless has no importable name"):
        read_in_fresh_process(Session(backend, Workspace(tmp_path)))


def leaves_a_thread_behind(session: Session, die: Die) -> str:
    threading.Thread(target=threading.Event().wait).start()
    return "its answer"


def test_a_process_that_has_answered_and_does_not_end_is_ended(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("session_conformance.harness.conversations._processes._END_LIMIT_S", 0.3)
    assert in_fresh_process(leaves_a_thread_behind, session) == "its answer"
