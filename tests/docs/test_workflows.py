"""Workflows and the action: they are YAML, and use no action but by the commit that was looked at."""

import re
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
