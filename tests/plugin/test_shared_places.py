"""A place that all workspaces share is found before any test, named, and left as it was."""

from pathlib import Path

import pytest

HERE = "tests.plugin.shared_places"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "customers").write_text("not the harness's")
    monkeypatch.setenv("SHARED_PLACE", str(folder))
    return folder


def said(run: pytest.RunResult) -> str:
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    [line] = [line for line in run.errlines if line.startswith("ERROR: ")]
    return line


def left_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_default_path_is_named_with_what_to_write(place: Path, pytester: pytest.Pytester) -> None:
    manager = f"--session-manager={HERE}:AtADefaultPath"
    line = said(pytester.runpytest_subprocess(manager, "-k", "LIF-01"))
    assert f"left at their defaults are db_path={str(place)!r}, timeout=5.0" in line
    assert "--session-manager-arg 'db_path={workdir}/data'" in line
    assert left_in(place) == ["customers"]
    own = pytester.runpytest_subprocess(manager, "--session-manager-arg=db_path={workdir}/data", "-k", "LIF-01")
    own.assert_outcomes(passed=1)


def test_a_callable_is_told_what_a_workspace_has(place: Path, pytester: pytest.Pytester) -> None:
    line = said(pytester.runpytest_subprocess(f"--session-manager={HERE}:one_folder", "-k", "LIF-01"))
    assert "use workspace.folder, workspace.unique or workspace.values where it is opened" in line
    assert left_in(place) == ["customers"]


def test_what_cannot_be_deleted_is_named(place: Path, pytester: pytest.Pytester) -> None:
    line = said(pytester.runpytest_subprocess(f"--session-repository={HERE}:Repository", "-k", "LIF-01"))
    assert "Session session-conformance-" in line
    assert "cannot be deleted" in line


def test_what_a_process_remembers_is_no_place(pytester: pytest.Pytester) -> None:
    manager = f"--session-manager={HERE}:InAClassAttribute"
    run = pytester.runpytest_subprocess(manager, "--session-manager-arg=storage_dir={workdir}", "-k", "LIF-01")
    run.assert_outcomes(passed=1)
