"""DUR: crashes and full disks. What was acknowledged comes back, whatever the process, the disk or the power did."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from session_conformance.fixtures.suite import ConformanceSuite, NewSession
from session_conformance.harness import (
    Capability,
    Level,
    NotApplicable,
    Reading,
    ScenarioRuns,
    Script,
    Session,
    Violation,
    difference,
    drawn,
    expect_no_failure,
    expect_same,
    play,
    requirement,
    violated,
)
from session_conformance.harness.acknowledgement import Acknowledged
from session_conformance.harness.crashes import crash_writing, killed_at_acknowledgements
from session_conformance.harness.file_operations import Untraceable
from session_conformance.harness.hang import within_limit
from session_conformance.harness.io_faults import FaultPlan, plans
from session_conformance.harness.recording import (
    CrashState,
    Recording,
    record,
    states_of_kills,
    states_of_power_cuts,
)
from session_conformance.harness.timeline import AgentStopped, Failed
from session_conformance.harness.tracing import TracerMissing

from .faulty_talks import expect_no_loss_by_faults
from .scenarios import RECORDED, SHORT_TALKS

_ENOUGH = 100
"""After this many states that were not restored, no more are looked at: some restores are slow."""

ON_DISK = (Capability.ON_DISK, Capability.FRESH_PROCESS)


class CrashesAndFullDisks(ConformanceSuite):
    """DUR: crashes and full disks."""

    @requirement("DUR-01", source="D: session management, 'persistence before hooks'", needs=ON_DISK)
    def killed_at_any_point(self, run: ScenarioRuns, new_session: NewSession) -> None:
        """Killed at any point, all acknowledged messages are restored, in order, and at most the unacknowledged one
        beside them.
        """
        try:
            recording = run.once(recorded_conversation)
        except NotApplicable as reason:
            _expect_restored_after_acknowledgements(new_session)
            raise NotApplicable(f"{reason}; killed after each acknowledgement instead, it lost nothing") from reason
        _expect_all_restored(recording, states_of_kills(recording), "a kill")

    @requirement(
        "DUR-02",
        level=Level.SHOULD,
        source="F: what POSIX and fsync(2) promise of data and names that were not synced",
        needs=ON_DISK,
    )
    def power_cut_at_any_point(self, run: ScenarioRuns) -> None:
        """After a power cut at any point, which may lose what was not yet synced in any order, all acknowledged
        messages are restored, in order, and at most the unacknowledged one beside them.
        """
        recording = run.once(recorded_conversation)
        _expect_all_restored(recording, states_of_power_cuts(recording), "a power cut")

    @requirement(
        "DUR-03",
        source="F: a write that fails is an error and no loss of what was written before",
        needs=ON_DISK,
    )
    def any_operation_fails(self, new_session: NewSession) -> None:
        """Where the disk is full, or I/O fails, on any one operation, an error reaches the caller, earlier messages
        stay, and after the fault appending works again.
        """

        def played(plan: FaultPlan) -> Recording:
            return record(new_session(), SHORT_TALKS, inject=[plan.inject])

        try:
            with ThreadPoolExecutor(max_workers=2) as pool:  # each waits for a process of its own
                recordings = list(zip(plans(), pool.map(played, plans()), strict=True))
        except (TracerMissing, Untraceable) as error:
            raise NotApplicable(str(error)) from error
        for plan, recording in recordings:
            expect_no_loss_by_faults(recording, plan.what)

    @requirement(
        "DUR-04",
        source="F: temporary files and locks that a killed process leaves are nobody's to clean up by hand",
        needs=(*ON_DISK, Capability.STORAGE_FAULTS),
    )
    def leftovers_of_crashes(self, run: ScenarioRuns, new_session: NewSession) -> None:
        """What a crash leaves behind (temporary files, locks) neither blocks nor changes a restore, and does not pile
        up.
        """
        counts = (0, 2, 8)
        with ThreadPoolExecutor(max_workers=2) as pool:  # each waits for processes of its own
            left = dict(
                zip(counts, pool.map(lambda crashes: _paths_after(new_session(), crashes), counts), strict=True)
            )
        piled_up = sorted(left[8] - left[0])
        if len(left[8]) - len(left[2]) >= 3:
            violated(
                "what crashes leave behind does not pile up",
                f"after 2 crashes there are {len(left[2]) - len(left[0])} files and folders more than without one,"
                f" after 8 there are {len(left[8]) - len(left[0])}, such as {', '.join(piled_up[:3])}",
            )
        recording = run.once(recorded_conversation)
        for crash in _one_of_each_shape(states_of_kills(recording)):
            with _left_by(recording, crash) as session:
                timeline = play(session, Script().user("after the crash"), observing=False)
                for failure in timeline.of(Failed):
                    violated(
                        f"after a crash the session goes on ({crash.state.what})", failure.summary, timeline, failure
                    )
                expect_same(
                    timeline.of(AgentStopped)[-1].memory,
                    session.read().messages,
                    f"after a crash what is said is stored ({crash.state.what})",
                )


def recorded_conversation(new_session: Callable[[], Session]) -> Recording:
    """Return a traced conversation: thirty messages and more, with tools, updates, a timeout and a process restart."""
    try:
        return record(new_session(), RECORDED)
    except (TracerMissing, Untraceable) as error:
        raise NotApplicable(str(error)) from error


@contextmanager
def _left_by(recording: Recording, crash: CrashState) -> Iterator[Session]:
    """Give the session as a crash left it, in a workspace of its own that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="session-conformance-crash-", ignore_cleanup_errors=True) as folder:
        crash.state.contents.write_to(Path(folder))
        workspace = replace(recording.session.workspace, folder=Path(folder))
        yield replace(recording.session, workspace=workspace)


