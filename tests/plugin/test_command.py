"""The command: its help, its version, and what it says where it cannot do what it was asked."""

import os
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "session_conformance.suites.command"]


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("spec", [[], ["reference-file"]])
def test_help_says_what_run_takes(spec: list[str]) -> None:
    shown = command("run", *spec, "--help")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("usage: session-conformance run SPEC")
    for part in ("--conformance-report FILE", "--conformance-fail-on", "--s3-endpoint URL", "exit codes:", "example:"):
        assert part in shown.stdout
    assert "--maxfail" not in shown.stdout


def test_version() -> None:
    shown = command("--version")
    assert (shown.returncode, shown.stdout.split()[0]) == (0, "session-conformance")


@pytest.mark.parametrize("number", ["-1", "0", "1", "many"])
def test_a_history_without_a_message_cannot_be_counted(number: str) -> None:
    run = command("requests", "reference-s3", "--messages", number)
    assert run.returncode == 4
    assert run.stderr.splitlines()[-1].endswith(
        f"'{number}' is no number of messages: expected 2 or more, one turn of a talk"
    )


def test_a_reader_that_has_enough_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run([*COMMAND, "list"], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (run.returncode, run.stderr) == (141, "")
