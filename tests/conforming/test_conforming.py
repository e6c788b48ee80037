"""Correct managers of several designs meet every requirement: none of them wrongs a design."""

import json

import pytest


@pytest.mark.parametrize(
    "target",
    [
        "tests.conforming.snapshot_manager:SnapshotFileManager",
        "tests.conforming.sqlite_manager:SqliteManager",
        "session_conformance.reference_impl:FileSessionManager",
    ],
)
def test_a_correct_manager_meets_every_requirement(target: str, pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        f"--session-manager={target}", "--conformance-fail-on=should", "--conformance-report=report.json", "-q"
    )
    [backend] = json.loads((pytester.path / "report.json").read_text())["backends"]
    others = {result["id"]: result["outcome"] for result in backend["results"] if result["outcome"] != "met"}
    assert others == {}, run.stdout.str()
    assert run.ret == 0
    assert len(backend["results"]) >= 59
