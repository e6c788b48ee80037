"""What never ends is named by a violation that says where it stands, and the run ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MUTANTS = "tests.mutants.hanging_managers"

LONG = pytest.mark.long

SOON = """
import dataclasses

from session_conformance.harness.process import leaving, patience

patience.Patience.limit_s = lambda self, limit_s: limit_s / 60
patience.Patience.waits_limit_s = lambda self, limit_s: limit_s / 400
leaving._KNOWN_LIMIT_S = leaving.HANG_LIMIT_S = 0.5
"""


COMPUTING = SOON.replace("limit_s / 400", "limit_s / 60")
"""On a busy machine it takes some time to have had a processor for a second, and whoever looks on makes it wait."""


LEAVING = SOON.replace("limit_s / 60", "limit_s / 25")
"""Where what hangs is met when all else was done, which takes some seconds on a busy machine."""


def judged(
    pytester: pytest.Pytester, mutant: str, id: str, *more: str, limits: str = SOON
) -> dict[str, dict[str, str]]:
    pytester.makeconftest(limits)
    pytester.runpytest_subprocess(
        f"--session-manager={MUTANTS}:{mutant}", "-k", id, "--conformance-report=report.json", *more
    )
    [backend] = json.loads((pytester.path / "report.json").read_text())["backends"]
    return {result["id"]: result for result in backend["results"]}


@pytest.mark.parametrize(
    ("mutant", "id", "found", "stands"),
    [
        ("WaitsForALock", "LIF-02", "did not end within 1 s", "in never"),
        pytest.param("AwaitsWhatNeverComes", "ORD-01", "did not end within 1 s", "the script", marks=LONG),
        pytest.param("CannotBeCancelled", "ORD-01", "did not end within 1 s", "the script", marks=LONG),
        pytest.param("WaitsInAThread", "ORD-01", "did not end within 1 s", "in never", marks=LONG),
        ("TriesForEver", "ORD-01", "in which it waited again and again", "the script"),
        pytest.param("WaitsForItsFork", "ORD-01", "did not end within 1 s", "", marks=LONG),
        ("NeverCloses", "LIF-02", "did not end within", "in never"),
        pytest.param("NeverDeletes", "CLN-01", "did not end within", "in never", marks=LONG),
        pytest.param("WaitsForALock", "LIF-11", "did not end within", "in never", marks=LONG),
        ("LeavesAThread", "LIF-03", "closed its managers did not end within", "in _look"),
        pytest.param("LeavesAnExitHandler", "LIF-03", "closed its managers did not end within", "in never", marks=LONG),
    ],
)
def test_what_never_ends_is_named_with_the_place_where_it_stands(
    mutant: str, id: str, found: str, stands: str, pytester: pytest.Pytester
) -> None:
    limits = LEAVING if found.startswith("closed") else SOON
    result = judged(pytester, mutant, id, limits=limits)[id]
    assert result["outcome"] == "violated", result
    assert found in result["found"]
    assert stands in result["evidence"]


@LONG
def test_what_computes_for_ever_is_named(pytester: pytest.Pytester) -> None:
    result = judged(pytester, "WaitsBusily", "LIF-02", limits=COMPUTING)["LIF-02"]
    assert result["outcome"] == "violated", result
    assert "did not end within 1 s of computing" in result["found"]
    assert "in initialize" in result["evidence"]


def test_a_constructor_that_never_ends_ends_the_run_ahead_of_all_tests(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(SOON)
    run = pytester.runpytest_subprocess(f"--session-manager={MUTANTS}:OpensNothing", "-k", "LIF-01")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*building * did not end within 1 s*", "*in never"])


def test_what_hangs_again_and_again_is_not_asked_for_the_rest(pytester: pytest.Pytester) -> None:
    """It would take a minute for each of the requirements, and more for some."""
    pytester.makepyfile(few="from session_conformance.fixtures import _judging\n_judging.MOST_HANGS = 1")
    found = judged(pytester, "WaitsForALock", "LIF-01 or LIF-02", "-p", "few")
    assert found["LIF-01"]["outcome"] == "violated"
    assert found["LIF-02"]["outcome"] == "could not be judged"
    assert "did not end in 1 requirements: LIF-01" in found["LIF-02"]["reason"]


def test_nothing_that_was_forked_is_left(pytester: pytest.Pytester) -> None:
    """It would hold what the run prints to open: who reads it would wait for ever."""
    pytester.makeconftest(SOON)
    run = _in_a_process(pytester.path, "WaitsForItsFork", "ORD-01")
    assert "1 failed" in run.stdout


def test_a_process_that_never_ends_gives_the_prompt_back(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(SOON)
    run = _in_a_process(pytester.path, "LeavesAThread", "ORD-01")
    assert "1 passed" in run.stdout
    assert "looks for ever" in run.stderr
    assert run.returncode == 0


def _in_a_process(folder: Path, mutant: str, id: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pytest", f"--session-manager={MUTANTS}:{mutant}", "-k", id, "-p", "no:cacheprovider"],
        capture_output=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        text=True,
        timeout=120,
        check=False,
    )
