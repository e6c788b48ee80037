"""A journal is the one that was read only if its bytes are: rewritten, deleted, begun anew or failed to be written."""

import asyncio
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file import journal_file
from session_conformance.reference_impl.file.handle import Handle
from session_conformance.reference_impl.file.scanning import scan
from strands.types.exceptions import SessionException
from strands.types.session import SessionMessage

from tests.reference_impl.agents import add, open_agent, text_message, texts_of

REDACTED = {"role": "user", "content": [{"text": "[redacted]"}]}


def manager_of(folder: Path) -> FileSessionManager:
    return FileSessionManager("s", storage_dir=str(folder))


def talk(agent: Any, *texts: str) -> None:
    asyncio.run(add(agent, *map(text_message, texts)))


def texts(folder: Path, agent_id: str) -> list[str]:
    agent = open_agent(folder, agent_id=agent_id)
    return [block["text"] for message in agent.messages for block in message["content"]]


def redacts(agent: Any, manager: FileSessionManager) -> None:
    talk(agent, "long " * 500)
    manager.redact_latest_message({**REDACTED, "tracking_id": agent.messages[-1]["tracking_id"]}, agent)


@pytest.mark.parametrize("rewritings", [1, 2, 3, 7])
def test_a_rewritten_journal_with_the_inode_of_another_is_another(tmp_path: Path, rewritings: int) -> None:
    """File systems reuse numbers: on ext4 every second file that is written anew has that of the one before."""
    talk(open_agent(tmp_path, agent_id="b"), "first")
    late = open_agent(tmp_path, agent_id="b")
    guard_manager = manager_of(tmp_path)
    guard = open_agent(tmp_path, agent_id="a", manager=guard_manager)
    for _ in range(rewritings):
        redacts(guard, guard_manager)
    talk(late, "late", "later")
    assert texts(tmp_path, "b") == ["first", "late", "later"]
    assert FileSessionManager.verify("s", str(tmp_path)).ok


def fails_once(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object] = lambda: None) -> None:
    sync, todo = journal_file._sync, [meanwhile]

    def fails(descriptor: int) -> object:
        if todo:
            todo.pop()()
            raise OSError(5, "Input/output error")
        return sync(descriptor)

    monkeypatch.setattr(journal_file, "_sync", fails)


def test_what_a_reader_saw_before_its_sync_failed_is_nothing_to_append_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = open_agent(tmp_path, agent_id="a")
    manager = manager_of(tmp_path)
    other = open_agent(tmp_path, agent_id="b", manager=manager)
    talk(failing, "first")
    talk(other, "first of b")
    fails_once(monkeypatch, lambda: manager.list_messages("s", "a"))
    with pytest.raises(SessionException, match="Input/output"):
        talk(failing, "not stored yet")
    talk(other, "acknowledged", "acknowledged too")
    assert texts(tmp_path, "b") == ["first of b", "acknowledged", "acknowledged too"]
    talk(failing, "goes on")
    assert texts(tmp_path, "a") == ["first", "not stored yet", "goes on"]
    assert FileSessionManager.verify("s", str(tmp_path)).ok


