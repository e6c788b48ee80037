"""Power cuts that come later: after a sync that failed, and after another process went on where a crash left all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from session_conformance.harness import Script, Session, Violation
from session_conformance.harness.faults import (
    CrashState,
    Durability,
    Legacy,
    Recording,
    Restorations,
    SetName,
    Sync,
    legacies_of_kills,
    legacy_of_power_cut,
    record,
    states_after,
)
from session_conformance.harness.timeline import Acknowledged, Failed, Timeline

_GOES_ON = Script().user("I am the next one").assistant("So you are")

_KINDS = ("a part of a write was lost", "bytes were lost, names were not", "names were lost, bytes were not")
"""The kinds of power cuts of which a successor is left one each."""

_KILLS = 3
"""How many kills a successor is left at most."""


def latest_of_each_kind(crashes: Iterable[CrashState], found: dict[str, CrashState]) -> Iterator[CrashState]:
    """Hand power cuts on, and note the latest of each kind of which a successor is left one."""
    for crash in crashes:
        if crash.state.kind in _KINDS and crash.acknowledged >= 0:
            found[crash.state.kind] = crash
        yield crash


def expect_kept_after_successors(
    recording: Recording, cuts: Iterable[CrashState], restorations: Restorations, new_session: Callable[[], Session]
) -> None:
    """Let processes go on where kills and power cuts left a session, and cut the power then.

    Args:
        recording: The conversation that crashes.
        cuts: What power cuts leave of it; see :func:`latest_of_each_kind`.
        restorations: What reads the states that crashes leave.
        new_session: Returns a session in a fresh workspace.

    Raises:
        Violation: What one of the two processes had acknowledged is lost.
    """
    legacies = [*legacies_of_kills(recording, _KILLS), *map(legacy_of_power_cut, cuts)]
    with ThreadPoolExecutor(max_workers=2) as pool:  # each waits for a process of its own
        successors = pool.map(lambda legacy: _goes_on(legacy, new_session()), legacies)
        for legacy, successor in zip(legacies, successors, strict=True):
            for failure in successor.timeline.of(Failed):
                raise Violation(
                    f"after a crash the session goes on ({legacy.what})",
                    f"{failure.where} raises {failure.type}: {failure.error}",
                    timeline=successor.timeline,
                    at=[failure.at],
                )
            # One history: what the successor has not vouched for yet may be as its predecessor had it, or left it.
            until = legacy.acknowledged + 1
            before = Acknowledged(recording.timeline)
            said = Acknowledged(Timeline([*list(recording.timeline)[:until], *successor.timeline]))
            for crash, reading in restorations.each(states_after(legacy, successor)):
                problem = before.missing(reading, legacy.acknowledged) or said.missing(
                    reading, until + crash.acknowledged
                )
                if problem is not None:
                    raise Violation(
                        "what a process acknowledged outlives a power cut, also where it found in the system's cache"
                        " what an earlier one had not synced",
                        f"{crash.state.what}: {problem}",
                        timeline=successor.timeline,
                        at=[max(crash.acknowledged, 0)],
                    )


def _goes_on(legacy: Legacy, session: Session) -> Recording:
    legacy.contents.write_to(session.workspace.folder)
    return record(session, _GOES_ON)


def expect_kept_after_failed_syncs(recordings: Iterable[Recording], restorations: Restorations) -> None:
    """Cut the power in conversations in which a sync had failed, and its error had been told of.

    Args:
        recordings: The conversations.
        restorations: What reads the states that are left.

    Raises:
        Violation: What was acknowledged is lost.
    """
    for recording in recordings:
        said = Acknowledged(recording.timeline, at_stop=False)
        for crash, reading in restorations.each(_all_lost(recording)):
            problem = said.missing(reading, crash.acknowledged)
            if problem is not None:
                failed = ", ".join(dict.fromkeys(str(step) for step in recording.steps if step.injected))
                raise Violation(
                    "after a sync that failed and a power cut, all that was acknowledged is restored",
                    f"{crash.state.what}: {problem} (what failed before: {failed})",
                    timeline=recording.timeline,
                    at=[max(crash.acknowledged, 0)],
                )


def _all_lost(recording: Recording) -> Iterator[CrashState]:
    nothing_before = Legacy("nothing had crashed", -1, recording.before, Durability(recording.before))
    return states_after(nothing_before, _as_taken(recording))


def _as_taken(recording: Recording) -> Recording:
    """Return a recording in which the syncs of folders that failed were done.

    Some file systems cannot sync folders, and SQLite does not ask what came of it: what it tells of is the sync of a
    file. So that is what is judged, of every design.
    """
    folders, steps = set(recording.before.names), []
    for step in recording.steps:
        if isinstance(step.operation, SetName) and step.operation.made == "directory":
            folders.add(step.operation.node or 0)
        of_folder = isinstance(step.refused, Sync) and step.refused.node in folders
        steps.append(replace(step, operation=step.refused) if of_folder else step)
    return replace(recording, steps=steps)


__all__ = ["expect_kept_after_failed_syncs", "expect_kept_after_successors", "latest_of_each_kind"]
