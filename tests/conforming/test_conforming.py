"""Correct managers of several designs meet every requirement: none of them wrongs a design."""

import json

import pytest

NO_CLEAN_UP = {"CLN-02", "COR-05"}
TEAMS = {f"MAG-{number:02}" for number in range(1, 11)}
ON_S3 = {f"S3A-{number:02}" for number in range(1, 10)}
REPOSITORY = {f"REP-{number:02}" for number in range(1, 10)}
NOT_BESIDE_A_WRITER = {
    "AGT-07", "AGT-08", "AGT-12", "AGT-20", "AGT-24", "CON-03", "ORD-01", "ORD-02", "ORD-03", "ORD-04", "ORD-07",
    "ORD-08", "ORD-09", "RPL-01", "TOL-05",
}  # fmt: skip
STORAGE = {f"SNP-{number:02}" for number in range(1, 10)}


@pytest.mark.parametrize(
    ("target", "not_applicable"),
    [
        ("tests.conforming.snapshot_manager:SnapshotFileManager", NO_CLEAN_UP | TEAMS | REPOSITORY),
        (
            "tests.conforming.sqlite_manager:SqliteManager",
            NO_CLEAN_UP | TEAMS | REPOSITORY | {"CLN-01", "CLN-03", "CLN-04"},
        ),
        (
            "tests.conforming.sqlite_wal_manager:SqliteWalManager",
            NO_CLEAN_UP | TEAMS | REPOSITORY | {"CLN-01", "CLN-03", "CLN-04"},
        ),
        (
            "tests.conforming.locking_manager:LockingManager",
            NO_CLEAN_UP | TEAMS | REPOSITORY | NOT_BESIDE_A_WRITER | {"CLN-04"},  # what is open is not deleted
        ),
        (
            "tests.conforming.own_words:OwnWordsManager",
            NO_CLEAN_UP | TEAMS | REPOSITORY | NOT_BESIDE_A_WRITER | {"CLN-04"},
        ),
        ("session_conformance.reference_impl:FileSessionManager", set()),
    ],
)
def test_a_correct_manager_meets_every_requirement(
    target: str, not_applicable: set[str], pytester: pytest.Pytester
) -> None:
    run = pytester.runpytest_subprocess(
        f"--session-manager={target}", "--conformance-fail-on=should", "--conformance-report=report.json", "-q"
    )
    [backend] = json.loads((pytester.path / "report.json").read_text())["backends"]
    results = [result for result in backend["results"] if not result["id"].startswith("NET-")]  # there is no server
    others = {result["id"]: result["outcome"] for result in results if result["outcome"] != "met"}
    assert others == dict.fromkeys(sorted(not_applicable | ON_S3 | STORAGE), "not applicable"), run.stdout.str()
    assert run.ret == 0
    assert len(backend["results"]) >= 76


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


@pytest.mark.parametrize(
    ("option", "target", "group"),
    [
        ("--session-repository", "session_conformance.harness.backends.plain_stores:PlainRepository", REPOSITORY),
        ("--session-repository", "tests.conforming.plain_dicts:DictRepository", REPOSITORY),
        ("--session-storage", "session_conformance.harness.backends.plain_stores:PlainStorage", STORAGE - {"SNP-08"}),
        ("--session-storage", "tests.conforming.plain_dicts:DictStorage", STORAGE),
    ],
)
def test_a_correct_store_meets_every_requirement(
    option: str, target: str, group: set[str], pytester: pytest.Pytester
) -> None:
    run = pytester.runpytest_subprocess(
        f"{option}={target}", "--conformance-fail-on=should", "--conformance-report=report.json", "-q"
    )
    [backend] = json.loads((pytester.path / "report.json").read_text())["backends"]
    outcomes = {result["id"]: result["outcome"] for result in backend["results"]}
    assert set(outcomes.values()) == {"met", "not applicable"}, run.stdout.str()
    met = {id for id, outcome in outcomes.items() if outcome == "met"}
    assert met >= {*group, "IDS-01", "LIF-12", "TOL-01", "CNT-07"}
    assert run.ret == 0
