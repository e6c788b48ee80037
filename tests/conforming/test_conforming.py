"""Correct managers of several designs meet every requirement: none of them wrongs a design."""

import json

import pytest
from session_conformance.suites.catalog import all_requirements

IDS = [requirement.id for requirement in all_requirements()]


def of(*groups: str) -> set[str]:
    return {id for id in IDS if id.startswith(groups)}


NO_CLEAN_UP = {"CLN-02", "COR-05"}
NO_DELETION = {"CLN-01", "CLN-03", "CLN-04"}
ON_SQLITE = NO_CLEAN_UP | NO_DELETION | {"COR-07"}  # one file: no object can stand in another's place
NOT_OF_FILES = of("S3A", "SNP", "NET")
REPOSITORY = of("REP")
STORAGE = of("SNP-0")  # the others are about managers
NO_TEAMS = of("MAG") | REPOSITORY
NOT_BESIDE_A_WRITER = {
    "AGT-07", "AGT-08", "AGT-12", "AGT-20", "AGT-24", "CON-03", "ORD-01", "ORD-02", "ORD-03", "ORD-04", "ORD-07",
    "ORD-08", "ORD-09", "RPL-01", "TOL-05",
}  # fmt: skip


@pytest.mark.parametrize(
    ("target", "which", "not_applicable"),
    [
        pytest.param(target, which, not_applicable, id=target.rpartition(":")[2])
        for target, which, not_applicable in (
            ("tests.conforming.snapshot_manager:SnapshotFileManager", "", NO_CLEAN_UP | NO_TEAMS),
            # What is special of the two on SQLite is told apart: where all is kept, and how it gets there.
            ("tests.conforming.sqlite_manager:SqliteManager", "not dur", NO_TEAMS | ON_SQLITE),
            ("tests.conforming.sqlite_wal_manager:SqliteWalManager", "dur or cor or con", ON_SQLITE),
            (
                "tests.conforming.locking_manager:LockingManager",  # what is open is not deleted
                "lif or ord or rpl or tol or ids or con or cln or agt",
                NO_CLEAN_UP | NOT_BESIDE_A_WRITER | {"CLN-04"},
            ),
            (
                "tests.conforming.own_words:OwnWordsManager",
                "ids or cor or con or cln or cnt or dur or sta",
                NO_CLEAN_UP | NOT_BESIDE_A_WRITER | {"CLN-04"},
            ),
        )
    ],
)
def test_a_correct_manager_meets_every_requirement(
    target: str, which: str, not_applicable: set[str], pytester: pytest.Pytester
) -> None:
    """The reference managers, for which all apply, are judged by tox's conformance, from outside of the tests."""
    run = pytester.runpytest_subprocess(
        f"--session-manager={target}",
        "--conformance-fail-on=should",
        "--conformance-report=report.json",
        "-q",
        *(["-m", which] if which else []),
    )
    [backend] = json.loads((pytester.path / "report.json").read_text())["backends"]
    judged = {result["id"] for result in backend["results"]}
    others = {result["id"]: result["outcome"] for result in backend["results"] if result["outcome"] != "met"}
    expected = judged & (not_applicable | NOT_OF_FILES)
    assert others == dict.fromkeys(sorted(expected), "not applicable"), run.stdout.str()
    assert run.ret == 0
    assert len(judged - expected) >= 15


def test_a_correct_manager_on_dynamodb_is_not_wronged(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.dynamodb_manager:DynamoManager",
        "--session-manager-arg=table_name={unique}",
        "--conformance-fail-on=should",
        "-k",
        "LIF-0 or ORD or CON-01 or CNT-01 or CNT-02",
        "-q",
    )
    assert run.ret == 0, run.stdout.str()
    assert run.parseoutcomes()["passed"] >= 20


def test_what_may_be_used_on_one_thread_only_is_used_and_closed_there(pytester: pytest.Pytester) -> None:
    """But for what the SDK itself does on other threads, as its plain calls."""
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.one_thread_manager:OneThreadManager",
        "--conformance-fail-on=should",
        "-k",
        "LIF or UPD or CON-01 or CON-05 or COR-02 or AGT-18 or AGT-23 or AGT-27 or AGT-28",
        "-q",
    )
    assert run.ret == 0, run.stdout.str()
    assert run.parseoutcomes()["passed"] >= 28
    run.stdout.no_fnmatch_line("*closing*")


@pytest.mark.parametrize(
    ("option", "target", "group"),
    [
        pytest.param(
            "--session-repository",
            "session_conformance.harness.backends.plain_stores:PlainRepository",
            REPOSITORY,
            marks=pytest.mark.long,
        ),
        ("--session-repository", "tests.conforming.plain_dicts:DictRepository", REPOSITORY),
        pytest.param(
            "--session-storage",
            "session_conformance.harness.backends.plain_stores:PlainStorage",
            STORAGE - {"SNP-08"},
            marks=pytest.mark.long,
        ),
        ("--session-storage", "tests.conforming.plain_dicts:DictStorage", STORAGE),
    ],
)
def test_a_correct_store_meets_every_requirement(
    option: str, target: str, group: set[str], pytester: pytest.Pytester
) -> None:
    run = pytester.runpytest_subprocess(
        f"{option}={target}",
        "--conformance-fail-on=should",
        "--conformance-report=report.json",
        "-q",
        "-m",
        "rep or snp or ids or lif or tol or cnt",  # the rest is mostly about the SDK's manager over it
    )
    [backend] = json.loads((pytester.path / "report.json").read_text())["backends"]
    outcomes = {result["id"]: result["outcome"] for result in backend["results"]}
    assert set(outcomes.values()) == {"met", "not applicable"}, run.stdout.str()
    met = {id for id, outcome in outcomes.items() if outcome == "met"}
    assert met >= {*group, "IDS-01", "LIF-12", "TOL-01", "CNT-07"}
    assert run.ret == 0
