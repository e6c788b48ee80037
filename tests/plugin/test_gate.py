"""The gate of a pull request: new violations fail it, known ones do not, and stale ones do until they are removed."""

import json
from pathlib import Path

import pytest
from session_conformance.harness.reporting import badge
from session_conformance.harness.reporting import read as read_report

CORRECT = "tests.conforming.snapshot_manager:SnapshotFileManager"
BREAKS_ORD_01 = "tests.mutants.broken_order:PersistsAfterUserHooks"


def gate(pytester: pytest.Pytester, target: str, known: str = "", *more: str) -> pytest.RunResult:
    """Judge the ORD group of a project's manager, as its workflow does, with these known violations configured."""
    pytester.makepyprojecttoml(
        f"[tool.session-conformance.backends.mine]\ntarget = '{target}'\n"
        f"[tool.session-conformance.known-violations.mine]\n{known}\n"
    )
    return pytester.runpytest_subprocess("--session-manager=mine", "-k", "ORD", "--conformance-report=r.json", *more)


def results(pytester: pytest.Pytester) -> dict[str, dict[str, str]]:
    [backend] = json.loads((pytester.path / "r.json").read_text())["backends"]
    return {result["id"]: result for result in backend["results"]}


def violated_by_the_mutant(pytester: pytest.Pytester) -> set[str]:
    gate(pytester, BREAKS_ORD_01)
    return {id for id, result in results(pytester).items() if result["outcome"] == "violated"}


def test_a_change_that_breaks_ord_01_turns_the_exit_code(pytester: pytest.Pytester) -> None:
    assert gate(pytester, CORRECT).ret == pytest.ExitCode.OK
    assert gate(pytester, BREAKS_ORD_01).ret == pytest.ExitCode.TESTS_FAILED
    assert results(pytester)["ORD-01"]["outcome"] == "violated"


def test_known_violations_do_not_fail_the_run(pytester: pytest.Pytester) -> None:
    broken = violated_by_the_mutant(pytester)
    assert "ORD-01" in broken
    run = gate(pytester, BREAKS_ORD_01, "\n".join(f"{id} = 'to be mended: issue 12'" for id in sorted(broken)))
    assert run.ret == pytest.ExitCode.OK
    run.assert_outcomes(xfailed=len(broken), passed=len(results(pytester)) - len(broken), skipped=0)
    run.stdout.fnmatch_lines(
        [
            "ORD-01 (MUST) known violation: to be mended: issue 12",
            f"mine does not conform,*{len(broken)} violated as known (ORD-01, *",
        ]
    )
    assert results(pytester)["ORD-01"]["outcome"] == "violated"
    assert results(pytester)["ORD-01"]["known"] == "to be mended: issue 12"


def test_a_new_violation_beside_known_ones_fails(pytester: pytest.Pytester) -> None:
    broken = violated_by_the_mutant(pytester)
    known = "\n".join(f"{id} = 'known'" for id in sorted(broken - {"ORD-01"}))
    run = gate(pytester, BREAKS_ORD_01, known)
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.assert_outcomes(failed=1, xfailed=len(broken) - 1, passed=len(results(pytester)) - len(broken))


@pytest.mark.parametrize("workers", [[], ["-n1"]])
def test_a_stale_known_violation_fails_until_it_is_removed(pytester: pytest.Pytester, workers: list[str]) -> None:
    run = gate(pytester, CORRECT, "ORD-01 = 'it was broken once'", *workers)
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(
        [
            "ORD-01 is met by mine, and listed as a known violation (it was broken once): take it out of*",
            "mine conforms, *; but the gate fails: ORD-01 is listed as a known violation and met: remove it",
        ]
    )


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ("ORD-99 = 'soon'", "*there is no requirement ORD-99*"),
        ("ORD-01 = ''", "pyproject.toml: known-violations of 'mine': ORD-01 needs a reason*"),
        ("ORD-01 = 3", "pyproject.toml: known-violations of 'mine': ORD-01 needs a reason*"),
    ],
)
def test_a_list_that_cannot_be_used(pytester: pytest.Pytester, known: str, message: str) -> None:
    run = gate(pytester, CORRECT, known)
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert len([line for line in run.errlines if line.strip()]) == 1
    run.stderr.fnmatch_lines([f"ERROR: {message}"])


def badge_of(pytester: pytest.Pytester) -> dict[str, str]:
    read: dict[str, str] = json.loads(badge(read_report(pytester.path / "r.json")))
    return read


def test_a_verdict_is_not_green_where_the_gate_fails(pytester: pytest.Pytester) -> None:
    run = gate(pytester, CORRECT, "ORD-01 = 'once'\nORD-02 = 'once'", "--color=yes")
    said = "but the gate fails: ORD-01, ORD-02 are listed as known violations and met: remove them"
    run.stdout.fnmatch_lines([f"*\x1b[[]31mmine conforms,*{said}*"])
    assert badge_of(pytester)["color"] == "orange"


@pytest.mark.parametrize("where", ["command line", "configuration"])
def test_a_should_that_fails_the_run_is_said_and_earns_no_green(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    option = "--conformance-fail-on=should"
    if where == "configuration":
        pytester.makeini(f"[pytest]\naddopts = {option}")
    arguments = [option] if where == "command line" else []
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.plugin.backends:Leaky", "-k", "UPD", "--conformance-report=r.json", *arguments
    )
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(
        [
            "*conforms, *; but the gate fails: UPD-06 is violated, and --conformance-fail-on=should was given",
            "::error title=UPD-06 (SHOULD)*",
        ]
    )
    assert badge_of(pytester)["color"] == "orange"


def test_annotations_on_github_actions(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "::error" not in gate(pytester, BREAKS_ORD_01).stdout.str()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    run = gate(pytester, BREAKS_ORD_01, "ORD-05 = 'known'\nORD-06 = 'mended'")
    run.stdout.fnmatch_lines_random(
        [
            "::error title=ORD-01 (MUST)%2C mine::A user message is stored before*%0Aexpected: *%0Afound: *",
            "::notice title=ORD-05 (MUST)%2C mine::known violation (known): *",
            "::error title=ORD-06 (MUST)%2C mine::met, and listed as a known violation (mended)*",
        ]
    )


def test_the_report_is_written_whatever_the_verdict(pytester: pytest.Pytester) -> None:
    gate(pytester, BREAKS_ORD_01)
    assert Path(pytester.path / "r.json").stat().st_size > 0
