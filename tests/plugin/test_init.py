"""``session-conformance init`` writes files that run as they are, and changes nothing that is there."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from session_conformance.suites.command.starter import starter_files

COMMAND = [sys.executable, "-m", "session_conformance.suites.command", "init"]
PYTEST = Path(sys.executable).parent / "pytest"
"""The command, which unlike ``python -m pytest`` does not put the current folder on the path."""

FILES = {
    "conformance_backend.py",
    "session-conformance.toml",
    "test_conformance.py",
    ".github/workflows/conformance.yml",
}


def init(folder: Path, *spec: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *spec], cwd=folder, capture_output=True, text=True, check=False)


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_files_run_as_they_are(pytester: pytest.Pytester) -> None:
    run = init(pytester.path)
    assert run.returncode == 0, run.stderr
    assert files_in(pytester.path) == FILES
    tests = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    assert tests.ret == pytest.ExitCode.OK
    assert tests.parseoutcomes()["passed"] > 20
    judged = pytester.run(PYTEST, "--session-manager=mine", "-k", "LIF-01 or LIF-02")
    assert judged.ret == pytest.ExitCode.OK
    judged.stdout.fnmatch_lines(["mine conforms, as far as *"])


CONFIGURATIONS = {
    "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["checks"]\n',
    "pytest.ini": "[pytest]\ntestpaths = checks more\n",
    "setup.cfg": "[tool:pytest]\ntestpaths =\n    checks\n    more\n",
    "tox.ini": "[pytest]\ntestpaths = gone* checks\n",
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_test_file_lies_where_pytest_collects_it(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(CONFIGURATIONS[name])
    assert init(tmp_path).returncode == 0
    assert files_in(tmp_path) - {name} == FILES - {"test_conformance.py"} | {"checks/test_conformance.py"}


def test_the_test_file_runs_from_a_folder_of_tests(pytester: pytest.Pytester) -> None:
    (pytester.path / "pyproject.toml").write_text(CONFIGURATIONS["pyproject.toml"])
    init(pytester.path)
    run = pytester.run(PYTEST, "-k", "LIF-01")  # with no path, and without the project's folder on sys.path
    assert run.ret == pytest.ExitCode.OK
    run.assert_outcomes(passed=1)


def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "tox.ini").write_text("testpaths = checks\n")
    run = init(tmp_path)
    assert (run.returncode, len(run.stderr.splitlines())) == (4, 1)
    assert run.stderr.startswith("session-conformance: tox.ini cannot be read: File contains no section headers.")
    assert files_in(tmp_path) == {"tox.ini"}


def test_the_commands_of_the_workflow_run(pytester: pytest.Pytester) -> None:
    init(pytester.path)
    lines = (pytester.path / ".github/workflows/conformance.yml").read_text().splitlines()
    [command] = [line.partition("run: ")[2] for line in lines if "pytest" in line]
    words = shlex.split(command)
    assert words[0] == "pytest"
    run = pytester.run(PYTEST, *words[1:], "-k", "ORD-01")
    assert run.ret == pytest.ExitCode.OK
    assert (pytester.path / "conformance.json").exists()
    assert any("apt-get install -y strace" in line for line in lines)
    assert lines.count("        if: always() && hashFiles('conformance.json') != ''") == 2  # it may have judged nothing


def test_a_backend_of_ones_own(pytester: pytest.Pytester) -> None:
    assert init(pytester.path, "tests.mutants.broken_order:PersistsAfterUserHooks").returncode == 0
    assert files_in(pytester.path) == FILES - {"conformance_backend.py"}
    run = pytester.runpytest_subprocess("--session-manager=mine", "-k", "ORD-01")
    assert run.ret == pytest.ExitCode.TESTS_FAILED


def test_a_backend_with_a_place_of_its_own_is_given_one_for_each_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        mine="""
        from strands.session import FileSessionManager

        class Manager(FileSessionManager):
            def __init__(self, session_id, region="eu", folder="sessions"):
                super().__init__(session_id, storage_dir=folder)
        """
    )
    assert init(pytester.path, "mine:Manager").returncode == 0
    assert 'arguments = { folder = "{workdir}/data" }' in (pytester.path / "session-conformance.toml").read_text()
    pytester.run(PYTEST, "--session-manager=mine", "-k", "LIF-01").assert_outcomes(passed=1)
    assert not (pytester.path / "sessions").exists()


def test_the_example_for_a_server_gives_each_test_a_place_of_its_own(pytester: pytest.Pytester) -> None:
    assert init(pytester.path, "tests.conforming.server_managers:RedisOfUrl").returncode == 0
    configuration = pytester.path / "session-conformance.toml"
    text = configuration.read_text()
    configuration.write_text(
        text.replace('# arguments = { url = "{redis_url}" }', 'arguments = { url = "{redis_url}" }')
    )
    assert configuration.read_text() != text
    judged = pytester.runpytest_subprocess("--session-manager=mine", "-k", "LIF-01 or LIF-02")
    if "cannot be" in str(judged.stderr):
        pytest.skip("there is no Redis")
    assert judged.ret == pytest.ExitCode.OK, judged.stdout.str()
    judged.stdout.fnmatch_lines(["mine conforms, as far as *"])


def test_nothing_that_is_there_is_changed(tmp_path: Path) -> None:
    (tmp_path / "test_conformance.py").write_text("# mine\n")
    run = init(tmp_path)
    assert run.returncode == 4
    assert run.stderr.splitlines() == [
        "session-conformance: test_conformance.py is there already, and nothing was written: move it away, or edit it"
    ]
    assert files_in(tmp_path) == {"test_conformance.py"}
    assert (tmp_path / "test_conformance.py").read_text() == "# mine\n"


def test_a_spec_that_is_none(tmp_path: Path) -> None:
    run = init(tmp_path, "redis")
    assert run.returncode == 4
    assert run.stderr.startswith("session-conformance: 'redis' is neither a built-in name (")
    assert not files_in(tmp_path)


def test_the_page_on_gates_shows_the_workflow_that_is_written() -> None:
    page = Path(__file__).parents[2] / "docs" / "gate-a-pull-request.md"
    written = starter_files("mypkg:MyManager", is_package=True)[".github/workflows/conformance.yml"]
    assert written in page.read_text(encoding="utf-8")
