"""What an author's own code raised is shown where it was raised, whatever pytest is told to show."""

import json
import sys
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from session_conformance.fixtures._evidence import Evidence, where_in
from session_conformance.harness import Timeline
from session_conformance.harness.timeline import Failed, UserSent, frames_of
from session_conformance.harness.verdicts import Violation

MANAGER = """
import strands.session

class Bad(strands.session.FileSessionManager):
    def create_message(self, session_id, agent_id, session_message, **more):
        if session_message.message_id:
            self.deep({"a": 1})
        return super().create_message(session_id, agent_id, session_message, **more)

    def deep(self, given):
        return given["no such key"]
"""


class Written:
    """A terminal that keeps what is written, and how it looks."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, bool]]] = []

    def line(self, text: str, **look: bool) -> None:
        self.lines.append((text, look))


@pytest.fixture(autouse=True)
def _manager(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(authors=MANAGER)


def test_on_ci_each_violation_is_told_once_with_its_place(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    given = ("--session-manager=authors:Bad", "-k", "LIF-02", "--junitxml=j.xml")
    run = pytester.runpytest_subprocess(*given)
    text = run.stdout.str()
    assert text.count("LIF-02 (MUST)") == 1
    run.stdout.fnmatch_lines(
        [
            "found: *raises KeyError*",
            "raised in:",
            '  File "*authors.py", line 6, in create_message',
            '  File "*authors.py", line 10, in deep',
            '      return given["no such key"]',
            "FAILED LIF::LIF-02?authors-bad? - authors.py:10: agent.receive() raises KeyError: *no such key*",
        ]
    )
    assert "warning" not in text
    [failure] = ElementTree.parse(pytester.path / "j.xml").getroot().iter("failure")
    assert failure.attrib["message"].startswith("authors.py:10: agent.receive() raises KeyError")
    assert not list(ElementTree.parse(pytester.path / "j.xml").getroot().iter("property"))


def test_a_debugger_stops_in_the_authors_code(pytester: pytest.Pytester) -> None:
    given = ("--session-manager=authors:Bad", "-k", "LIF-02", "--pdb", "--tb=no")
    run = pytester.run(sys.executable, "-m", "pytest", *given, stdin=b"p given\nq\n")
    run.stdout.fnmatch_lines(["> *authors.py(10)deep()", "*{'a': 1}*"])


def test_a_debugger_does_not_stop_at_what_is_not_applicable(pytester: pytest.Pytester) -> None:
    given = ("--session-manager=tests.conforming.snapshot_manager:SnapshotFileManager", "-k", "NET-01", "--pdb")
    run = pytester.run(sys.executable, "-m", "pytest", *given, stdin=b"q\n")
    run.assert_outcomes(skipped=1)
    run.stdout.no_fnmatch_line("*(Pdb)*")


def test_frames_begin_at_the_first_that_is_not_ours() -> None:
    with pytest.raises(KeyError) as caught:
        {}["x"]
    frames = frames_of(caught.value)
    assert frames[0].startswith(f'File "{__file__}", line ')
    with pytest.raises(ValueError, match="ours") as caught_in_ours:
        raise ValueError("ours")
    caught_in_ours.value.__traceback__ = None
    assert frames_of(caught_in_ours.value) == []


def test_frames_end_at_the_last_that_is_not_ours() -> None:
    with pytest.raises(ValueError, match="Expecting value") as caught:
        json.loads("")
    [line, code] = frames_of(caught.value)
    assert line.startswith(f'File "{__file__}", line ')
    assert code == '    json.loads("")'


def test_what_was_raised_meanwhile_is_shown_where_the_violation_is_another_event() -> None:
    raised = Failed.by("agent.send()", OSError("full"))
    timeline = Timeline([UserSent(content="a"), Failed(**{**vars(raised), "frames": ['File "m.py", line 3, in f']})])
    violation = Violation("a", "b", timeline=timeline, at=[0])
    assert violation.evidence.startswith('raised in:\n  File "m.py", line 3, in f\n\ntimeline')
    assert where_in(violation.evidence) == "m.py:3"
    assert where_in("timeline") == ""


def test_evidence_is_colored_line_by_line() -> None:
    written: Any = Written()
    text = "LIF-02 (MUST): a\nsource:   b\nfound:    c\n\n  >  13  agent\n           stored: nothing"
    evidence = Evidence(text, "c\nd", "m.py:3")
    evidence.toterminal(written)
    assert [bool(look) for _, look in written.lines] == [True, False, True, False, True, True]
    assert "\n".join(line for line, _ in written.lines) == str(evidence) == text
    assert str(evidence.reprcrash) == "m.py:3: c d"
