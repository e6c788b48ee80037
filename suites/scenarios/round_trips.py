"""Round trips: what a conversation takes on the wire, counted."""

from __future__ import annotations

from session_conformance.harness import Conversation, Script, Session, expect_no_failure
from session_conformance.harness.process import clock, tolerating_warnings
from session_conformance.harness.scripts import Start, Stop

from . import on_the_wire as wire
from .stored_history import expect_readable


class Counted:
    """What a conversation took on the wire: its second half, when it had begun long ago, and a restore."""

    def __init__(self, session: Session, turns: int) -> None:
        script = Script()
        for number in range(turns):
            script = script.user(f"question {number}").assistant(f"answer {number}")
        self.messages = 2 * turns
        self.bytes_of_text = len(f"question {turns}")
        steps = list(script.steps)
        latest = steps[len(steps) * 4 // 5 :]

        async def main() -> None:
            conversation = Conversation(session, Script(), observing=False)
            await conversation.step(Start())
            for step in steps[: -len(latest)]:
                await conversation.step(step)
            with wire.traffic(session) as writing:
                for step in latest:
                    await conversation.step(step)
            self.a_message = writing[0].exchanges / (self.messages * len(latest) / len(steps))
            self.bytes_a_message = writing[0].sent / (self.messages * len(latest) / len(steps))
            await conversation.step(Stop())
            expect_no_failure(conversation.timeline)
            self.connections = sum(seam.traffic.connections for seam in wire.seams_of(session))

        with tolerating_warnings():
            clock.run(main())
        with wire.traffic(session) as restoring:
            expect_readable(session.read(), f"after {self.messages} messages")
        self.restoring = restoring[0].exchanges


__all__ = ["Counted"]
