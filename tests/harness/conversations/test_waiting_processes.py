"""Processes that wait for work: each does one piece of it, with the backend that it would have loaded itself."""

import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from session_conformance.harness import Session
from session_conformance.harness.backends import BackendSpec
from session_conformance.harness.conversations import Die, _processes, in_fresh_process

BACKEND = """
import os
from pathlib import Path
from session_conformance.reference_impl import FileSessionManager

PLACE = os.environ["PLACE"]

with open(Path(__file__).parent / "loaded", "a") as file:
    print(os.getpid(), file=file)

class Told(FileSessionManager):
    "Says by which process it was loaded."
"""


def place_and_process(session: Session, die: Die) -> str:
    assert session.backend.spec is not None
    module = sys.modules[session.backend.spec.target.partition(":")[0]]
    return f"{module.PLACE} {os.getpid()}"


@pytest.fixture
def told(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    module = f"loaded_for_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(BACKEND)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PLACE", "here")
    return replace(session, backend=BackendSpec("told", f"{module}:Told").resolve())


def at(session: Session, place: str) -> Session:
    return replace(session, workspace=replace(session.workspace, environment={"PLACE": place}))


def test_each_process_does_one_piece_of_work(told: Session, tmp_path: Path) -> None:
    answers = [in_fresh_process(place_and_process, at(told, "there")).split() for _ in range(5)]
    loaded = Counter((tmp_path / "loaded").read_text().split())
    assert {place for place, _ in answers} == {"there"}
    assert len({process for _, process in answers}) == 5
    assert {process for _, process in answers} <= set(loaded)
    assert set(loaded.values()) == {1}
    assert len(loaded) <= 5 + 2 + 1  # those that wait still, and this one, which has loaded it too


def test_what_is_found_in_the_environment_is_the_workspaces(told: Session) -> None:
    places = [in_fresh_process(place_and_process, at(told, place)).split()[0] for place in "abab"]
    assert places == ["a", "b", "a", "b"]


def test_one_that_was_ended_while_it_waited_is_nobodys_fault(told: Session) -> None:
    there = at(told, "there")
    in_fresh_process(place_and_process, there)
    for waiting in _processes._waiting._processes:
        waiting.process.kill()
        waiting.process.join()
    assert in_fresh_process(place_and_process, there).startswith("there ")
