"""Workflows and the action: they are YAML, and use no action but by the commit that was looked at."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "action.yml", *sorted((ROOT / ".github").rglob("*.yml"))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_actions_are_pinned_by_commit(file: Path) -> None:
    for used in re.findall(r"uses: (.+)", file.read_text(encoding="utf-8")):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_they_are_yaml(file: Path) -> None:
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load(file.read_text(encoding="utf-8"))


PYTEST = """#!/bin/sh
if [ "$1" = -m ]; then
  for one; do printf '%s\\n' "$one"; done > asked.txt
  echo "| a table |" > conformance.md
  exit 1
fi
exec {python} "$@"
"""
"""A Python that judges nothing: it notes what it was asked, and writes a report."""


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ("", []),
        ("-m ord  -k 'ORD-01 or ORD-02'", ["-m", "ord", "-k", "ORD-01 or ORD-02"]),
        (
            '--session-manager-arg "url=sqlite:///{workdir}/a b.db"',
            ["--session-manager-arg", "url=sqlite:///{workdir}/a b.db"],
        ),
    ],
)
def test_the_action_judges_with_the_arguments_as_they_are_quoted(
    arguments: str, asked: list[str], tmp_path: Path
) -> None:
    yaml = pytest.importorskip("yaml")
    [step] = [
        one for one in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if one.get("id") == "judge"
    ]
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(PYTEST.format(python=sys.executable))
    python.chmod(0o755)
    run = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],  # as GitHub runs it
        env={
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "MANAGERS": "mine other",
            "ARGUMENTS": arguments,
            "GITHUB_STEP_SUMMARY": "summary.md",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stderr
    reports = [f"--conformance-report=conformance.{ending}" for ending in ("json", "html", "md")]
    judged = ["--session-manager=mine", "--session-manager=other"]
    assert (tmp_path / "asked.txt").read_text().splitlines() == ["-m", "pytest", *judged, *asked, *reports]
    assert (tmp_path / "summary.md").read_text() == "| a table |\n"
