"""The two distributions: every package of the tree is in one, and both are of one version and one SDK."""

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
FOLDERS = ("harness", "fixtures", "suites", "reference_impl")


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def packages_of(*folders: str) -> set[str]:
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    parents = {file.parent.relative_to(ROOT) for file in files if "build" not in file.parts}
    return {".".join(["session_conformance", *parent.parts]) for parent in parents}


def test_the_suites_have_every_package() -> None:
    packages = set(project(ROOT)["tool"]["setuptools"]["packages"])
    assert {package for package in packages if not package.endswith(".templates")} == packages_of(*FOLDERS)


def test_the_reference_managers_have_every_package_of_theirs() -> None:
    found = project(ROOT / "reference_impl")
    assert set(found["tool"]["setuptools"]["packages"]) == packages_of("reference_impl")


@pytest.mark.parametrize("name", ["strands-agents", "boto3", "msgspec"])
def test_both_need_the_same_releases(name: str) -> None:
    [needs], [lean] = (
        [need for need in project(folder)["project"]["dependencies"] if re.match(rf"{name}\b", need)]
        for folder in (ROOT, ROOT / "reference_impl")
    )
    assert needs == lean


def test_both_are_of_one_version() -> None:
    assert project(ROOT)["project"]["version"] == project(ROOT / "reference_impl")["project"]["version"]


def test_the_reference_managers_need_nothing_else() -> None:
    assert len(project(ROOT / "reference_impl")["project"]["dependencies"]) == 3
