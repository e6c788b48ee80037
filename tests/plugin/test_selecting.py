"""Selecting requirements: by the letters of a group, and by the ids that pytest prints."""

import pytest

MANAGER = "--session-manager=tests.plugin.backends:NeedsNothing"


@pytest.mark.parametrize(("group", "count"), [("CON", 4), ("STA", 1), ("REP", 9), ("ORD", 9)])
def test_the_letters_of_a_group_select_that_group(group: str, count: int, pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(MANAGER, "-k", group, "--collect-only", "-q")
    ids = [line for line in run.outlines if "::" in line]
    assert {line.partition("::")[0] for line in ids} == {group}
    assert len(ids) >= count


def test_an_id_that_was_printed_runs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_own(): pass")
    failing = "--session-manager=strands-file"
    run = pytester.runpytest_subprocess(failing, "ORD::ORD-01[strands-file]", "LIF::LIF-01", "--tb=no")
    run.assert_outcomes(failed=1, passed=1)
    run.stdout.fnmatch_lines(["FAILED ORD::ORD-01[[]strands-file]*"])
    pytester.runpytest_subprocess(failing, "LIF::LIF-01", "-n1", ".").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("-k", "ORD-99"), "-k 'ORD-99' matches no requirement: near to it: ORD-0*"),
        (("-k", "order"), "-k 'order' matches no requirement: 'session-conformance list' shows all"),
        (("-m", "ordd and must"), "-m 'ordd and must' matches no requirement: near to it: ord, must"),
        (("-k", "ORD-99", "-m", "must"), "-k 'ORD-99' matches no requirement: near to it: ORD-0*"),
        (("-k", "ORD-01", "-m", "should"), "-k 'ORD-01' and -m 'should' match no requirement together"),
        (("-k", "not f"), "-k 'not f' matches no requirement: pytest looks for each word in the backend's name, too"),
    ],
)
def test_options_that_select_nothing_name_what_is_near(
    pytester: pytest.Pytester, options: tuple[str, ...], told: str
) -> None:
    run = pytester.runpytest_subprocess(MANAGER, *options, "-q")
    assert run.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    run.stdout.fnmatch_lines([told])
