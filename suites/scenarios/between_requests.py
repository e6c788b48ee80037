"""A writer that is held between two requests to its server, while another one writes the same session."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

from session_conformance.harness import Script, Session, Timeline, expect_no_failure, play
from session_conformance.harness.process import clock, tolerating_warnings, within_limit
from session_conformance.harness.scripts import Send, Stop
from session_conformance.harness.services import WireFault

from .on_the_wire import faults, seams_of
from .several_writers import LET_GO_S, OtherWriter, begin, expect_kept, expect_refused_clearly

_PLACES = 8
"""So many requests of one message are a place to be held at."""


def expect_kept_between_requests(session: Session) -> None:
    """Hold a writer after each request in turn by which it stores a message, while another one stores two.

    Args:
        session: A new session of a backend on a server.

    Raises:
        Violation: What one of them was told of is lost, doubled or out of order, or an error is none of the SDK's.
    """
    for number in range(_PLACES):
        place = replace(session, session_id=f"{session.session_id}-{number}")
        expect_no_failure(play(place, Script().user("before"), observing=False))
        one, other = Timeline(), OtherWriter(place)
        if not within_limit(lambda: _held_at(number, place, one, other), "two writers"):  # noqa: B023 - it is over
            return
        expect_refused_clearly([one, other.timeline])
        expect_kept(place, [one, other.timeline], "one of them between two requests of the other one")


def _held_at(number: int, session: Session, timeline: Timeline, other: OtherWriter) -> bool:
    """Hold one writer at a request of its second message; return whether there was such a request."""
    held = False

    async def main() -> None:
        nonlocal held
        writer = await begin(session, timeline)
        if writer is None:
            return
        await writer.step(Send("one 0"))
        await asyncio.to_thread(other.read)
        over = threading.Event()

        def meanwhile() -> None:
            [seam, *_] = seams_of(session)
            while not over.is_set():
                if seam.wait_for_held(_LOOK_S):
                    other.write(LET_GO_S)  # it may have to wait for the one that is held, as for its lock
                    seam.release()
                    return

        with faults(session, lambda n, _: WireFault.HELD if n == number else None) as met:
            watching = threading.Thread(target=meanwhile, daemon=True)
            watching.start()
            await writer.step(Send("one 1"))
            over.set()
            await asyncio.to_thread(watching.join)
            held = met.faults > 0
        await asyncio.to_thread(other.write)
        await writer.step(Send("one 2"))
        await writer.step(Stop())

    with tolerating_warnings():
        clock.run(main())
    return held


_LOOK_S = 0.05
"""In seconds: how often is looked whether the message is stored without the request that is to be held."""


__all__ = ["expect_kept_between_requests"]
