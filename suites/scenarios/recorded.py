"""A conversation whose every write is recorded: what a process or the power could leave of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from session_conformance.harness import Capability, NotApplicable, Session
from session_conformance.harness.faults import FaultPlan, Recording, TracerMissing, Untraceable, plans, record

from .bidi import RECORDED, SHORT_TALKS

ON_DISK = (Capability.ON_DISK, Capability.FRESH_PROCESS)


def recorded_conversation(new_session: Callable[[], Session]) -> Recording:
    """Return a traced conversation: thirty messages and more, with tools, updates, a timeout and a process restart."""
    try:
        return record(new_session(), RECORDED)
    except (TracerMissing, Untraceable) as error:
        raise NotApplicable(str(error)) from error


Faulty = Sequence[tuple[FaultPlan, Recording]]
"""Plans of faults, each with a conversation in which it was carried out."""


def conversations_with_failing_syncs(new_session: Callable[[], Session]) -> Faulty:
    """Return traced conversations: together they make each sync fail once."""
    return _recorded(new_session, [plan for plan in plans() if plan.syncs])


def conversations_with_other_faults(new_session: Callable[[], Session]) -> Faulty:
    """Return traced conversations: together they make each other call of those kinds fail once that store something."""
    return _recorded(new_session, [plan for plan in plans() if not plan.syncs])


def _recorded(new_session: Callable[[], Session], wanted: Sequence[FaultPlan]) -> Faulty:
    def played(plan: FaultPlan) -> Recording:
        return record(new_session(), SHORT_TALKS, inject=[plan.inject])

    try:
        with ThreadPoolExecutor(max_workers=2) as pool:  # each waits for a process of its own
            return list(zip(wanted, pool.map(played, wanted), strict=True))
    except (TracerMissing, Untraceable) as error:
        raise NotApplicable(str(error)) from error