def test_the_power_may_go_at_any_time_after_a_failed_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk has any sectors of what failed, and any of what was written since the last sync that did not."""
    agent = open_agent(tmp_path)
    talk(agent, "acknowledged")
    path = tmp_path / "journal_s" / "journal"
    durable = bytearray(path.read_bytes())
    writes: list[tuple[int, bytes]] = []
    write = journal_file._write
    syncs = iter([False, *[True] * 10])

    def written(descriptor: int, data: bytes, offset: int) -> None:
        writes.append((offset, bytes(data)))
        write(descriptor, data, offset)

    states: list[bytes] = []

    def synced(_: int) -> None:
        if next(syncs):
            states.extend(mixtures(durable, writes))
            for offset, data in writes:
                durable[offset : offset + len(data)] = data
            writes.clear()
        else:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(journal_file, "_write", written)
    monkeypatch.setattr(journal_file, "_sync", synced)
    with pytest.raises(SessionException):
        talk(agent, "A" * 700)
    talk(agent, "B" * 1200)
    assert len(states) > 20
    for state in states:
        path.write_bytes(state)
        assert texts_of(tmp_path)[:1] == ["acknowledged"]


def mixtures(durable: bytearray, writes: list[tuple[int, bytes]]) -> list[bytes]:
    """Return what a disk may have: of each sector that was written, what it had before or after any of the writes."""
    now, made = bytearray(durable), [bytes(durable)]
    for offset, data in writes:
        before = bytes(now)
        now[offset : offset + len(data)] = data
        sectors = range(offset // 512, (offset + len(data) - 1) // 512 + 1)
        for kept in sectors:
            for base, other in ((before, now), (now, before), (durable, now)):
                mixed = bytearray(base)
                mixed[kept * 512 : (kept + 1) * 512] = other[kept * 512 : (kept + 1) * 512]
                made.append(bytes(mixed))
    return [*made, bytes(now)]


def test_a_clearing_that_fails_is_made_again_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = open_agent(tmp_path)
    talk(agent, "acknowledged")
    path = tmp_path / "journal_s" / "journal"
    end = scan(path.read_bytes()).end
    with monkeypatch.context() as patched:
        patched.setattr(journal_file, "_sync", lambda _: (_ for _ in ()).throw(OSError(5, "EIO")))
        for _ in range(3):
            with pytest.raises(SessionException):
                talk(agent, "x" * 3000)
            found = scan(path.read_bytes())
            assert found.end == end
            assert found.torn > 3000, "whoever comes next clears all that the disk may have"
    other = open_agent(tmp_path, agent_id="b")
    talk(other, "of another")
    assert texts(tmp_path, "b") == ["of another"]


@pytest.mark.parametrize("length", [1, 2000])
def test_a_successor_makes_durable_what_it_found_before_it_acknowledges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """Whoever wrote the last commit may have been killed before it was durable, and before the session's name was."""
    talk(open_agent(tmp_path), "first" * length)
    journal = (tmp_path / "journal_s" / "journal").read_bytes()
    found = scan(journal)
    synced: list[str] = []
    written: list[bytes] = []
    real_fsync, real_fdatasync, real_write = os.fsync, os.fdatasync, journal_file._write

    def write(descriptor: int, data: bytes, offset: int) -> None:
        written.append(bytes(data))
        real_write(descriptor, data, offset)

    def of(descriptor: int) -> str:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())

    def fsync(descriptor: int) -> None:
        synced.append(of(descriptor))
        real_fsync(descriptor)

    monkeypatch.setattr(journal_file, "_write", write)
    monkeypatch.setattr(journal_file, "sync_all", fsync)
    monkeypatch.setattr("session_conformance.reference_impl.file.posix.sync_all", fsync)
    monkeypatch.setattr(
        journal_file,
        "_sync",
        lambda descriptor: (synced.append(f"data of {of(descriptor)}"), real_fdatasync(descriptor)),
    )
    manager = manager_of(tmp_path)
    agent = open_agent(tmp_path, manager=manager)
    talk(agent, "second")
    folder = tmp_path / "journal_s"
    assert written[0] == (journal[found.last : found.end] if length > 1 else b"\0")
    assert synced[:3] == [str(folder / "journal"), str(folder), str(tmp_path)]
    assert synced[-1] == f"data of {folder / 'journal'}"


@pytest.mark.parametrize("how", ["says", "sets", "redacts", "syncs", "closes"])
@pytest.mark.parametrize("by", ["another manager", "its own manager", "both, closed"])
def test_what_was_deleted_and_begun_anew_sees_nothing_of_its_earlier_life(tmp_path: Path, how: str, by: str) -> None:
    manager = manager_of(tmp_path)
    old = open_agent(tmp_path, manager=manager)
    talk(old, "my pin is 1234")
    old.state.set("card", "card 4111")
    if by == "both, closed":
        manager.close()
    (manager if by == "its own manager" else manager_of(tmp_path)).delete_session("s")
    new = open_agent(tmp_path)
    talk(new, "hello, I am somebody else")

    def tries() -> None:
        if how == "says":
            talk(old, "late")
        elif how == "sets":
            old.state.set("card", "card 4242")
            manager.sync_agent(old)
        elif how == "redacts":
            manager.redact_latest_message(REDACTED, old)
        else:
            manager.sync_agent(old)

    if how == "closes":
        manager.close()
    else:
        with pytest.raises(SessionException, match="deleted while it was open"):
            tries()
        with pytest.raises(SessionException, match="deleted while it was open"):
            tries()
    again = open_agent(tmp_path)
    assert texts_of(tmp_path) == ["hello, I am somebody else"]
    assert again.state.get() == {}
    bytes_there = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(word in bytes_there for word in (b"pin is", b"card 4", b"late"))


