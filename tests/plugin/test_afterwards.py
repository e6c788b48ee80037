"""Nothing of one requirement reaches the next: no manager is alive behind it, and no connection open."""

from collections import Counter
from pathlib import Path

import pytest

PLUGIN = """
from tests.plugin.counted import Counted

def pytest_runtest_logfinish(nodeid):
    with open("counts.txt", "a") as file:
        print(nodeid, *Counted.count(), file=file)
"""


def counts(pytester: pytest.Pytester) -> dict[str, tuple[int, int]]:
    found = {}
    for line in (pytester.path / "counts.txt").read_text().splitlines():
        nodeid, managers, connections = line.rsplit(" ", 2)
        found[nodeid] = (int(managers), int(connections))
    return found


@pytest.mark.parametrize(
    ("manager", "which"),
    [
        ("Counted", "LIF-0 or ORD or CON-02"),
        pytest.param("Counted", "LIF or ORD or UPD or REP or AGT or CON-02", marks=pytest.mark.long),
        ("CountedLater", "ORD or CLN or CON-02"),
        ("CountedWhenLeft", "ORD"),
    ],
)
def test_no_manager_lives_on_behind_a_requirement(manager: str, which: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(counts_what_is_left=PLUGIN)
    judged = f"--session-manager=tests.plugin.counted:{manager}"
    run = pytester.runpytest_subprocess("-p", "counts_what_is_left", judged, "-k", which, "-q")
    found = counts(pytester)
    assert len(found) >= 9, run.stdout.str()
    assert {nodeid: left for nodeid, left in found.items() if left != (0, 0)} == {}
    assert run.parseoutcomes()["failed"] >= 7  # violations too let go of what they were found with
    run.stdout.no_fnmatch_line("*closing*raised*")


def test_what_is_opened_in_fresh_processes_is_closed_there(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COUNTED_LOG", str(tmp_path / "log"))
    pytester.runpytest_subprocess("--session-manager=tests.plugin.counted:Counted", "-k", "CON-01 or CON-05", "-q")
    told = Counter(line.split()[1] for line in (tmp_path / "log").read_text().splitlines())
    assert told["opened"] >= 20
    assert told["opened"] == told["closed"]
