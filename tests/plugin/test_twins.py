"""STA-02 in pytest: whom its pairs of twins do not wrong, and what a pair that differs says."""

from pathlib import Path

from session_conformance.fixtures.properties import ACTIONS, ScriptMaker
from session_conformance.harness import Script, Session, Workspace
from session_conformance.suites.scenarios import expect_voice_twins

from tests.mutants import broken_twins
from tests.mutants.judge import backend_of


def test_messages_that_are_added_have_other_ids_than_those_that_were_given(tmp_path: Path) -> None:
    maker = ScriptMaker(Script())
    [adds] = [action for action in ACTIONS if action.name == "adds"]
    for number in range(12):
        adds.act(maker, message={"role": "user", "content": [{"text": f"{number}"}]})
    backend = backend_of(broken_twins.KeepsOneMessageATrackingId)
    assert expect_voice_twins(Session(backend, Workspace(tmp_path)), maker.finished())