def restored(recording: Recording, crash: CrashState) -> Reading:
    """Return what a reader restores from a state that a crash left."""
    with _left_by(recording, crash) as session:
        return within_limit(session.read, "restoring after a crash")


def _one_of_each_shape(crashes: Iterable[CrashState], limit: int = 24) -> list[CrashState]:
    """Return states that differ in which files there are, up to a number."""
    shapes: dict[tuple[str, ...], CrashState] = {}
    for crash in crashes:
        shapes.setdefault(tuple(re.sub(r"\d", "0", path) for path, _ in crash.state.contents.paths()), crash)
    found = list(shapes.values())
    return found[:: -(-len(found) // limit)]


def _paths_after(session: Session, crashes: int) -> set[str]:
    """Return what lies in a workspace after some crashes, and a conversation that ended well."""
    timeline = play(session, Script().user("before the crashes"), observing=False)
    expect_no_failure(timeline)
    before = timeline.of(AgentStopped)[-1].memory
    for number in range(crashes):
        size = 100 * (number % 2)
        if not crash_writing(session, size):
            raise NotApplicable("it writes files in another process, or not at all")
        reading = session.read()
        if reading.error is not None or difference(before, reading.messages[: len(before)]) is not None:
            violated(
                "what a killed process leaves behind neither blocks nor changes a restore",
                reading.error or str(difference(before, reading.messages)),
            )
    timeline = play(session, Script().user("after the crashes"), observing=False)
    expect_no_failure(timeline)
    folder = session.workspace.folder
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _expect_all_restored(recording: Recording, crashes: Iterable[CrashState], what: str) -> None:
    acknowledged = Acknowledged(recording.timeline)

    def problem_of(crash: CrashState) -> str | None:
        return acknowledged.problem(restored(recording, crash), crash.acknowledged)

    judged = 0
    problems: list[tuple[CrashState, str]] = []
    by_power_cut: list[tuple[CrashState, str]] = []
    for crash in crashes:
        judged += 1
        problem = problem_of(crash)
        if problem is not None:
            problems.append((crash, problem))
            if crash.killed is not None and problem != problem_of(replace(crash, state=crash.killed)):
                by_power_cut.append((crash, problem))
            if len(problems) == _ENOUGH:
                break
    if problems:
        crash, problem = (by_power_cut or problems)[0]
        count = f"in {len(problems)} of {judged} states they are not"
        if len(problems) == _ENOUGH:
            count += " (no more were looked at)"
        if crash.killed is not None:
            count += f", in {len(by_power_cut)} of them because of what the power cut took"
        raise Violation(
            f"after {what} at any point, all acknowledged messages are restored",
            f"{count}. The first: {crash.state.what}, {problem}",
            _drawn(recording, crash),
        )


def _expect_restored_after_acknowledgements(new_session: NewSession) -> None:
    for session, timeline in killed_at_acknowledgements(new_session, SHORT_TALKS):
        last = len(timeline) - 1
        problem = Acknowledged(timeline).problem(session.read(), last)
        if problem is not None:
            raise Violation(
                "killed after an acknowledgement, all acknowledged messages are restored",
                problem,
                drawn(timeline, last),
            )


def _drawn(recording: Recording, crash: CrashState) -> str:
    done = [step for step in recording.steps[: crash.step] if step.mark is None][-8:]
    lines = ["the last things done to the workspace before the crash:"]
    lines += [f"    {step}" for step in done] or ["    nothing"]
    return "\n".join([*lines, "", drawn(recording.timeline, max(crash.acknowledged, 0))])
