"""Causes: what violations have in common is told once, with what usually mends it."""

import pytest
from session_conformance.harness.reporting import start_here
from session_conformance.harness.verdicts import GROUPS, Result, Verdict, by_cause, cause_of
from session_conformance.harness.verdicts.causes import _OF_REQUIREMENT

from tests.mutants.judge import REQUIREMENTS


def violated(id: str, found: str, **more: str) -> Result:
    return Result("b", id, "MUST", "violated", "It holds.", "here", expected="it holds", found=found, **more)


@pytest.mark.parametrize(
    ("id", "found", "helps"),
    [
        (
            "LIF-02",
            'message 1 is assistant [] pending #68 instead of assistant ["Hello"] complete #68',
            "MessageUpdatedEvent",
        ),
        ("RPL-11", "2 are: missing ['two', 'three'], too many []", "MessageUpdatedEvent"),
        ("ORD-01", "what was stored of it was: nothing", "HookOrder.SDK_FIRST"),
        ("ORD-09", 'a hook was told of user ["during the fault"] #04, and it is not stored', "HookOrder.SDK_FIRST"),
        (
            "COR-01",
            "in 65 cases it is not so. The first: bit 1 of byte 92 flipped: TypeError: no",
            "raise SessionException",
        ),
        ("CON-01", "it is stored 0 times; stored is ['before', 'two 0']", "unique key"),
        ("DUR-02", "in 126 of 185 states they are not", "fsync"),
        ("CON-04", "252 writes, syncs and renames were done on it", "asyncio.to_thread"),
        ("NET-02", 'user ["one"] #01 is stored twice', "an id of its own"),
        ("NET-08", 'user ["b"] #02 is not; what is stored is: assistant [] pending #01', "pool_pre_ping"),
        ("NET-03", 'user ["b"] #02 is not; what is stored is: assistant [] pending #01', "retry what was not sent"),
        ("NET-05", "it came back with: nothing", "every other error out"),
        ("NET-07", "it stands still", "asyncio.to_thread"),
        ("LIF-13", "it changes a/data", "write nothing where they are the same"),
        ("LIF-15", "a reader raised SessionException: it is open", "resolve()"),
        ("UPD-06", "it is in a/data, as text, at byte 10", "free pages"),
        ("CLN-01", "its text is still in a/data", "of all its agents and teams"),
        ("CLN-01", "another session is gone", "exact keys"),
        (
            "COR-06",
            "in 51 of 62 cases it is not so. The first: log, cut short: SessionException: session 'a': ValueError: cut",
            "which of its files, keys or rows",
        ),
        ("COR-06", "in 2 of 62 cases it is not so. The first: log, cut short: DecodeError: it is cut", "raise Session"),
        ("CLN-04", "it has ['I am new', 'I am old']", "a random id of its own"),
        ("AGT-28", "it raises ValueError: no", "turn what restoring raises"),
        (
            "DUR-03",
            'opening the session raises SessionException: "no", though nothing failed below it since',
            "begin anew after it",
        ),
        ("COR-07", "in 1 of 1 cases it is not. The first: a/data was replaced by another session's", "whose it is"),
        ("COR-02", "in 2 of 61 cases it is not so. The first: log, cut to 219 of 2407 bytes", "checksum"),
        ("CNT-06", "a reader raised KeyError: 'content'", "could not restore"),
        ("CNT-06", "nothing was raised, and message 0 differs", "default=str"),
        ("IDS-05", 'agent.send() raises StorageError: "log: no record at byte 38884"', "read again"),
        ("AGT-02", 'agent.invoke_async() raises SessionException: "changed by another writer"', "an older copy"),
        ("ORD-10", "what was stored of it was: user [] pending #3d5b76a9", "MessageUpdatedEvent"),
        ("CON-02", "session 7 has what session 8 said", "run nothing that blocks"),
        ("COR-01", "in 6 cases it is not so. The first: a/data, cut short: a process was ended by SIGBUS", "map it"),
    ],
)
def test_a_violation_has_a_cause_that_helps(id: str, found: str, helps: str) -> None:
    cause = cause_of(violated(id, found))
    assert cause is not None
    assert helps in cause.help


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_help(group: str) -> None:
    cause = cause_of(violated(f"{group}-99", "something that no rule knows"))
    assert cause is not None
    assert cause.help


def test_what_helps_of_one_requirement_is_of_a_requirement_that_there_is() -> None:
    assert _OF_REQUIREMENT.keys() <= REQUIREMENTS.keys()


def test_what_is_met_has_no_cause() -> None:
    assert cause_of(Result("b", "ORD-01", "MUST", "met", "It holds.", "here")) is None


def test_an_sdk_exception_is_no_driver_error() -> None:
    cause = cause_of(violated("COR-06", "deleted: SessionException: Session x already exists"))
    assert cause is not None
    assert "driver" not in cause.name


def test_the_cause_of_the_most_comes_first() -> None:
    pending = "assistant [] pending #1 instead of it"
    results = [violated("ORD-01", "was: nothing"), violated("LIF-02", pending), violated("LIF-03", pending)]
    assert [[one.id for one in found] for found in by_cause(results).values()] == [["LIF-02", "LIF-03"], ["ORD-01"]]
    told = start_here(Verdict("b", results))
    assert told.index("start here") < told.index("LIF-02, LIF-03: ") < told.index("ORD-01: ")
    assert start_here(Verdict("b", [])) == ""


def test_what_fails_a_run_comes_before_what_does_not() -> None:
    should = [Result("b", id, "SHOULD", "violated", "It holds.", "here", found="bad") for id in ("UPD-06", "AGT-18")]
    found = by_cause([*should, violated("TOL-04", "two results")])
    assert [one.id for results in found.values() for one in results] == ["TOL-04", "UPD-06", "AGT-18"]
