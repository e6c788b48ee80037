"""What dies in a task of the agent's own is told of, and nobody waits for it."""

from dataclasses import replace
from typing import Any

from session_conformance.harness import Backend, Script, Session, play
from session_conformance.harness.timeline import AgentStopped, Failed, texts

from tests.conforming.snapshot_manager import SnapshotFileManager


class Enough(BaseException):
    """Not an ``Exception``: the SDK hands it on to nobody."""


class StoresUsersOnly(SnapshotFileManager):
    def on_added(self, event: Any) -> None:
        if event.message["role"] == "assistant":
            raise Enough("no room")
        super().on_added(event)


def test_a_conversation_goes_on_behind_a_task_that_died(session: Session) -> None:
    backend = Backend("broken", open=lambda id, workspace: StoresUsersOnly(id, str(workspace.folder)))
    script = Script().user("one").assistant("two").user("three").calls("weather", city="Paris", returns="Sunny")
    timeline = play(replace(session, backend=backend), script.timeout().user("four"), observing=False)
    first, *_ = timeline.of(Failed)
    assert first.summary.startswith("a task of the agent raises Enough"), first.summary
    [stop] = timeline.of(AgentStopped)
    assert "three" in texts(stop.memory)
