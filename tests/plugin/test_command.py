"""The command: its help, its version, and what it says where it cannot do what it was asked."""

import json
import os
import re
import subprocess
import sys

import pytest
from session_conformance.suites.command import main

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


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("words", [["list"], ["sessions", "list", "."]])
def test_who_interrupts_it_is_shown_no_traceback(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("session_conformance.suites.command.cli._CARRIED_OUT", {"list": _interrupted})
    monkeypatch.setattr("session_conformance.reference_impl.command.sessions.place_of", _interrupted)
    assert main(words) == 2
    assert capsys.readouterr() == ("", "session-conformance: interrupted\n")


@pytest.mark.parametrize("words", [["--version"], ["list"], ["explain", "ORD-02"], ["--help"], ["completion", "bash"]])
def test_what_needs_no_sdk_does_not_load_it(words: list[str]) -> None:
    code = f"""
import sys
from session_conformance.suites.command import main
main({words!r})
heavy = {{"strands", "pytest", "boto3", "hypothesis", "rich", "jinja2", "jsonschema"}} & set(sys.modules)
print("loaded:", sorted(heavy), file=sys.stderr)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.splitlines()[-1] == "loaded: []"


def test_the_command_alone_prints_its_help(pytester: pytest.Pytester) -> None:
    run = pytester.run(*COMMAND)
    assert run.ret == 0
    run.stdout.fnmatch_lines(["usage: session-conformance *"])


def test_requirements_are_filtered_and_given_as_json(pytester: pytest.Pytester) -> None:
    run = pytester.run(*COMMAND, "list", "ord", "--level=must", "--json")
    found = json.loads(run.stdout.str())
    assert found
    assert {one["id"][:3] for one in found} == {"ORD"}
    assert {one["level"] for one in found} == {"MUST"}
    assert pytester.run(*COMMAND, "list", "XYZ").ret == 4


def test_a_group_is_explained_and_a_near_id_is_named(pytester: pytest.Pytester) -> None:
    group = pytester.run(*COMMAND, "explain", "ord")
    group.stdout.fnmatch_lines(
        ["ORD: persistence before hooks (* MUST, * SHOULD)", "  ORD-01  MUST*", "judge: *-m ord"]
    )
    near = pytester.run(*COMMAND, "explain", "ORD-2")
    assert near.ret == 4
    near.stderr.fnmatch_lines(["*there is no requirement ORD-2: near to it: ORD-02*"])


def test_the_formats_offered_are_those_that_can_be_written() -> None:
    from session_conformance.harness.reporting import FORMATS
    from session_conformance.suites.command import report

    assert set(report._FORMATS) == set(FORMATS)


def test_what_has_to_stand_behind_sessions_is_what_that_has_for_commands() -> None:
    from session_conformance.reference_impl.command import cli

    told = subprocess.run(
        [sys.executable, "-m", "session_conformance.reference_impl.command", "sessions", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(re.findall(r"^    (\S+)", told.stdout, re.MULTILINE)) == {"list", *cli._OF_SESSIONS}


@pytest.mark.parametrize("package", ["suites", "reference_impl"])
def test_a_word_that_is_nearly_a_command_is_told_which(package: str) -> None:
    main = [sys.executable, "-c", f"from session_conformance.{package}.command import main; raise SystemExit(main())"]
    run = subprocess.run([*main, "session", "list", "here"], capture_output=True, text=True, check=False)
    told = "session-conformance: there is no command 'session': did you mean 'sessions'?\n"
    assert (run.returncode, run.stdout, run.stderr) == (4, "", told)


def test_a_word_that_is_no_command_is_told_all() -> None:
    run = command("frobnicate")
    assert run.returncode == 4
    assert run.stderr.startswith("session-conformance: there is no command 'frobnicate': there are run, ")
    assert ", sessions, " in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_help_names_what_looks_after_sessions() -> None:
    assert "    sessions " in command("--help").stdout
