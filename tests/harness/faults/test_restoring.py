"""States of crashes are read in their order by other processes, each state once, and are made when they are needed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from session_conformance.harness import BackendSpec, Session, Workspace
from session_conformance.harness.faults import Contents, CrashState, Restorations
from session_conformance.harness.faults.file_system import ROOT, SetName, State, Write
from strands.session import FileSessionManager


class SaysWhatLiesThere(FileSessionManager):
    """Cannot be opened, and says why: what lies in its folder. Some states end its process."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        said = (Path(storage_dir) / "said").read_text()
        if said == "003 and more":
            os._exit(7)
        raise ValueError(f"{said} for {Path(storage_dir).name} in {os.getpid()}")


def crashes(made: list[int]) -> Iterator[CrashState]:
    contents = Contents()
    contents.apply(SetName(ROOT, "said", 1, "file"))
    for number in range(1000):
        contents.apply(Write(1, 0, f"{number % 500:03} and more".encode()))
        made.append(number)
        yield CrashState(State(contents.copy(), f"state {number}"), number, number)


@pytest.fixture
def restorations(tmp_path: Path) -> Restorations:
    spec = BackendSpec("says", f"{__name__}:SaysWhatLiesThere")
    return Restorations(Session(spec.resolve(), Workspace(tmp_path)), 100)


def test_each_state_is_read_once_in_order_and_made_when_it_is_needed(restorations: Restorations) -> None:
    made: list[int] = []
    texts: list[str] = []
    for crash, reading in restorations.each(crashes(made)):
        assert crash.step == len(texts)
        assert len(made) - len(texts) <= 110
        texts.append(str(reading.error))
    assert "ended with code 7" in texts[3]
    assert all(text.startswith(f"ValueError: {number % 500:03} and more") for number, text in enumerate(texts)
               if number % 500 != 3)  # fmt: skip
    assert len(set(texts)) == 500
    assert 2 <= len({text.rpartition(" ")[2] for text in texts}) - 1 <= 4  # two processes, and one for one that ended
    assert len({text.split(" for ")[1].split()[0] for text in texts if " for " in text}) >= 249  # each in a new place


def test_who_stops_early_leaves_nothing_behind(restorations: Restorations) -> None:
    made: list[int] = []
    for crash, _ in restorations.each(crashes(made)):
        if crash.step == 5:
            break
    assert len(made) < 20
