"""Reports are written by runs that judged something, and by no others."""

from pathlib import Path

import pytest

MANAGER = "--session-manager=tests.plugin.backends:NeedsNothing"


@pytest.fixture
def good(pytester: pytest.Pytester) -> Path:
    path = pytester.path / "r.json"
    path.write_text("what an earlier run has written")
    return path


@pytest.mark.parametrize("arguments", [["--collect-only"], ["-k", "NOPE"], ["--no-such-option"]])
def test_a_run_that_judged_nothing_leaves_an_earlier_report(
    arguments: list[str], good: Path, pytester: pytest.Pytester
) -> None:
    run = pytester.runpytest_subprocess(MANAGER, "--conformance-report=r.json", *arguments)
    assert good.read_text() == "what an earlier run has written"
    if arguments == ["-k", "NOPE"]:
        assert run.ret == pytest.ExitCode.NO_TESTS_COLLECTED
        run.stdout.fnmatch_lines(["--conformance-report: nothing was judged, so r.json was not written: give *"])


def test_a_report_of_a_project_that_judges_nothing_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_own(): pass")
    run = pytester.runpytest_subprocess("--conformance-report=x.html")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.assert_outcomes(passed=1)
    run.stdout.fnmatch_lines(["--conformance-report: nothing was judged, so x.html was not written: give *"])
    assert not (pytester.path / "x.html").exists()


def test_nothing_is_left_in_the_project_but_pytests_cache(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(MANAGER, "-k", "CNT-07 or LIF-01")
    run.assert_outcomes(passed=2)
    of_pytester = {"runpytest-0", "runpytest-current", "stdout", "stderr"}
    assert {path.name for path in pytester.path.iterdir()} - of_pytester <= {".pytest_cache"}


def test_benchmarks_that_are_saved_are_where_they_always_were(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # pytest-benchmark measures nothing in workers
    pytester.makepyfile("def test_own(benchmark): benchmark(int)")
    pytester.runpytest_subprocess("--benchmark-save=mine").assert_outcomes(passed=1)
    assert list((pytester.path / ".benchmarks").rglob("*.json"))


@pytest.fixture
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    for name in ("PYTHONUTF8", "PYTHONCOERCECLOCALE"):
        monkeypatch.setenv(name, "0")
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)  # tox sets it


@pytest.mark.usefixtures("plain_terminal")
def test_a_terminal_without_unicode_shows_lines(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("--session-manager=strands-file", "-k", "ORD-05", "-q")
    run.stdout.fnmatch_lines(
        [
            "found:    *",
            "timeline (*",
            "strands-file *",
            " group * met * violated * not applicable*",
            " ---------*",
            " ORD     persistence before hooks *",
            "strands-file does not conform, *",
        ]
    )
    assert "\\n" not in run.stdout.str()
    assert "\\u" not in run.stdout.str()


def test_a_list_of_known_violations_of_nobody_is_pointed_out(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(
        "[tool.session-conformance.backends.mine]\ntarget = 'tests.plugin.backends:NeedsNothing'\n"
        "[tool.session-conformance.known-violations.min]\nORD-01 = 'known'\n"
        "[tool.session-conformance.known-violations.mine]\nORD-02 = 'known'\n"
        "[tool.session-conformance.known-violations.tests-needs-nothing]\nORD-03 = 'known'\n"
    )
    run = pytester.runpytest_subprocess(MANAGER, "-k", "LIF-01")
    assert run.ret == pytest.ExitCode.OK
    warning = "known-violations.min: no backend of this run or of the configuration is called 'min': did you mean"
    run.stdout.fnmatch_lines([f"{warning} known-violations.mine?"])
    assert "known-violations.tests-needs-nothing" not in run.stdout.str()
