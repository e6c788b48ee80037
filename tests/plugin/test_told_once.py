"""Violations of one cause are told once, and the commands that are printed work as they are."""

import re
import shlex

import pytest

PENDING = "LIF-02 or LIF-03 or ORD-07"


def test_violations_of_one_cause_refer_to_the_first(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("--session-manager=strands-file", "-k", PENDING)
    shown = run.stdout.str()
    assert shown.count("help:     register for MessageUpdatedEvent") == 1
    assert shown.count("as LIF-02: what replaces a streamed message is not stored") == 2
    run.stdout.fnmatch_lines(["start here", "LIF-02, LIF-03, ORD-07: what replaces*", "  help: register for *"])
    whole = pytester.runpytest_subprocess("--session-manager=strands-file", "-k", PENDING, "-v")
    assert whole.stdout.str().count("help:     register for MessageUpdatedEvent") == 3


CONFIGURED = """
[backends.mine]
target = "tests.plugin.backends:Strange"
arguments = { folder = "{workdir}/a b" }
"""


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ("", ["--session-manager=tests.plugin.backends:Strange", "--session-manager-arg=folder={workdir}/my sessions"]),
        (CONFIGURED, ["--session-manager=mine"]),
        (CONFIGURED, ["--session-manager=mine", "--session-manager-arg=folder={workdir}/it's here"]),
    ],
)
def test_run_it_alone_works_as_printed(pytester: pytest.Pytester, configuration: str, words: list[str]) -> None:
    pytester.path.joinpath("session-conformance.toml").write_text(configuration, encoding="utf-8")
    run = pytester.runpytest_subprocess(*words, "-k", "LIF-02")
    [line] = re.findall(r"run it alone: (.+)", run.stdout.str())
    again = shlex.split(line)
    assert again == ["pytest", *words, "-k", "LIF-02"]
    alone = pytester.runpytest_subprocess(*again[1:])
    assert re.findall(r"found: .+", alone.stdout.str()) != []


def test_replay_it_works_as_printed(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("session-conformance.toml").write_text("", encoding="utf-8")
    words = ["--session-manager=tests.plugin.backends:Strange", "--session-manager-arg=folder={workdir}/my sessions"]
    run = pytester.runpytest_subprocess(*words, "-k", "STA-01")
    [line] = re.findall(r"replay it: +(.+)", run.stdout.str())
    again = shlex.split(line)
    assert again[:3] == ["pytest", *words]
    replayed = pytester.runpytest_subprocess(*again[1:])
    assert "STA-01" in replayed.stdout.str()
    assert replayed.ret == pytest.ExitCode.TESTS_FAILED
