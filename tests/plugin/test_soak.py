"""``session-conformance soak``: real output, exit codes, and one line for what cannot be soaked."""

import json
import re
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "session_conformance.suites.command", "soak"]
ON_REDIS = "tests.conforming.server_managers:RedisManager"
REFERENCE = "session_conformance.reference_impl:FileSessionManager"


def test_a_correct_manager_passes_and_its_history_is_kept(pytester: pytest.Pytester) -> None:
    run = pytester.run(*COMMAND, REFERENCE, "--lives=10", "--seed=5", "--history=history.jsonl")
    assert run.ret == 0
    assert re.match(r"reference-file: 10 lives, \d+ of them killed, .*\(seed 5\)", run.outlines[0])
    assert run.outlines[1].startswith("0 lost, 0 doubled, 0 mixed up")
    records = [json.loads(line) for line in Path("history.jsonl").read_text().splitlines()]
    assert {record["event"] for record in records} >= {"invoked", "ok", "life"}


def test_a_manager_that_loses_messages_fails_with_the_shortest_stretch(pytester: pytest.Pytester) -> None:
    run = pytester.run(*COMMAND, "tests.harness.soak.broken:Losing", "--lives=10", "--seed=5")
    assert run.ret == 1
    run.stdout.fnmatch_lines(["lost: token-* was acknowledged and is not there", "*0.000 ms  life *: * begins"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere:Manager"], "no module 'nowhere'"),
        ([REFERENCE, "--minutes=0"], "'0' is no number above 0"),
        ([REFERENCE, "--session-manager-arg=colour=blue"], "takes no argument 'colour'"),
        ([ON_REDIS, "--service=redis"], "--service 'redis' is not of the form NAME=URL"),
        ([ON_REDIS, "--service=redis=redis://127.0.0.1:1"], "redis at 127.0.0.1:1 does not answer the harness"),
    ],
)
def test_what_cannot_be_soaked_is_said_in_one_line(pytester: pytest.Pytester, words: list[str], says: str) -> None:
    run = pytester.run(*COMMAND, *words)
    assert run.ret == 4
    assert says in run.errlines[-1]
