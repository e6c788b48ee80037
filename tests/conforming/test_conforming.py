"""Correct managers of several designs meet every requirement: none of them wrongs a design."""

import json

import pytest

NO_CLEAN_UP = {"CLN-02", "COR-05"}
TEAMS = {f"MAG-{number:02}" for number in range(1, 11)}
ON_S3 = {f"S3A-{number:02}" for number in range(1, 10)}


@pytest.mark.parametrize(
    ("target", "not_applicable"),
    [
        ("tests.conforming.snapshot_manager:SnapshotFileManager", {*NO_CLEAN_UP, *TEAMS}),
        ("tests.conforming.sqlite_manager:SqliteManager", {*NO_CLEAN_UP, *TEAMS, "CLN-01", "CLN-03"}),
        ("session_conformance.reference_impl:FileSessionManager", set()),
    ],
)
def test_a_correct_manager_meets_every_requirement(
    target: str, not_applicable: set[str], pytester: pytest.Pytester
) -> None:
    run = pytester.runpytest_subprocess(
        f"--session-manager={target}", "--conformance-fail-on=should", "--conformance-report=report.json", "-q"
    )
    [backend] = json.loads((pytester.path / "report.json").read_text())["backends"]
    others = {result["id"]: result["outcome"] for result in backend["results"] if result["outcome"] != "met"}
    assert others == dict.fromkeys(sorted(not_applicable | ON_S3), "not applicable"), run.stdout.str()
    assert run.ret == 0
    assert len(backend["results"]) >= 76
