"""Where nothing can be traced, a process is killed at each acknowledgement, and what that does not find is not said."""

from pathlib import Path

import pytest
from session_conformance.harness import NotApplicable, Violation
from session_conformance.harness.faults import tracing

from tests.conforming.snapshot_manager import SnapshotFileManager
from tests.mutants import broken_lives

from .judge import judge


@pytest.fixture(autouse=True)
def _no_tracer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "unavailable", lambda: "strace is not installed")


def test_a_manager_that_loses_acknowledged_messages_is_caught(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    with pytest.raises(Violation, match="killed after an acknowledgement"):
        judge(broken_lives.SavesAtStopOnly, "DUR-01", tmp_path, pytestconfig)


def test_nothing_found_is_no_verdict(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    with pytest.raises(NotApplicable, match="strace is not installed; killed after each acknowledgement instead"):
        judge(SnapshotFileManager, "DUR-01", tmp_path, pytestconfig)


@pytest.mark.parametrize("id", ["DUR-02", "DUR-03", "CON-04"])
def test_the_others_do_not_apply(id: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    with pytest.raises(NotApplicable, match="strace is not installed"):
        judge(SnapshotFileManager, id, tmp_path, pytestconfig)
