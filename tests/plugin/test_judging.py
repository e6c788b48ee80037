"""Judging: what is collected, how it is called, what is printed, and what the exit code says."""

import json
import shlex
import sys
from pathlib import Path

import pytest
from session_conformance.harness.reporting import badge, read
from session_conformance.suites.catalog import all_requirements

HERE = "tests.plugin.backends"
SDK = "strands.session:FileSessionManager"


def judge(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess(*arguments)


def results(path: Path) -> dict[str, dict[str, str]]:
    backends = json.loads(path.read_text())["backends"]
    return {one["name"]: {result["id"]: result["outcome"] for result in one["results"]} for one in backends}


def test_a_violation_shows_its_evidence(pytester: pytest.Pytester) -> None:
    run = judge(pytester, f"--session-manager={SDK}", "-k", "ORD-02 or UPD-01 or LIF-09")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.assert_outcomes(failed=2, passed=1)
    run.stdout.fnmatch_lines(
        [
            "ORD-02 (MUST): An assistant's text or transcript is stored in full before any hook for its update runs.",
            "source:   the SDK's documentation*",
            'expected: assistant [[]"Hello Alice"] complete*',
            "found:    what was stored of it was: assistant [[][]] pending*",
            "timeline (*",
            "*> * hook message_updated (early)*",
            "run it alone: pytest --session-manager=strands-file -k ORD-02",
            "strands-file does not conform, as far as 3 of * tell: 1 met, 2 MUST violated (ORD-02, UPD-01)*",
        ]
    )
    assert "Traceback" not in run.stdout.str()


def test_the_command_that_runs_it_alone_does(pytester: pytest.Pytester) -> None:
    run = judge(
        pytester, f"--session-manager={HERE}:NeedsMore", "--session-manager-arg=url=db://{workdir}", "-k", "LIF-01"
    )
    run.assert_outcomes(passed=1)
    run = judge(
        pytester, "--session-manager=strands_session_sql:SQLSessionManager",
        "--session-manager-arg=url=sqlite:///{workdir}/s.db", "-k", "ORD-01",
    )  # fmt: skip
    [line] = [line for line in run.outlines if line.startswith("run it alone: ")]
    _, *words = shlex.split(line.removeprefix("run it alone: "))
    again = judge(pytester, *words)
    again.assert_outcomes(failed=1)


@pytest.mark.parametrize("form", ["as_callable", "AS_BACKEND"])
def test_other_forms_of_a_backend(pytester: pytest.Pytester, form: str) -> None:
    run = judge(pytester, f"--session-manager={HERE}:{form}", "-k", "LIF-01 or LIF-09 or ORD-09 or RPL-07", "-rs")
    assert run.ret == pytest.ExitCode.OK
    if form == "AS_BACKEND":  # what it does not declare does not apply
        run.stdout.fnmatch_lines(["SKIPPED * not applicable: needs storage faults*", "declared conforms*"])


def test_names_and_several_backends(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(f"[tool.session-conformance.backends.mine]\ntarget = '{HERE}:as_callable'\n")
    (pytester.path / "session-conformance.toml").write_text(
        f"[backends.more]\ntarget = '{HERE}:NeedsMore'\narguments = {{ url = 'db://', retries = 2 }}\n"
    )
    run = judge(
        pytester, "--session-manager=mine", "--session-manager=more", f"--session-manager={SDK}",
        "--session-manager=strands-file", "-k", "LIF-01 or ORD-01", "-v", "--conformance-report=r.json",
    )  # fmt: skip
    run.stdout.fnmatch_lines_random(
        [
            "LIF::LIF-01[[]mine] PASSED*",
            "ORD::ORD-01[[]more] PASSED*",
            "ORD::ORD-01[[]strands-file] FAILED*",
            "ORD::ORD-01[[]strands-file-2] FAILED*",
        ]
    )
    found = results(pytester.path / "r.json")
    assert list(found) == ["mine", "more", "strands-file", "strands-file-2"]
    assert found["mine"] == {"LIF-01": "met", "ORD-01": "met"}
    assert found["strands-file"] == {"LIF-01": "met", "ORD-01": "violated"}


def test_a_should_fails_only_when_asked(pytester: pytest.Pytester) -> None:
    arguments = [f"--session-manager={HERE}:Leaky", "-k", "UPD"]
    run = judge(pytester, *arguments)
    assert run.ret == pytest.ExitCode.OK
    run.assert_outcomes(passed=5, xfailed=1)
    run.stdout.fnmatch_lines(["UPD-06 (SHOULD) *", "*found:*backup*", "*1 SHOULD violated (UPD-06)*"])
    assert judge(pytester, *arguments, "--conformance-fail-on=should").ret == pytest.ExitCode.TESTS_FAILED
    judge(pytester, *arguments, "--conformance-level=must").assert_outcomes(passed=5)


def test_pytests_own_options_work(pytester: pytest.Pytester) -> None:
    sdk = f"--session-manager={SDK}"
    judge(pytester, sdk, "-m", "must and upd", "--co", "-q").stdout.fnmatch_lines(["UPD::UPD-05[[]strands-file]"])
    judge(pytester, sdk, "-k", "ORD-01 or ORD-02", "-x").assert_outcomes(failed=1)
    judge(pytester, sdk, "-k", "ORD-01 or ORD-02 or LIF-01").assert_outcomes(failed=2, passed=1)
    judge(pytester, sdk, "--lf").assert_outcomes(failed=2)
    run = judge(pytester, sdk, "-k", "UPD", "-n2", "--junitxml=j.xml", "--conformance-report=r.json")
    run.assert_outcomes(failed=4, passed=2)
    run.stdout.fnmatch_lines(["*strands-file does not conform*4 MUST violated (UPD-01, UPD-02, UPD-03, UPD-04)*"])
    assert len(results(pytester.path / "r.json")["strands-file"]) == 6
    assert "UPD-03" in (pytester.path / "j.xml").read_text()


def test_suites_run_alone_or_beside_the_paths_that_are_named(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ntestpaths = mine")
    (pytester.path / "mine").mkdir()
    (pytester.path / "mine" / "test_own.py").write_text("def test_own(): pass\n")
    manager = f"--session-manager={HERE}:as_callable"
    judge(pytester, manager, "-k", "LIF-01 or own").assert_outcomes(passed=1)
    judge(pytester, manager, "mine", "-k", "LIF-01 or own").assert_outcomes(passed=2)


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_it_works_inside_projects_with_ways_of_their_own(pytester: pytest.Pytester, mode: str) -> None:
    pytester.makeini(
        f"""
        [pytest]
        asyncio_mode = {mode}
        asyncio_default_fixture_loop_scope = function
        filterwarnings = error
        addopts = --strict-markers --strict-config --import-mode=importlib -p no:cacheprovider
        python_files = check_*.py
        python_classes = Check*
        python_functions = check_*
        """
    )
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(autouse=True)
        def of_everybody(): yield

        @pytest.fixture
        def run(): raise RuntimeError("the project's own fixture of this name")

        def pytest_collection_modifyitems(items): items.reverse()
        """
    )
    run = judge(pytester, f"--session-manager={HERE}:WarnsOfEverything", "-k", "LIF-0 or ORD-0")
    run.assert_outcomes(passed=18)
    run.stdout.fnmatch_lines(["* warnings came from * places, such as: *: DeprecationWarning: this driver is old"])
    assert (run.stdout.str() + run.stderr.str()).count("this driver is old") == 1


def test_what_nobody_closes_is_told_of_once_and_fails_no_other_test(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = -p no:asyncio")
    pytester.makepyfile("import gc\ndef test_own(): gc.collect()")
    run = judge(
        pytester, f"--session-manager={HERE}:NeverCloses", "--junitxml=j.xml", "-k", "ORD or CON-05 or own", "."
    )
    run.assert_outcomes(passed=12)
    run.stdout.fnmatch_lines(["* times something was never closed by what has opened it, such as: *backends.py*"])
    assert (run.stdout.str() + run.stderr.str()).count("ResourceWarning") == 0


def test_a_database_driver_that_leaks_is_not_a_violation(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = -p no:asyncio")
    sql = [
        "--session-manager=strands_session_sql:SQLSessionManager",
        "--session-manager-arg=url=sqlite:///{workdir}/s.db",
    ]
    pytester.makepyfile("import gc\ndef test_own(): gc.collect()")
    judge(pytester, *sql, "-k", "IDS-01 or TOL-01 or TOL-02 or LIF-08 or own", ".").assert_outcomes(passed=5)


def test_what_the_harness_cannot_judge_is_neither_met_nor_violated(pytester: pytest.Pytester) -> None:
    run = judge(
        pytester, f"--session-manager={HERE}:HangsInside", "-k", "LIF-03 or LIF-12", "--conformance-report=r.json"
    )
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(["*ProcessDied*", "*1 could not be judged (LIF-03)*"])
    assert results(pytester.path / "r.json") == {
        "tests-hangs-inside": {"LIF-03": "could not be judged", "LIF-12": "met"}
    }


STUMBLING = ["LIF-03", "LIF-19", "DUR-05", "CON-04", "CLN-04"]
"""Requirements that take it for granted that a session opens."""


def test_what_cannot_be_opened_is_violated_whatever_a_check_stumbles_over(pytester: pytest.Pytester) -> None:
    run = judge(
        pytester,
        f"--session-manager={HERE}:CannotBeOpened",
        "-k",
        " or ".join(STUMBLING),
        "--conformance-fail-on=should",
        "--conformance-report=r.json",
    )
    [found] = results(pytester.path / "r.json").values()
    assert found == dict.fromkeys(STUMBLING, "violated"), run.stdout.str()
    run.stdout.fnmatch_lines(["found:    opening the session raises TypeError*"])


def test_a_manager_that_ends_the_application_ends_no_run(pytester: pytest.Pytester) -> None:
    run = judge(pytester, f"--session-manager={HERE}:Exits", "-k", "LIF-01 or LIF-02 or UPD-01")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.assert_outcomes(failed=3)
    run.stdout.fnmatch_lines(["*raises SystemExit*no more room*", "*3 MUST violated (LIF-01, LIF-02, UPD-01)*"])


def test_subclassing_a_suite_needs_no_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        from session_conformance.suites import Tools, UpdatesAndRedaction

        class TestUpdates(UpdatesAndRedaction):
            session_manager = "{SDK}"

        class TestMine(Tools):
            @staticmethod
            def session_manager(session_id, workspace):
                from tests.conforming.snapshot_manager import SnapshotFileManager
                return SnapshotFileManager(session_id, str(workspace.folder))
        """
    )
    run = judge(pytester, "-v", "-rs", "--conformance-report=r.json", "--conformance-report=r.md")
    run.assert_outcomes(failed=4, passed=8, skipped=2)
    assert list(results(pytester.path / "r.json")) == ["strands-file", "session-manager"]
    assert "strands-file: UPD-01" in (pytester.path / "r.md").read_text()
    run.stdout.fnmatch_lines(
        [
            "test_*.py::TestUpdates::UPD-01[[]strands-file] FAILED*",
            "run it alone: pytest 'test_*.py::TestUpdates::UPD-01[[]strands-file]'",
            "*not applicable: needs fresh process*",
            "strands-file does not conform, as far as 6 of * requirements tell: 2 met, 4 MUST violated*",
        ]
    )
    judge(pytester, "-n2").assert_outcomes(failed=4, passed=8, skipped=2)
    judge(pytester, "test_subclassing_a_suite_needs_no_option.py::TestUpdates::UPD-05[strands-file]").assert_outcomes(
        passed=1
    )


def test_checks_and_backends_may_be_coroutines(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio

        from session_conformance.fixtures import ConformanceSuite
        from session_conformance.harness import Backend, requirement, violated
        from session_conformance.reference_impl import FileSessionManager


        async def open_manager(session_id, workspace):
            await asyncio.sleep(0)
            return FileSessionManager(session_id, storage_dir=str(workspace.folder))


        class TestMine(ConformanceSuite):
            session_manager = Backend("mine", open=open_manager)

            @requirement("OWN-01", source="F: here")
            async def met(self, new_session):
                \"\"\"A new session is empty.\"\"\"
                await asyncio.sleep(0)
                if new_session().read().messages:
                    violated("nothing", "something")

            @requirement("OWN-02", source="F: here")
            async def violated(self, new_session):
                \"\"\"A new session is not empty.\"\"\"
                await asyncio.sleep(0)
                if not new_session().read().messages:
                    violated("something", "nothing")
        """
    )
    run = judge(pytester)
    run.assert_outcomes(passed=1, failed=1)
    run.stdout.fnmatch_lines(["OWN-02 (MUST): A new session is not empty.", "expected: something", "found:    nothing"])


@pytest.mark.parametrize("workers", [[], ["-n1"]])
def test_a_few_requirements_of_a_subclass_are_no_whole_verdict(pytester: pytest.Pytester, workers: list[str]) -> None:
    pytester.makepyfile(
        f"""
        from session_conformance.suites import LifeOfASession

        class TestLife(LifeOfASession):
            session_manager = "{HERE}:NeedsNothing"
        """
    )
    run = judge(pytester, "-k", "LIF-01", "--conformance-report=r.json", *workers)
    run.stdout.fnmatch_lines(["tests-needs-nothing conforms, as far as 1 of * requirements tell: 1 met*"])
    report = read(pytester.path / "r.json")
    [backend] = report.backends
    assert backend.target == f"{HERE}:NeedsNothing"
    assert "ON_DISK" in backend.capabilities
    content = json.loads(badge(report))
    edition = report.versions["edition"]
    assert content["message"] == f"1 of {report.requirements} judged ({edition})"
    assert content["color"] == "lightgrey"


def test_the_report_says_what_it_holds_for(pytester: pytest.Pytester) -> None:
    judge(pytester, f"--session-manager={SDK}", "-k", "ORD-01", "--conformance-report=r.json")
    report = json.loads((pytester.path / "r.json").read_text())
    assert report["schema"] == 1
    assert report["versions"]["python"] == sys.version.split()[0]
    assert {"strands-agents", "strands-session-conformance", "pytest"} <= set(report["versions"])
    [backend] = report["backends"]
    assert backend["target"] == SDK
    assert backend["conforms"] is False
    assert "ON_DISK" in backend["capabilities"]
    [result] = backend["results"]
    assert "hook message_added (early)" in result["evidence"]


def test_the_command_for_people_without_pytest(pytester: pytest.Pytester) -> None:
    command = [sys.executable, "-m", "session_conformance.suites.command"]
    run = pytester.run(*command, "run", "reference-file", "-k", "LIF-01")
    assert run.ret == 0
    run.stdout.fnmatch_lines(["reference-file conforms*"])
    pytester.run(*command, "explain", "upd-06").stdout.fnmatch_lines(["UPD-06 (SHOULD): *", "source: *"])
    for wrong in (["explain", "XXX-99"], ["nonsense"], ["list", "--what"]):
        assert pytester.run(*command, *wrong).ret == 4
    assert len(pytester.run(*command, "list").outlines) >= len(all_requirements())


SAME_NAME = """
    from session_conformance.harness import Backend
    from session_conformance.suites import UpdatesAndRedaction

    class TestOne(UpdatesAndRedaction):
        session_manager = {one}

    class TestOther(UpdatesAndRedaction):
        session_manager = {other}
"""

GOOD = "from tests.conforming.snapshot_manager import SnapshotFileManager\nclass Manager(SnapshotFileManager): ...\n"
BAD = "from tests.mutants.broken_updates import IgnoresUpdates\nclass Manager(IgnoresUpdates): ...\n"


@pytest.fixture
def two_managers(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    package = pytester.mkpydir("mypkg")
    for name, source in (("good", GOOD), ("bad", BAD)):
        opened = "def manager(session_id, workspace): return Manager(session_id, str(workspace.folder))\n"
        backend = "from session_conformance.harness import Backend\nBACKEND = Backend('mypkg', manager)\n"
        (package / f"{name}.py").write_text(source + opened + backend)
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=":")


@pytest.mark.parametrize(
    ("one", "other", "bad"),
    [
        ("'mypkg.good:Manager'", "'mypkg.bad:Manager'", "mypkg-2"),
        ("'mypkg.bad:Manager'", "'mypkg.good:Manager'", "mypkg"),
        ("__import__('mypkg.good').good.Manager", "__import__('mypkg.bad').bad.Manager", "mypkg-2"),
        ("__import__('mypkg.good').good.manager", "__import__('mypkg.bad').bad.manager", "manager-2"),
        ("__import__('mypkg.good').good.BACKEND", "'mypkg.bad:BACKEND'", "mypkg-2"),
    ],
)
@pytest.mark.usefixtures("two_managers")
def test_two_backends_of_one_name_are_judged_apart(one: str, other: str, bad: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SAME_NAME.format(one=one, other=other))
    run = judge(pytester, "-k", "UPD-01")
    run.assert_outcomes(passed=1, failed=1)
    run.stdout.fnmatch_lines([f"{bad} does not conform, as far as 1 of * 1 MUST violated (UPD-01)*"])


@pytest.mark.parametrize("form", ["Manager", "BACKEND"])
@pytest.mark.usefixtures("two_managers")
def test_what_a_suite_names_has_no_name_of_the_command_line(form: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SAME_NAME.format(one=f"'mypkg.good:{form}'", other=f"'mypkg.bad:{form}'"))
    given = [f"--session-manager=mypkg.{name}:{form}" for name in ("bad", "good")]
    run = judge(pytester, *given, "-k", "UPD-01", "test_what_a_suite_names_has_no_name_of_the_command_line.py", "-v")
    run.assert_outcomes(passed=2, failed=2)
    run.stdout.fnmatch_lines_random(
        [
            "*::TestOne::UPD-01[[]mypkg-2[]] PASSED*",
            "*::TestOther::UPD-01[[]mypkg[]] FAILED*",
            "mypkg does not conform*(UPD-01)*",
            "mypkg-2 conforms*",
        ]
    )


def test_no_event_is_marked_that_shows_the_opposite(pytester: pytest.Pytester) -> None:
    run = judge(pytester, "--session-manager=tests.mutants.broken_order:PersistsAfterUserHooks", "-k", "ORD-01")
    marked = [line for line in run.outlines if line.startswith("  > ")]
    assert ["(early)" in line or "(constructor)" in line for line in marked] == [True, True]
    run.stdout.fnmatch_lines(["   * hook message_added (added) *", "*stored: 1 message; last: user *"])