def test_two_writers_in_turn_read_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = open_agent(tmp_path, agent_id="a"), open_agent(tmp_path, agent_id="b")
    monkeypatch.setattr(journal_file, "_sync", lambda _: None)
    talk(one, *["w" * 100] * 500)
    read: list[int] = []
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda *given: (lambda data: (read.append(len(data)), data)[1])(pread(*given)))

    def forbidden(*_: Any) -> Any:
        raise AssertionError("the whole journal is read")

    talk(two, "two")
    monkeypatch.setattr(journal_file, "look_at", forbidden)
    read.clear()
    for number in range(5):
        talk(one, f"a{number}")
        talk(two, f"b{number}")
    assert sum(read) < 10 * 16 * 1024


def test_a_state_that_was_set_before_is_no_sign_that_it_was_stored_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Team:
        id = "team"
        state = ""

        def serialize_state(self) -> dict[str, Any]:
            return {"status": self.state}

    manager, team = manager_of(tmp_path), Team()
    for state in ("idle", "busy"):
        team.state = state
        manager.create_multi_agent("s", team)  # type: ignore[arg-type]
    team.state = "idle"
    fails_once(monkeypatch)
    with pytest.raises(SessionException):
        manager.update_multi_agent("s", team)  # type: ignore[arg-type]
    manager.close()
    assert manager_of(tmp_path).read_multi_agent("s", "team") == {"status": "idle"}


