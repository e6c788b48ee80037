"""STA-02 in pytest: whom its pairs of twins do not wrong, and what a pair that differs says."""

import re
import shlex
from pathlib import Path

import pytest
from session_conformance.fixtures import SdkViolation
from session_conformance.fixtures.properties import ACTIONS, ScriptMaker
from session_conformance.harness import Script, Session, Violation, Workspace
from session_conformance.suites.scenarios import PairsOfTwins, expect_voice_twins, is_talk, talk_of
from strands.session import FileSessionManager

from tests.conforming.plain_dicts import DictRepository
from tests.mutants import broken_twins
from tests.mutants.judge import backend_of, judge

STREAMED = Script().user("hello").assistant("I hear you")
"""What the SDK's ``RepositorySessionManager`` stores as placeholders, which it does not replace."""


def test_messages_that_are_added_have_other_ids_than_those_that_were_given(tmp_path: Path) -> None:
    maker = ScriptMaker(Script())
    [adds] = [action for action in ACTIONS if action.name == "adds"]
    for number in range(12):
        adds.act(maker, message={"role": "user", "content": [{"text": f"{number}"}]})
    backend = backend_of(broken_twins.KeepsOneMessageATrackingId)
    assert expect_voice_twins(Session(backend, Workspace(tmp_path)), maker.finished())


def test_a_pair_that_differs_is_shown_and_replayed_as_printed(
    pytester: pytest.Pytester, pytestconfig: pytest.Config
) -> None:
    with pytest.raises(Violation) as violation:
        judge(broken_twins.DropsAnUnknownKey, "STA-02", pytester.path, pytestconfig)
    evidence = violation.value.evidence
    assert "the shortest script that shows it (0 steps, told by a voice agent, after " in evidence
    assert "script = Script()" in evidence
    [line] = re.findall(r"replay it: +(.+)", evidence)
    *options, id = shlex.split(line)[2:]
    spec = "--session-manager=tests.mutants.broken_twins:DropsAnUnknownKey"
    again = pytester.runpytest_subprocess(spec, *options, id)
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["STA-02 (MUST): *", "found: *aKeyToCome*"])


def test_a_talk_is_known_by_its_script() -> None:
    assert is_talk(talk_of(["hello", "Paris", "so"]))
    assert not is_talk(Script().user("hello"))


@pytest.mark.parametrize(
    ("manager", "script", "whose"),
    [
        (FileSessionManager, STREAMED, "RepositorySessionManager"),
        (broken_twins.DropsAnUnknownKeyOverTheSdks, Script().user("hello"), ""),
    ],
)
def test_a_pair_is_inherited_if_that_pair_differs_under_the_sdks_class(
    manager: type, script: Script, whose: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    pairs = PairsOfTwins(Session(backend_of(manager), Workspace(tmp_path)), pytestconfig)
    with pytest.raises(Violation, match="after a restart the model is sent what it would have been sent without one"):
        pairs.compare("voice", script)
    assert pairs.inherited == whose


def test_a_repository_is_judged_by_the_pairs_that_the_sdks_manager_keeps_alike(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    pairs = PairsOfTwins(Session(backend_of(DictRepository), Workspace(tmp_path)), pytestconfig)
    pairs.compare("voice", STREAMED)
    with pytest.raises(SdkViolation, match="violates it over a plain session repository too"):
        pairs.conclude()
    pairs.compare("text", talk_of(["hello"]))
    pairs.conclude()
    assert (pairs.compared, pairs.excused, pairs.failed) == (1, 1, None)
