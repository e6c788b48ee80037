"""Session repositories and storages are judged as session managers are: by option, by name, and by subclassing."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = "tests.plugin.stores"

USAGE_ERRORS = {
    "a misspelt class": (["--session-repository", f"{HERE}:Repo"], f"'{HERE}' has no attribute 'Repo'*"),
    "no form of a repository's spec": (
        ["--session-repository", "redis"],
        "'redis' is neither a configured name (there is none) nor of the form module:attribute (example: *Repository)",
    ),
    "no form of a storage's spec": (
        ["--session-storage", "redis"],
        "'redis' is neither a configured name (strands-local-storage, strands-memory-storage, strands-s3-storage) nor*",
    ),
    "a manager's name for a repository": (
        ["--session-repository", "strands-file"],
        "'strands-file' is the name of a session manager: give it as --session-manager",
    ),
    "a storage's name for a manager": (
        ["--session-manager", "strands-local-storage"],
        "'strands-local-storage' is the name of a storage: give it as --session-storage",
    ),
    "a manager for a repository": (
        ["--session-repository", "strands.session:FileSessionManager"],
        "*FileSessionManager is a session manager: give it as --session-manager, which judges its repository API too",
    ),
    "no repository": (["--session-repository", f"{HERE}:NoStore"], "*NoStore, which is no session repository: exp*"),
    "no storage": (["--session-storage", f"{HERE}:NoStore"], "*NoStore, which is no storage: expected a strands.stor*"),
    "no storage but a repository": (["--session-storage", f"{HERE}:Forgetful"], "*Forgetful, which is no storage*"),
    "a Backend": (["--session-storage", f"{HERE}:AS_BACKEND"], "*is a Backend, which is no storage*"),
    "a constructor that raises": (
        ["--session-repository", f"{HERE}:NeverOpens"],
        "building tests-never-opens raised ConnectionError: cannot reach the server at all",
    ),
    "an argument it does not take": (
        ["--session-storage", "strands-local-storage", "--session-manager-arg", "folder=x"],
        "strands.storage:LocalFileStorage takes no argument 'folder' (it takes base_dir, sandbox, search_strategy)",
    ),
    "an argument it needs": (
        ["--session-repository", f"{HERE}:AtPath"],
        "*AtPath needs path, which the workspace does not have: give*, or a callable (workspace)",
    ),
    "an argument of another type": (
        ["--session-storage", f"{HERE}:StorageAtPath", "--session-manager-arg", "path={workdir}",
         "--session-manager-arg", "retries=many"],
        "'many' is no int",
    ),
    "a session, where there is none": (
        ["--session-repository", f"{HERE}:AtPath", "--session-manager-arg", "path={workdir}/{session_id}"],
        "unknown placeholder {session_id}: there is unique, workdir*",
    ),
    "a callable of another form": (
        ["--session-repository", f"{HERE}:takes_two"], f"{HERE}:takes_two must take (workspace): *"
    ),
    "a callable that returns something": (
        ["--session-storage", f"{HERE}:gives_something_else"], "*returned a str: expected a strands.storage.Storage*"
    ),
    "an argument for a callable": (
        ["--session-storage", f"{HERE}:storage", "--session-manager-arg", "a=b"],
        f"{HERE}:storage is a callable, which takes no arguments: got a",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", USAGE_ERRORS)
def test_one_clear_line_and_exit_code_4(name: str, pytester: pytest.Pytester) -> None:
    words, message = USAGE_ERRORS[name]
    run = pytester.runpytest_subprocess(*words)
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in run.errlines if line.strip()]
    assert len(errors) == 1, errors
    run.stderr.fnmatch_lines([f"ERROR: {words[0]}: {message}"])


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ("storages.mine]\n", "pyproject.toml: storage 'mine' needs target*"),
        ("repositories.mine]\ntarget = 'a:b'\nargs = 1\n", "pyproject.toml: session repository 'mine': unknown args*"),
        (
            "storages.mine]\ntarget = 'a:b'\n[tool.session-conformance.repositories.mine]\ntarget = 'a:b'\n",
            "pyproject.toml: 'mine' names a session repository and a storage",
        ),
        ("repositories.mine]\ntarget = 'a:b'\n", "'mine' is the name of a session repository: give it as --session-r*"),
    ],
)
def test_a_configuration_that_cannot_be_used(configuration: str, message: str, pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(f"[tool.session-conformance.{configuration}")
    run = pytester.runpytest_subprocess("--session-storage=mine")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines([f"ERROR: --session-storage: {message}"])


def report(path: Path) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(path.read_text())["backends"]}


def outcomes(backend: dict[str, Any]) -> dict[str, str]:
    return {result["id"]: result["outcome"] for result in backend["results"]}


@pytest.mark.parametrize("parallel", [(), ("-n1",)])
def test_several_of_all_kinds_at_once(parallel: tuple[str, ...], pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        f"--session-repository={HERE}:AtPath",
        f"--session-storage={HERE}:StorageAtPath",
        "--session-manager-arg=path={workdir}/here",
        f"--session-repository={HERE}:repository",
        "--session-storage=strands-memory-storage",
        "--session-manager=reference-file",
        "-k", "REP-01 or SNP-01 or SNP-03 or LIF-02 or LIF-03", "--conformance-report=r.json", "-rs", *parallel,
    )  # fmt: skip
    assert run.ret == 0, run.stdout.str()
    backends = report(pytester.path / "r.json")
    assert {name: one["kind"] for name, one in backends.items()} == {
        "reference-file": "session manager",
        "tests-at-path": "session repository",
        "tests-repository": "session repository",
        "tests-storage-at-path": "storage",
        "strands-memory-storage": "storage",
    }
    repository = {"LIF-02": "not applicable", "LIF-03": "not applicable", "REP-01": "met", "SNP-01": "not applicable",
                  "SNP-03": "not applicable"}  # fmt: skip
    storage = {"LIF-02": "met", "LIF-03": "met", "REP-01": "not applicable", "SNP-01": "met", "SNP-03": "met"}
    assert {name: outcomes(one) for name, one in backends.items()} == {
        "reference-file": {"LIF-02": "met", "LIF-03": "met", "REP-01": "met", "SNP-01": "not applicable",
                           "SNP-03": "not applicable"},
        "tests-at-path": repository,
        "tests-repository": repository,
        "tests-storage-at-path": storage,
        "strands-memory-storage": {**storage, "LIF-03": "not applicable"},  # no other process finds it
    }  # fmt: skip
    run.stdout.fnmatch_lines_random(
        [
            "*reference-file * tests-repository * strands-memory-storage*",
            "*the SDK's RepositorySessionManager, which it is judged under, violates it over a plain session*",
            "*needs storage: it is a Storage*",
            "*needs fresh process: *not in this process's memory*",
        ]
    )


def test_a_repositorys_own_fault_stays_its_own(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        f"--session-repository={HERE}:Forgetful", "-k", "REP-03 or ORD-02", "--conformance-report=r.json"
    )
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(report(pytester.path / "r.json")["tests-forgetful"]) == {
        "ORD-02": "not applicable", "REP-03": "violated"
    }  # fmt: skip
    run.stdout.fnmatch_lines(
        [
            "found:    it gives 905 messages, 0 to 1004; at place 9 stands message 10",
            "run it alone: *",
        ]
    )
    [*_, line] = [line for line in run.outlines if line.startswith("run it alone: ")]
    _, *words = shlex.split(line.removeprefix("run it alone: "))
    assert words == [f"--session-repository={HERE}:Forgetful", "-k", "REP-03"]


def test_a_storage_need_not_search(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(f"--session-storage={HERE}:CannotSearch", "-k", "SNP-08", "-rs")
    run.assert_outcomes(skipped=1)
    run.stdout.fnmatch_lines(["*not applicable: it has no search*"])


def test_names_from_the_configuration(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(
        f"""
        [tool.session-conformance.repositories.mine]
        target = "{HERE}:AtPath"
        arguments = {{ path = "{{workdir}}/sub" }}

        [tool.session-conformance.storages.also-mine]
        target = "{HERE}:storage"
        """
    )
    run = pytester.runpytest_subprocess(
        "--session-repository=mine", "--session-storage=also-mine", "-k", "REP-05 or SNP-01"
    )
    run.assert_outcomes(passed=2, skipped=2)
    run.stdout.fnmatch_lines(["mine conforms*", "also-mine conforms*"])


def test_the_sdks_storage_on_s3(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("--session-storage=strands-s3-storage", "-k", "SNP-01 or SNP-09")
    run.assert_outcomes(passed=2)


def test_managers_that_are_or_have_repositories_are_judged_by_rep(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        mine="""
        from strands.session import RepositorySessionManager, SnapshotSessionManager
        from tests.plugin.stores import repository

        def has_one(session_id, workspace):
            return RepositorySessionManager(session_id, repository(workspace))

        class HasNone(SnapshotSessionManager):
            pass
        """
    )
    pytester.syspathinsert()
    run = pytester.runpytest_subprocess(
        "--session-manager=mine:has_one", "--session-manager=mine:HasNone", "--session-manager=strands-file",
        "-k", "REP-02 or SNP-03", "--conformance-report=r.json", "-p", "no:cacheprovider",
    )  # fmt: skip
    assert run.ret == 0
    found = {name: outcomes(one) for name, one in report(pytester.path / "r.json").items()}
    assert found == {
        "mine-has-one": {"REP-02": "met", "SNP-03": "not applicable"},
        "mine-has-none": {"REP-02": "not applicable", "SNP-03": "met"},
        "strands-file": {"REP-02": "met", "SNP-03": "not applicable"},
    }


def test_subclassing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        from session_conformance.suites import LifeOfASession, RepositoryApi, SnapshotsAndStorage
        from strands.storage import InMemoryStorage

        class TestMine(RepositoryApi):
            session_repository = "{HERE}:KeepsTheFirstAgent"

        class TestStorage(SnapshotsAndStorage):
            session_storage = InMemoryStorage

        class TestMineToo(RepositoryApi):
            def session_repository(workspace):
                from tests.plugin.stores import repository
                return repository(workspace)

        class TestLife(LifeOfASession):
            session_storage = "{HERE}:storage"
        """
    )
    run = pytester.runpytest_subprocess("-k", "REP-01 or REP-05 or SNP-01 or LIF-02 or LIF-09", "-rs")
    run.assert_outcomes(failed=1, passed=5, skipped=1)
    run.stdout.fnmatch_lines(["*not applicable: the SDK's SnapshotSessionManager, which it is judged under, *"])
    pytester.runpytest_subprocess("-n1", "-k", "REP-01 or SNP-01").assert_outcomes(failed=1, passed=2)


def test_a_requirement_is_explained_with_the_option_of_its_kind(pytester: pytest.Pytester) -> None:
    run = pytester.run(sys.executable, "-m", "session_conformance.suites.command", "explain", "snp-04")
    run.stdout.fnmatch_lines(["judge: * --session-storage=SPEC -k SNP-04"])


def test_a_should_that_a_storage_violates_is_no_must_of_another_requirement(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("--session-storage=strands.storage:LocalFileStorage", "-k", "SNP-02 or LIF-14")
    run.assert_outcomes(passed=1, xfailed=1)
    run.stdout.fnmatch_lines(["SNP-02 measured: *; not met, though it should be: LIF-14"])
