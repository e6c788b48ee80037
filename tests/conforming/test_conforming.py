"""Correct managers of several designs meet every requirement: none of them wrongs a design."""

import json
from collections.abc import Sequence

import pytest
from session_conformance.suites.catalog import all_requirements

from .snapshot_manager import ASKED_EACH_DAY

IDS = [requirement.id for requirement in all_requirements()]


def of(*groups: str) -> set[str]:
    return {id for id in IDS if id.startswith(groups)}


NO_CLEAN_UP = {"CLN-02", "COR-05"}
NO_DELETION = {"CLN-01", "CLN-03", "CLN-04", "CLN-05", "CLN-06"}
ON_SQLITE = NO_CLEAN_UP | NO_DELETION | {"COR-07"}  # one file: no object can stand in another's place
NOT_OF_FILES = of("S3A", "SNP", "NET")
REPOSITORY = of("REP")
STORAGE = of("SNP-0")  # the others are about managers
NO_TEAMS = of("MAG") | REPOSITORY
NOT_BESIDE_A_WRITER = {
    "AGT-07", "AGT-08", "AGT-12", "AGT-20", "AGT-24", "CON-03", "ORD-01", "ORD-02", "ORD-03", "ORD-04", "ORD-07",
    "ORD-08", "ORD-09", "ORD-10", "RPL-01", "TOL-05",
}  # fmt: skip


HERE = "tests.conforming"
DESIGNS = [  # where it is, what of it is not applicable, and what is judged of what is special in it, each day
    (f"{HERE}.snapshot_manager:SnapshotFileManager", NO_CLEAN_UP | NO_TEAMS, "-m", " or ".join(ASKED_EACH_DAY)),
    (f"{HERE}.sqlite_manager:SqliteManager", NO_TEAMS | ON_SQLITE, "-m", "ids or cor or con or cln"),
    (f"{HERE}.sqlite_wal_manager:SqliteWalManager", NO_TEAMS | ON_SQLITE, "-k", "COR-02 or COR-03 or CON-03"),
    (  # what is open is not deleted
        f"{HERE}.locking_manager:LockingManager",
        NO_CLEAN_UP | NO_TEAMS | NOT_BESIDE_A_WRITER | {"CLN-04"},
        "-m",
        "lif or con or cln",
    ),
    (
        f"{HERE}.own_words:OwnWordsManager",
        NO_CLEAN_UP | NO_TEAMS | NOT_BESIDE_A_WRITER | {"CLN-04"},
        "-m",
        "ids or cor or con",
    ),
]


@pytest.mark.parametrize(
    ("target", "not_applicable", "chosen"),
    [
        pytest.param(
            target,
            not_applicable,
            () if whole else chosen,
            marks=[pytest.mark.long] if whole else [],
            id=target.rpartition(":")[2] + (", whole" if whole else ""),
        )
        for target, not_applicable, *chosen in DESIGNS
        for whole in (False, True)
    ],
)
def test_a_correct_manager_meets_every_requirement(
    target: str, not_applicable: set[str], chosen: Sequence[str], pytester: pytest.Pytester
) -> None:
    """The reference managers, for which all apply, are judged by tox's conformance, from outside of the tests."""
    run = pytester.runpytest_subprocess(
        f"--session-manager={target}",
        "--conformance-fail-on=should",
        "--conformance-report=report.json",
        "-q",
        *chosen,
    )
    [backend] = json.loads((pytester.path / "report.json").read_text())["backends"]
    judged = {result["id"] for result in backend["results"]}
    others = {result["id"]: result["outcome"] for result in backend["results"] if result["outcome"] != "met"}
    expected = judged & (not_applicable | NOT_OF_FILES)
    assert others == dict.fromkeys(sorted(expected), "not applicable"), run.stdout.str()
    assert run.ret == 0
    assert judged - expected


