"""Whose fault it is: what a manager violates is told from what the SDK's class violates that it is built on."""

import json

import pytest
from session_conformance.harness.verdicts import Level, Result, Verdict

BASE = "RepositorySessionManager"


def violated(id: str, inherited: str = "") -> Result:
    about = {"level": Level.MUST.value, "outcome": "violated", "sentence": "s", "source": "D", "inherited": inherited}
    return Result(backend="mine", id=id, **about)


def test_the_verdict_counts_both_and_names_its_own_first() -> None:
    verdict = Verdict("mine", [violated("ORD-01", BASE), violated("ORD-02", BASE), violated("REP-05")])
    assert "3 MUST violated (REP-05, ORD-01, ORD-02)" in verdict.sentence
    assert f"2 with the SDK's base class, {BASE}, 1 of its own (REP-05)" in verdict.sentence
    assert not Verdict("mine", [violated("ORD-01", BASE), violated("REP-05")], own_only=True).passes
    inherited = Verdict("mine", [violated("ORD-01", BASE)], own_only=True)
    assert inherited.passes
    assert not inherited.conforms  # messages are lost all the same


def test_a_run_can_be_told_to_fail_on_its_own_only(pytester: pytest.Pytester) -> None:
    manager = "--session-manager=strands-file"
    run = pytester.runpytest_subprocess(
        manager, "-k", "ORD-01", "--conformance-fail-on=own", "--conformance-report=r.json"
    )
    assert run.ret == pytest.ExitCode.OK
    [backend] = json.loads((pytester.path / "r.json").read_text())["backends"]
    assert [(one["outcome"], one["inherited"]) for one in backend["results"]] == [("violated", BASE)]
