"""Who changes the code tells the users: a fragment in ``changes/`` comes with it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("harness", "fixtures", "suites", "reference_impl")
FRAGMENT = re.compile(r"[\w.+-]+\.(added|changed|fixed|removed)\.md")


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def fragments() -> list[Path]:
    return [file for file in sorted((ROOT / "changes").iterdir()) if not file.name.startswith(".")]


def needs_fragment(changed: list[str], there: list[str]) -> bool:
    """Whether a change since the last release touches the code, and no fragment says so."""
    return any(path.startswith(tuple(f"{folder}/" for folder in CODE)) for path in changed) and not there


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="this is no git checkout")
def test_code_that_changed_since_the_last_release_has_a_fragment() -> None:
    released = git("log", "-1", "--format=%H", "--", "CHANGELOG.md")
    changed = git("diff", "--name-only", released, "HEAD").splitlines()
    assert not needs_fragment(changed, [file.name for file in fragments()]), (
        "the code has changed since CHANGELOG.md was written, and changes/ says nothing of it:"
        " add changes/NAME.added.md, .changed.md, .fixed.md or .removed.md"
    )


def test_a_change_without_a_fragment_is_seen() -> None:
    assert needs_fragment(["harness/process/hang.py"], [])
    assert not needs_fragment(["harness/process/hang.py"], ["hang.fixed.md"])
    assert not needs_fragment(["README.md", "tests/docs/test_docs.py"], [])


@pytest.mark.parametrize("fragment", fragments(), ids=lambda file: file.name)
def test_a_fragment_is_named_by_its_kind_and_is_a_sentence(fragment: Path) -> None:
    assert FRAGMENT.fullmatch(fragment.name), "expected NAME.added.md, .changed.md, .fixed.md or .removed.md"
    assert re.search(r"\w.*[.`)]\s*$", fragment.read_text(encoding="utf-8"), re.DOTALL), "expected a sentence"


def test_towncrier_makes_the_changelog_of_them() -> None:
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9", "--date", "2026-01-01"]
    drafted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "## 9.9.9 (2026-01-01)" in drafted
    for fragment in fragments():
        assert fragment.read_text(encoding="utf-8").split()[0] in drafted
