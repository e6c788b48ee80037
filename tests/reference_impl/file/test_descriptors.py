"""A process may keep more sessions open than it may have files: those that are idle let go of theirs."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file import descriptors
from session_conformance.reference_impl.file.journal_file import JournalFile
from session_conformance.reference_impl.log.change_log import Deleted
from strands import Agent

from tests.reference_impl.agents import open_agent, text_message, texts_of

MOST = 4

needs_a_count = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system tells no open files")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(descriptors, "_open", {})
    monkeypatch.setattr(descriptors, "most_sessions", lambda: MOST)
    return


def open_files(folder: Path) -> int:
    """Return how many descriptors of files in a folder this process has."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += str(descriptor.readlink()).startswith(str(folder))
    return found


def opened(folder: Path, count: int) -> list[Any]:
    return [open_agent(folder, f"s{number}") for number in range(count)]


def say(agent: Any, text: str) -> None:
    message = text_message(text)
    agent.messages.append(message)
    agent._session_manager.append_message(message, agent)


@needs_a_count
def test_files_do_not_grow_with_the_sessions_that_are_open(tmp_path: Path) -> None:
    agents = opened(tmp_path, 20)
    for text in ("one", "two"):
        for agent in agents:
            say(agent, text)
        assert open_files(tmp_path) <= 2 * MOST
    for number in range(20):
        assert texts_of(tmp_path, f"s{number}") == ["one", "two"]


@needs_a_count
def test_those_that_were_used_last_keep_their_files(tmp_path: Path) -> None:
    first, *others = opened(tmp_path, MOST)
    for agent in (first, *others):
        say(agent, "one")
    say(first, "two")
    say(open_agent(tmp_path, "late"), "one")
    assert first._session_manager._store._log._handle.is_held
    assert not others[0]._session_manager._store._log._handle.is_held


def test_a_session_that_let_go_of_its_files_notices_that_it_was_deleted(tmp_path: Path) -> None:
    agents = opened(tmp_path, 12)
    for agent in agents:
        say(agent, "one")
    FileSessionManager("s0", str(tmp_path)).delete_session("s0")
    say(open_agent(tmp_path, "s0"), "another life")
    with pytest.raises(Deleted):
        say(agents[0], "two")
    assert texts_of(tmp_path, "s0") == ["another life"]


def test_a_session_in_the_midst_of_something_lets_go_of_nothing(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    say(agent, "one")
    log: JournalFile = agent._session_manager._store._log
    answers: list[bool] = []
    with log.writing():
        answers.append(log.let_go())  # as the handler of a signal would have it
        thread = threading.Thread(target=lambda: answers.append(log.let_go()))
        thread.start()
        thread.join()
        assert log._handle.is_held
    assert answers == [False, False]
    assert log.let_go()
    assert not log._handle.is_held
    say(agent, "two")
    assert texts_of(tmp_path) == ["one", "two"]


def test_many_threads_with_many_sessions_lose_nothing(tmp_path: Path) -> None:
    agents, failures = opened(tmp_path, 16), []

    def talk(mine: list[Any]) -> None:
        try:
            for number in range(10):
                for agent in mine:
                    say(agent, str(number))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=talk, args=(agents[number::4],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for number in range(16):
        assert texts_of(tmp_path, f"s{number}") == [str(said) for said in range(10)]


@pytest.mark.parametrize(("limit", "most"), [(64, 8), (1024, 128), (8, 4)])
def test_a_fourth_of_what_the_process_may_have_open_is_for_sessions(
    monkeypatch: pytest.MonkeyPatch, limit: int, most: int
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(descriptors.resource, "getrlimit", lambda _: (limit, limit))
    assert descriptors.most_sessions() == most


def test_agents_of_a_process_with_few_descriptors_go_on(tmp_path: Path) -> None:
    """Text agents never stop: an application that keeps them has each of their sessions open."""
    agents = [
        Agent(session_manager=FileSessionManager(f"s{number}", str(tmp_path)), agent_id="a", callback_handler=None)
        for number in range(12)
    ]
    for agent in agents:
        agent._session_manager.sync_agent(agent)  # type: ignore[union-attr]
    held = [agent._session_manager._store._log._handle.is_held for agent in agents]  # type: ignore[union-attr]
    assert held == [False] * (12 - MOST) + [True] * MOST
