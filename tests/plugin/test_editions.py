"""Editions: a frozen set of requirements can be judged, published ones never change, and reports name theirs."""

import hashlib
import json
import sys
from pathlib import Path

import pytest
from session_conformance.suites.catalog import all_requirements

ROOT = Path(__file__).parents[2]
EDITIONS = sorted((ROOT / "suites" / "editions").glob("*.txt"))
PUBLISHED = {"2026.11": "e084defb7e8118cd53c9afa1bc2d1c1ea56d91727f61aedf82a4a9efe895a98f"}
"""By edition, the digest of its file when it was published."""


@pytest.mark.parametrize("edition", PUBLISHED)
def test_a_published_edition_is_not_changed(edition: str) -> None:
    text = (ROOT / "suites" / "editions" / f"{edition}.txt").read_bytes()
    assert hashlib.sha256(text).hexdigest() == PUBLISHED[edition], (
        f"edition {edition} is published: give what is new since='...' of the next edition"
    )


@pytest.mark.parametrize("file", EDITIONS, ids=lambda file: file.stem)
def test_an_edition_has_the_requirements_that_say_so(file: Path) -> None:
    there = [one.id for one in all_requirements() if one.since <= file.stem]
    assert file.read_text(encoding="utf-8").split() == there


SUITE = """
from session_conformance.harness import Level, requirement
from session_conformance.fixtures import ConformanceSuite


class Own(ConformanceSuite):
    session_manager = "reference-file"

    @requirement("OWN-01", source="D: here")
    def old(self) -> None:
        '''What was asked for first holds.'''

    @requirement("OWN-02", source="D: here", since="2999.01")
    def new(self) -> None:
        '''What is asked for later holds.'''
"""


def test_a_pinned_edition_leaves_newer_requirements_out(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own=SUITE)
    words = ("--session-manager=reference-file", "test_own.py", "-v", "-k", "OWN", "-o", "markers=own: of this project")
    pinned = pytester.runpytest_subprocess("--conformance-edition=2026.11", *words)
    assert "OWN-01" in pinned.stdout.str()
    assert "OWN-02" not in pinned.stdout.str()
    everything = pytester.runpytest_subprocess(*words)
    assert "OWN-02" in everything.stdout.str()


def test_an_edition_that_is_not_there_is_a_usage_error(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest("--conformance-edition=2001.01", "--session-manager=reference-file")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["ERROR: --conformance-edition=2001.01: there is no such edition: there are 2026.11*"])


def test_reports_and_badges_name_the_edition(pytester: pytest.Pytester) -> None:
    pytester.runpytest(
        "--conformance-edition=2026.11",
        "--session-manager=reference-file",
        "-k",
        "LIF-01",
        "--conformance-report=r.json",
    )
    report = json.loads((pytester.path / "r.json").read_text(encoding="utf-8"))
    assert report["versions"]["edition"] == "2026.11"
    ids = (ROOT / "suites" / "editions" / "2026.11.txt").read_text(encoding="utf-8").split()
    assert report["requirements"] == len(ids)
    badge = pytester.run(sys.executable, "-m", "session_conformance.suites.command", "badge", "r.json")
    assert "(2026.11)" in json.loads(badge.stdout.str())["message"]
