"""Without an option the plugin changes nothing and loads nothing."""

import sys

import pytest


def run_with_nothing_loaded(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest in a new process; other tests fork theirs from one that has loaded what they need."""
    return pytester.run(sys.executable, "-m", "pytest", *arguments)


def test_nothing_is_loaded_and_nothing_is_collected(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_modules():
            heavy = {"strands", "boto3", "moto", "rich", "hypothesis", "session_conformance.harness"}
            assert not heavy & set(sys.modules)
            assert "session_conformance.fixtures.plugin" in sys.modules
        """
    )
    run = run_with_nothing_loaded(pytester, "-p", "no:hypothesispytest")
    run.assert_outcomes(passed=1)
    run.stdout.no_fnmatch_line("*conform*met*")


def test_a_project_may_turn_warnings_into_errors(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = --strict-markers --strict-config -p no:asyncio")
    pytester.makepyfile("def test_one(): pass")
    run_with_nothing_loaded(pytester).assert_outcomes(passed=1)


def test_an_argument_without_a_manager_is_a_usage_error(pytester: pytest.Pytester) -> None:
    run = run_with_nothing_loaded(pytester, "--session-manager-arg=a=b")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["ERROR: --session-manager-arg needs --session-manager, --session-repo*"])
