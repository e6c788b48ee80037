"""An answer of S3's that is lost, and what another process does before the request is sent again."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace

from session_conformance.harness import Conversation, NotApplicable, Script, Session, Timeline, play, violated
from session_conformance.harness.process import clock, tolerating_warnings, within_limit
from session_conformance.harness.s3 import Fault, Request, S3Endpoint, without_pauses
from session_conformance.harness.scripts import Send, Start, Stop
from session_conformance.harness.timeline import Failed, texts

from .several_writers import expect_refused_clearly
from .stored_history import expect_readable

_SECRET, _REDACTED = "what is redacted meanwhile", "[redacted meanwhile]"

_REQUESTS = 4
"""Of so many requests that write a message, the answer of each is lost in turn."""


class _Meanwhile:
    """Loses the answer of one writing request, and has the message redacted just before that request comes again."""

    def __init__(self, session: Session, number: int) -> None:
        self._session = session
        self._number = number
        self._lock = threading.Lock()
        self._lost: tuple[str, str] | None = None
        self.armed = False
        self.redaction: Timeline | None = None

    def choose(self, _: int, request: Request) -> Fault | None:
        with self._lock:
            if not self.armed or self._lost is not None or request.method not in ("PUT", "POST"):
                return None
            self._number -= 1
            if self._number >= 0:
                return None
            self._lost = (request.method, request.target)
            return Fault.RESET_AFTER

    def hold(self, request: Request) -> None:
        with self._lock:
            again = self.armed and (request.method, request.target) == self._lost
            if not again:
                return
            if self.redaction is None:
                # The first of the two is that whose answer will be lost; from the second on, others' pass unheeded.
                self.redaction = Timeline()
                return
            self.armed = False
        if texts(self._session.read().messages)[-1:] == [_SECRET]:
            self.redaction = play(self._session, Script().redacts(_REDACTED), observing=False)


def expect_redaction_to_outlive_a_retry(s3: S3Endpoint, session: Session) -> None:
    """Redact a message in another process, between the loss of the answer to its writer and the writer's next try.

    Raises:
        Violation: What was redacted is back, or the redaction is lost.
        NotApplicable: Nobody could redact it then: no request is sent again, or others cannot open the session.
    """
    redacted = False
    for number in range(_REQUESTS):
        place = replace(session, session_id=f"{session.session_id}-{number}")
        meanwhile, timeline = _Meanwhile(place, number), Timeline()

        async def main(
            place: Session = place, meanwhile: _Meanwhile = meanwhile, timeline: Timeline = timeline
        ) -> None:
            conversation = Conversation(place, Script(), timeline=timeline, observing=False)
            for step in (Start(), Send("before")):
                await conversation.step(step)
            meanwhile.armed = True
            await conversation.step(Send(_SECRET))
            meanwhile.armed = False
            _expect_redacted(place, meanwhile.redaction, timeline)
            await conversation.step(Stop())

        with ExitStack() as faults, tolerating_warnings():
            bucket = place.workspace.values["bucket"]
            faults.enter_context(without_pauses())
            faults.enter_context(s3.seam.faults(bucket, meanwhile.choose))
            faults.enter_context(s3.seam.holding(bucket, meanwhile.hold))
            within_limit(lambda main=main: clock.run(main()), "a writer whose answer is lost")  # type: ignore[misc]
        if meanwhile.redaction:
            redacted |= not meanwhile.redaction.of(Failed)
    if not redacted:
        raise NotApplicable("no request is sent again after which another process can redact the message")


def _expect_redacted(session: Session, redaction: Timeline | None, timeline: Timeline) -> None:
    if not redaction or redaction.of(Failed):
        return
    expect_refused_clearly([timeline])
    found = session.read()
    expect_readable(found, "after a redaction between a lost answer and the next try", timeline)
    said = texts(found.messages)
    if _SECRET in said or said.count(_REDACTED) != 1:
        violated(
            f"what another process redacted before its writer tried again stays redacted: ['before', {_REDACTED!r}]",
            f"there is {said}",
            timeline,
        )


__all__ = ["expect_redaction_to_outlive_a_retry"]
