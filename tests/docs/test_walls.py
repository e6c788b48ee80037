"""Walls: CONTRIBUTING's picture of the floors shows what the contracts of import-linter say."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PICTURE = re.compile(r"^```text\n(suites\n.*?)^```$", re.MULTILINE | re.DOTALL)


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return found


def layers(of: dict[str, Any]) -> list[list[str]]:
    """Return a contract's layers from top to bottom, each with its rooms."""
    return [[room.rpartition(".")[2].strip(" ()") for room in layer.split(" | ")] for layer in of["layers"]]


@pytest.fixture(scope="module")
def picture() -> list[str]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = PICTURE.search(text)
    assert found is not None, "CONTRIBUTING.md has no picture of the floors: a block of text that begins with suites"
    return found.group(1).splitlines()


def test_the_picture_shows_the_folders(picture: list[str]) -> None:
    folders = [contract for contract in contracts() if contract["type"] == "layers" and "containers" not in contract]
    shown = [line.split() for line in picture if line and not line.startswith(" ")]
    assert len(folders) == 1
    assert [names[0] for names in shown] == [*(name for (name,) in layers(folders[0])), "reference_impl"]


def test_the_picture_shows_the_floors(picture: list[str]) -> None:
    floors = [contract for contract in contracts() if contract.get("containers") == ["session_conformance.harness"]]
    assert len(floors) == 1
    shown = [line.split() for line in picture if line.startswith(" ")]
    assert [sorted(names) for names in shown] == [sorted(names) for names in layers(floors[0])]


def test_every_group_is_kept_apart() -> None:
    apart = next(contract for contract in contracts() if contract["type"] == "independence")
    groups = {path.stem for path in (ROOT / "suites").glob("???.py")} | {"benchmarks"}
    assert {name.rpartition(".")[2] for name in apart["modules"]} == groups


def test_every_room_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = {
        ".".join(["session_conformance", *path.parent.relative_to(ROOT).parts])
        for folder in ("harness", "fixtures", "suites", "reference_impl")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert rooms <= set(settings["tool"]["setuptools"]["packages"])