def test_a_journal_that_drops_what_a_kill_leaves_of_a_line_is_not_wronged(pytester: pytest.Pytester) -> None:
    """The same bytes are left by a cut: what DUR-01 asks for, COR-02 must not forbid."""
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.chained_journal_manager:ChainedJournalManager", "-k", "COR-0 or DUR-01"
    )
    run.assert_outcomes(passed=7, skipped=1)


def test_a_manager_that_keeps_its_files_open_is_not_given_one_state_after_another_in_them(
    pytester: pytest.Pytester,
) -> None:
    """What a process has open stays as it is: no crash would put other bytes there, or move it."""
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.kept_open_manager:KeptOpenManager", "-k", "DUR-01"
    )
    run.assert_outcomes(passed=1)


def test_a_connection_that_goes_with_its_thread_is_no_leak(pytester: pytest.Pytester) -> None:
    """What an ended thread had for itself is there until it is collected, after the thread's manager was."""
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.thread_connections:ThreadConnectionsManager",
        "--conformance-fail-on=should",
        "-k",
        "LIF-16",
    )
    run.assert_outcomes(passed=1)


def test_a_state_that_there_is_no_room_for_may_be_refused(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.small_column:SmallColumnManager",
        "--conformance-fail-on=should",
        "-k",
        "LIF-04 or CNT-06",
    )
    run.assert_outcomes(passed=2)


def test_rows_that_were_deleted_may_be_written_over_later(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.deleting_rows:DeletingRowsManager",
        "--conformance-fail-on=should",
        "-k",
        "LIF-18 or CLN-01 or CLN-06",
    )
    run.assert_outcomes(passed=3)


def test_rows_in_free_pages_are_deleted_but_not_erased(pytester: pytest.Pytester) -> None:
    """A database frees a page as a file system frees a block: that is deletion, and SHOULD be more (CLN-06)."""
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.mutants.broken_rows:LeavesDeletedRowsInFreePages", "-k", "CLN-01"
    )
    run.assert_outcomes(passed=1)


def test_a_table_of_locks_tells_of_no_session(pytester: pytest.Pytester) -> None:
    """Where the file that holds all sessions is lost, it is left, as it was before there was any of them."""
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.lock_table:LockTableManager", "-k", "COR-01 or COR-02"
    )
    run.assert_outcomes(passed=2)


def test_messages_without_a_tracking_id_are_not_taken_for_one_another(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.anonymous_results:AnonymousResultsManager",
        "-k",
        "DUR-03 or TOL-04 or TOL-08 or AGT-11 or CON-07",
    )
    run.assert_outcomes(passed=5)


@pytest.mark.long
def test_an_index_in_parts_may_stay_when_the_sessions_in_it_are_deleted(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.indexed_manager:IndexedManager", "-k", "CLN-01"
    )
    run.assert_outcomes(passed=1)


def test_a_refused_turn_was_not_acknowledged_by_who_promises_turns(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.turn_manager:TurnFileManager",
        "--conformance-durability=turn",
        "--conformance-fail-on=should",
        "-k",
        "CON-05 or CNT-06",
    )
    run.assert_outcomes(passed=2)


def test_a_restart_of_the_connection_is_no_stop_of_who_promises_stops(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.turn_manager:RestFileManager",
        "--conformance-durability=stop",
        "--conformance-fail-on=should",
        "-k",
        "RPL-02 or RPL-03 or RPL-06 or UPD",
    )
    run.assert_outcomes(passed=9)


def test_who_asks_for_a_key_is_told_of_it_and_not_of_a_file(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-storage=tests.conforming.encoded_storage:EncodedStorage",
        "--conformance-fail-on=should",
        "-k",
        "COR-06",
    )
    run.assert_outcomes(passed=1)


def test_methods_of_an_instance_delete_clean_up_and_list(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.caretaking_manager:CaretakingManager",
        "--conformance-fail-on=should",
        "-m",
        "cln",
    )
    run.assert_outcomes(passed=4, skipped=2)  # what is in use is not deleted


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
