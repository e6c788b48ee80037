"""A conversation whose every write is recorded: what a process or the power could leave of it."""

from __future__ import annotations

from collections.abc import Callable

from session_conformance.harness import Capability, NotApplicable, Session
from session_conformance.harness.faults import Recording, TracerMissing, Untraceable, record

from .bidi import RECORDED

ON_DISK = (Capability.ON_DISK, Capability.FRESH_PROCESS)


def recorded_conversation(new_session: Callable[[], Session]) -> Recording:
    """Return a traced conversation: thirty messages and more, with tools, updates, a timeout and a process restart."""
    try:
        return record(new_session(), RECORDED)
    except (TracerMissing, Untraceable) as error:
        raise NotApplicable(str(error)) from error
