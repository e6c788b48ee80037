"""An SDK that is too old, or none, is one line and exit code 4, whichever way the project is used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from session_conformance.harness.sdk.release import unusable_sdk


@pytest.fixture
def too_old(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which strands-agents says that it is 1.47."""
    told = tmp_path / "path" / "strands_agents-1.47.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: strands-agents\nVersion: 1.47.0\n")
    return {**os.environ, "PYTHONPATH": str(told.parent)}


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "pytest", "--session-manager=reference-file"],
        ["-m", "session_conformance.suites.command", "run", "reference-file"],
        ["-m", "session_conformance.suites.command", "list"],
    ],
    ids=["pytest", "run", "list"],
)
def test_an_sdk_that_is_too_old_is_one_line(command: list[str], too_old: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, *command], env=too_old, cwd=tmp_path, capture_output=True, text=True)
    told = (done.stdout + done.stderr).strip().splitlines()
    assert done.returncode == 4
    assert [line for line in told if "1.47.0 is installed: pip install 'strands-agents>=1.48,<2'" in line] == told[:1]
    assert len(told) == 1


def test_a_run_without_a_session_manager_is_left_alone(too_old: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_mine(): pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], env=too_old, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("installed", ["none", None, "0.1.9", "1.47.0", "1.5"])
def test_what_cannot_be_used_is_told_with_what_to_do(installed: str | None) -> None:
    told = unusable_sdk(installed)
    assert told is not None
    assert "pip install" in told
    assert "\n" not in told


@pytest.mark.parametrize("installed", ["1.48.0", "1.62.0", "1.100", "2.0.dev1"])
def test_what_is_new_enough_is_used(installed: str) -> None:
    assert unusable_sdk(installed) is None