def test_a_commit_that_was_stored_though_it_seemed_not_is_known_after_a_redaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes stand in the file, whole, and somebody who read them rewrites the journal."""
    manager = manager_of(tmp_path)
    agent = open_agent(tmp_path, manager=manager)
    talk(agent, "one", "to be redacted")
    write = journal_file._write
    with monkeypatch.context() as patched:
        fails_once(patched)

        def no_mark(descriptor: int, data: bytes, offset: int) -> None:
            if data.startswith(journal_file.WITHDRAWN):
                raise OSError(5, "Input/output error")
            write(descriptor, data, offset)

        patched.setattr(journal_file, "_write", no_mark)
        with pytest.raises(SessionException):
            talk(agent, "unsure")
    other = manager_of(tmp_path)
    stored = other.read_message("s", "default", 1)
    assert stored is not None
    other.update_message("s", "default", SessionMessage(stored.message, 1, REDACTED))  # type: ignore[arg-type]
    manager.sync_agent(agent)
    talk(agent, "next")
    assert texts_of(tmp_path) == ["one", "[redacted]", "unsure", "next"]


def test_an_outage_reads_nothing_again_and_writes_one_message_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(tmp_path)
    talk(agent, *["x" * 500] * 20)
    written: list[int] = []
    write = journal_file._write
    with monkeypatch.context() as patched:
        patched.setattr(journal_file, "_sync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        patched.setattr(
            journal_file, "_write", lambda fd, data, place: (written.append(len(data)), write(fd, data, place))[1]
        )

        def forbidden(*_: Any) -> Any:
            raise AssertionError("the whole journal is read")

        patched.setattr(journal_file, "look_at", forbidden)
        for number in range(50):
            with pytest.raises(SessionException, match="No space left"):
                talk(agent, f"{number} " + "y" * 500)
    assert sum(written) < 50 * 2000
    talk(agent, "z")
    assert len(texts_of(tmp_path)) == 20 + 50 + 1


class Odd(dict):  # type: ignore[type-arg]
    """A dict of which one reading fails, as if another thread changed it."""

    failures = 1

    def items(self) -> Any:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("dictionary changed size during iteration")
        return super().items()


@pytest.mark.parametrize("failures", [1, 2, 1000])
def test_an_exception_while_a_message_is_encoded_doubles_nothing_and_holds_up_nothing(
    tmp_path: Path, failures: int
) -> None:
    manager = manager_of(tmp_path)
    agent = open_agent(tmp_path, manager=manager)
    odd = Odd(x=1)
    odd.failures = failures
    talk(agent, "one", "two")
    agent.messages.append(text_message("odd", metadata={"custom": odd}))
    with pytest.raises((RuntimeError, SessionException)):
        manager.append_message(agent.messages[-1], agent)
    talk(agent, "three")
    talk(agent, "four")
    found = texts_of(tmp_path)
    assert [text for text in found if text != "odd"] == ["one", "two", "three", "four"]
    assert found.count("odd") <= 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a signal in a callback of gc
def test_the_handler_of_a_signal_may_raise_at_any_time(tmp_path: Path) -> None:
    import signal

    class Alarm(Exception):
        pass

    def rings(*_: Any) -> None:
        raise Alarm

    manager = manager_of(tmp_path)
    agent = open_agent(tmp_path, manager=manager)
    acknowledged, tried = [], []
    before = signal.signal(signal.SIGALRM, rings)
    try:
        for number in range(300):
            message = text_message(f"{number}")
            agent.messages.append(message)
            tried.append(f"{number}")
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.00003 * (1 + number % 60))
                manager.append_message(message, agent)
                acknowledged.append(f"{number}")
            except Alarm:
                pass
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    except Alarm:
        pass
    finally:
        signal.signal(signal.SIGALRM, before)
    manager.close()
    found = texts_of(tmp_path)
    assert len(found) == len(set(found)), "each at most once"
    assert set(acknowledged) <= set(found)
    assert found == [text for text in tried if text in set(found)], "in order"
    assert FileSessionManager.verify("s", str(tmp_path)).ok


@pytest.mark.parametrize("does", [Handle.unlock, Handle.lock])
def test_a_signal_at_either_end_of_a_write_keeps_no_other_writer_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: Any
) -> None:
    """The handler raised before the lock was given back: whoever wrote next waited until this one wrote again."""
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("one")))
    due = [KeyboardInterrupt]

    def rings(handle: Handle) -> Any:
        done = does(handle) if does is Handle.lock else None
        if due:
            raise due.pop()
        return done if does is Handle.lock else does(handle)

    with monkeypatch.context() as patched:
        patched.setattr(Handle, does.__name__, rings)
        with pytest.raises(KeyboardInterrupt):
            agent._session_manager.append_message(text_message("two"), agent)
    with (tmp_path / "journal_s" / "journal").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_signal_while_a_journal_is_replaced_keeps_nobody_waiting_for_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("one")))
    flock, due = fcntl.flock, [KeyboardInterrupt]

    def rings(file: Any, how: int) -> None:
        if how == fcntl.LOCK_UN and due and os.fstat(file).st_ino == os.fstat(before.fileno()).st_ino:
            raise due.pop()
        flock(file, how)

    with (tmp_path / "journal_s" / "journal").open("rb") as before:
        with monkeypatch.context() as patched:
            patched.setattr(fcntl, "flock", rings)
            with pytest.raises(KeyboardInterrupt):
                agent._session_manager.redact_latest_message(
                    {**REDACTED, "tracking_id": agent.messages[-1]["tracking_id"]}, agent
                )
        flock(before, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as whoever has had it open since
    assert not due


def test_a_signal_before_a_new_journal_is_taken_for_the_old_one_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("one")))

    def rings(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Handle, "adopt", rings)
        with pytest.raises(KeyboardInterrupt):
            agent._session_manager.redact_latest_message(
                {**REDACTED, "tracking_id": agent.messages[-1]["tracking_id"]}, agent
            )
    with (tmp_path / "journal_s" / "journal").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert texts_of(tmp_path) == ["[redacted]"]
