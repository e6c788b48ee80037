"""DUR: crashes and full disks. What was acknowledged comes back, whatever the process, the disk or the power did."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from session_conformance.fixtures import ConformanceSuite, NewSession, RecordProperty, progress_of
from session_conformance.harness import (
    Backend,
    Capability,
    Level,
    NotApplicable,
    ScenarioRuns,
    Script,
    Session,
    Violation,
    difference,
    expect_no_failure,
    expect_same,
    play,
    requirement,
    violated,
)
from session_conformance.harness.backends import Durability, looked_at
from session_conformance.harness.faults import (
    CrashState,
    FaultPlan,
    Recording,
    Restorations,
    crash_writing,
    goes_on_a_day_later,
    killed_at_acknowledgements,
    states_of_kills,
    states_of_power_cuts,
)
from session_conformance.harness.timeline import Acknowledged, AgentStopped, Failed
from session_conformance.harness.verdicts import Matrix

from .scenarios import (
    ON_DISK,
    SHORT_TALKS,
    conversations_with_failing_syncs,
    conversations_with_other_faults,
    expect_cost_as_promised,
    expect_kept_after_failed_syncs,
    expect_kept_after_successors,
    expect_no_loss_by_faults,
    expect_read_failures_to_be_no_absence,
    expect_rest_written_or_told_of,
    latest_of_each_kind,
    recorded_conversation,
)

_ENOUGH = 100
"""After this many states that were not restored, no more are looked at: some restores are slow."""
_ENOUGH_ANYWAY = 10 * _ENOUGH
"""So it is after this many where a kill would have lost the same, and it is looked for what only a power cut loses."""


_FEW_AND_MANY = (2, 6)
"""How often a process is killed as it goes on with a session, and as it begins one: what piles up is there as often."""


class CrashesAndFullDisks(ConformanceSuite):
    """DUR: crashes and full disks."""

    @requirement(
        "DUR-01", source="D: session management, 'persistence before hooks'", needs=ON_DISK, promise=Durability.MESSAGE
    )
    def killed_at_any_point(
        self,
        run: ScenarioRuns,
        new_session: NewSession,
        record_property: RecordProperty,
        request: pytest.FixtureRequest,
    ) -> None:
        """Killed at any point, all acknowledged messages are restored, in order, and at most the unacknowledged one
        beside them.
        """
        try:
            recording = run.once(recorded_conversation)
        except NotApplicable as reason:
            _expect_restored_after_acknowledgements(new_session)
            raise NotApplicable(f"{reason}; killed after each acknowledgement instead, it lost nothing") from reason
        restorations = _restorations(run, recording)
        judged = _judge_each(recording, restorations, states_of_kills(recording), request.config, "DUR-01 kills")
        record_property("matrix", _outcomes(judged, "a kill").to_dict())
        _expect_all_restored(recording, judged, "a kill")

    @requirement(
        "DUR-02",
        level=Level.SHOULD,
        source="F: what POSIX and fsync(2) promise of data and names that were not synced",
        needs=ON_DISK,
        promise=Durability.MESSAGE,
    )
    def power_cut_at_any_point(
        self,
        run: ScenarioRuns,
        new_session: NewSession,
        record_property: RecordProperty,
        request: pytest.FixtureRequest,
    ) -> None:
        """After a power cut at any point, which may lose what was not yet synced in any order, all acknowledged
        messages are restored, in order, and at most the unacknowledged one beside them.
        """
        recording = run.once(recorded_conversation)
        cuts: dict[str, CrashState] = {}
        states, restorations = latest_of_each_kind(states_of_power_cuts(recording), cuts), _restorations(run, recording)
        judged = _judge_each(recording, restorations, states, request.config, "DUR-02 power cuts")
        record_property("matrix", _outcomes(judged, "a power cut").to_dict())
        _expect_all_restored(recording, judged, "a power cut")
        faulty = [recording for _, recording in run.once(conversations_with_failing_syncs)]
        expect_kept_after_failed_syncs(faulty, restorations)
        expect_kept_after_successors(recording, cuts.values(), restorations, new_session)

    @requirement(
        "DUR-03",
        source="F: a write that fails is an error and no loss of what was written before",
        needs=ON_DISK,
        promise=Durability.MESSAGE,
    )
    def any_operation_fails(self, run: ScenarioRuns, record_property: RecordProperty) -> None:
        """Where the disk is full, or I/O fails, on any one operation, an error reaches the caller, earlier messages
        stay, and after the fault appending works again.
        """
        recordings = [*run.once(conversations_with_other_faults), *run.once(conversations_with_failing_syncs)]
        violations = [(plan, _violation_by_faults(recording, plan.what)) for plan, recording in recordings]
        record_property("matrix", _faults(violations).to_dict())
        for _, violation in violations:
            if violation is not None:
                raise violation

    @requirement(
        "DUR-04",
        source="F: temporary files and locks that a killed process leaves are nobody's to clean up by hand",
        needs=(*ON_DISK, Capability.STORAGE_FAULTS),
    )
    def leftovers_of_crashes(self, run: ScenarioRuns, new_session: NewSession) -> None:
        """What a crash leaves behind (temporary files, locks) neither blocks nor changes a restore, and does not pile
        up.
        """
        without, _ = _paths_after(new_session(), 0)  # first, and alone: what it imports is there for the threads
        with ThreadPoolExecutor(max_workers=2) as pool:  # each waits for processes of its own
            sessions = [new_session() for _ in _FEW_AND_MANY]
            (few, few_crashes), (many, many_crashes) = pool.map(_paths_after, sessions, _FEW_AND_MANY)
        if len(many) - len(few) >= 3:
            piled_up = sorted(many - without)
            violated(
                "what crashes leave behind does not pile up",
                f"after {few_crashes} crashes there are {len(few)} files and folders, after {many_crashes} there are"
                f" {len(many)}, such as {', '.join(piled_up[:3])}",
            )
        recording = run.once(recorded_conversation)
        for crash in _one_of_each_shape(states_of_kills(recording)):
            with _left_by(recording, crash) as session:
                timeline = play(session, Script().user("after the crash"), observing=False)
                for failure in timeline.of(Failed):
                    _expect_not_to_run_out(session)
                    violated(
                        f"after a crash the session goes on ({crash.state.what})", failure.summary, timeline, failure
                    )
                expect_same(
                    timeline.of(AgentStopped)[-1].memory,
                    session.read().messages,
                    f"after a crash what is said is stored ({crash.state.what})",
                )

    @requirement(
        "DUR-05",
        source="A: SaveLatestStrategy, BidiAgentSaveLatestStrategy; D: session management, 'persistence before hooks'",
        needs=[Capability.FRESH_PROCESS],
        since="2026.12",
    )
    def what_a_kill_costs(self, backend: Backend, new_session: NewSession, record_property: RecordProperty) -> None:
        """A kill at any moment costs no more than the backend promises: by message nothing that was acknowledged, by
        turn nothing of a turn that had ended, at stop nothing of what there was when the agent last came to rest.
        """
        cost = expect_cost_as_promised(new_session, backend.durability)
        record_property("measured", f"{cost}; it promises durability by {backend.durability.value}")

    @requirement(
        "DUR-06",
        source="F: an error is no absence",
        needs=[Capability.ON_DISK],
        since="2026.12",
    )
    def read_failures(self, new_session: NewSession) -> None:
        """Where reading fails for a moment while a session is opened, all of it is restored or an SDK exception is
        raised, and the next try restores all.
        """
        expect_read_failures_to_be_no_absence(new_session())

    @requirement(
        "DUR-07",
        source="A: write(2), 'the number of bytes written may be less than count'; Python's os.write",
        needs=[Capability.ON_DISK, Capability.STORAGE_FAULTS],
        promise=Durability.MESSAGE,
        since="2026.12",
    )
    def short_writes(self, new_session: NewSession) -> None:
        """Where a write takes only a part of what it is given, as on a disk that is nearly full, the rest is written
        or an error reaches the caller; earlier messages stay, and when there is room again appending works.
        """
        expect_rest_written_or_told_of(new_session())


@contextmanager
def _left_by(recording: Recording, crash: CrashState) -> Iterator[Session]:
    """Give the session as a crash left it, in a workspace of its own that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="session-conformance-crash-", ignore_cleanup_errors=True) as folder:
        crash.state.contents.write_to(Path(folder))
        workspace = replace(recording.session.workspace, folder=Path(folder))
        yield replace(recording.session, workspace=workspace)


def _one_of_each_shape(crashes: Iterable[CrashState], limit: int = 24) -> list[CrashState]:
    """Return states that differ in which files there are, up to a number."""
    shapes: dict[tuple[str, ...], CrashState] = {}
    for crash in crashes:
        shapes.setdefault(tuple(re.sub(r"\d", "0", path) for path, _ in crash.state.contents.paths()), crash)
    found = list(shapes.values())
    return found[:: -(-len(found) // limit)]


def _paths_after(session: Session, crashes: int) -> tuple[set[str], int]:
    """Return what lies in a workspace after crashes and conversations that ended well, and how many crashes there were.

    A process in two is killed as it goes on with a session, and the others as they begin another one, as long as that
    can be gone on with: where it cannot, DUR-01 tells of it.
    """
    timeline = play(session, Script().user("before the crashes"), observing=False)
    expect_no_failure(timeline)
    before = timeline.of(AgentStopped)[-1].memory
    begun = Session(session.backend, session.workspace, "begun-by-the-killed", session.agent_id)
    killed, killed_beginning = 0, 0
    goes_on = True
    for number in range(crashes):
        size = 100 * (number % 2)
        went_on = crash_writing(session, size)
        if went_on is not None:
            for failure in went_on.of(Failed) if killed else ():
                _expect_not_to_run_out(session)
                violated(
                    "where a process was killed as it wrote, the next one writes on",
                    f"{failure.where} raises {failure.type}: {failure.error}",
                    went_on,
                    failure,
                )
            raise NotApplicable("it writes files in another process, or not at all")
        killed += 1
        reading = session.read()
        if reading.error is not None or difference(before, reading.messages[: len(before)]) is not None:
            if reading.is_clear:
                _expect_not_to_run_out(session)
            violated(
                "what a killed process leaves behind neither blocks nor changes a restore",
                reading.error or str(difference(before, reading.messages)),
            )
        goes_on = goes_on and crash_writing(begun, size) is None
        killed_beginning += goes_on
    for one in (session, begun) if goes_on else (session,):
        timeline = play(one, Script().user("after the crashes"), observing=False)
        expect_no_failure(timeline)
    folder = session.workspace.folder
    found = looked_at(lambda: {path.relative_to(folder).as_posix() for path in folder.rglob("*")})
    return found, killed + killed_beginning


def _expect_not_to_run_out(session: Session) -> None:
    """Leave it open where the session goes on a day later: what a killed process held was a lease, which runs out.

    Raises:
        NotApplicable: It does.
    """
    if goes_on_a_day_later(session):
        raise NotApplicable("what a killed process holds runs out by itself (a day later the session goes on)")


RESTORED, ERROR, WRONG, OTHER = "all restored", "clear error", "wrong history", "other exception"


@dataclass
class _Judged:
    """What came of the crashes that were judged.

    Attributes:
        outcomes: Each crash's kind, and how the reading ended.
        lost: How many were not restored.
        lost_by_power_cut: How many of them only because of what a power cut took.
        first: The first that was not restored, and what is wrong with it.
        first_by_power_cut: The first that was not only because of what a power cut took.
        stopped: Whether no more were looked at.
    """

    outcomes: list[tuple[str, str]] = field(default_factory=list)
    lost: int = 0
    lost_by_power_cut: int = 0
    first: tuple[CrashState, str] | None = None
    first_by_power_cut: tuple[CrashState, str] | None = None
    stopped: bool = False

    def note(self, crash: CrashState, outcome: str, problem: str | None, *, by_power_cut: bool) -> None:
        """Count a crash."""
        self.outcomes.append((crash.state.kind, outcome))
        if problem is None:
            return
        self.lost += 1
        self.first = self.first or (crash, problem)
        if by_power_cut:
            self.lost_by_power_cut += 1
            self.first_by_power_cut = self.first_by_power_cut or (crash, problem)


def _restorations(run: ScenarioRuns, recording: Recording) -> Restorations:
    """Return what reads states of the recording, and remembers what it has read for other requirements of the run."""
    folder = recording.session.workspace.folder
    size = looked_at(lambda: sum(path.lstat().st_size for path in folder.rglob("*")))
    made: Restorations = run.once(lambda _: Restorations(recording.session, size), "restorations")
    return made


def _judge_each(
    recording: Recording, restorations: Restorations, crashes: Iterable[CrashState], config: pytest.Config, what: str
) -> _Judged:
    """Judge crashes one by one, until enough of them were not restored.

    Where power was cut, those that a kill would have left as they are count for nothing there: they may all be the
    same fault, of which the requirement about kills tells.
    """
    acknowledged, judged, done = Acknowledged(recording.timeline), _Judged(), 0
    with progress_of(config, what, len(recording.steps)) as advance:
        for crash, reading in restorations.each(crashes):
            while done < crash.step:
                advance()
                done += 1
            problem = acknowledged.problem(reading, crash.acknowledged)
            outcome, by_power_cut = RESTORED, False
            if problem is not None:
                outcome = WRONG if reading.error is None else ERROR if reading.is_clear else OTHER
                if crash.killed is not None:
                    as_killed = restorations.known(crash.killed.contents)
                    assert as_killed is not None  # it came first
                    by_power_cut = problem != acknowledged.problem(as_killed, crash.acknowledged)
            judged.note(crash, outcome, problem, by_power_cut=by_power_cut)
            of_its_own = judged.lost if crash.killed is None else judged.lost_by_power_cut
            if of_its_own == _ENOUGH or judged.lost == _ENOUGH_ANYWAY:
                judged.stopped = True
                break
    return judged


def _outcomes(judged: _Judged, what: str) -> Matrix:
    """Count what came of each kind of moment."""
    return Matrix.of(
        f"what came of restoring after {what}",
        "moment",
        judged.outcomes,
        columns=[RESTORED, ERROR, WRONG, OTHER],
        bad=[ERROR, WRONG, OTHER],
        note=f"After {judged.lost} states that were not restored no more were looked at." if judged.stopped else "",
    )


def _expect_all_restored(recording: Recording, judged: _Judged, what: str) -> None:
    found = judged.first_by_power_cut or judged.first
    if found is None:
        return
    crash, problem = found
    count = f"in {judged.lost} of {len(judged.outcomes)} states they are not"
    if judged.stopped:
        count += " (no more were looked at)"
    if crash.killed is not None:
        count += f", in {judged.lost_by_power_cut} of them because of what the power cut took"
    raise Violation(
        f"after {what} at any point, all acknowledged messages are restored",
        f"{count}. The first: {crash.state.what}, {problem}",
        _done_before(recording, crash),
        recording.timeline,
        [max(crash.acknowledged, 0)],
    )


def _violation_by_faults(recording: Recording, what: str) -> Violation | None:
    try:
        expect_no_loss_by_faults(recording, what)
    except Violation as violation:
        return violation
    return None


def _faults(violations: Sequence[tuple[FaultPlan, Violation | None]]) -> Matrix:
    """Count what came of each kind of call that was made to fail, with each error."""
    kept, lost = "told, and nothing lost", "not told, or something lost"
    return Matrix.of(
        "what came of conversations in which calls of the operating system failed",
        "fault",
        [(plan.what.partition(",")[0], kept if violation is None else lost) for plan, violation in violations],
        columns=[kept, lost],
        bad=[lost],
    )


def _expect_restored_after_acknowledgements(new_session: NewSession) -> None:
    for session, timeline in killed_at_acknowledgements(new_session, SHORT_TALKS):
        last = len(timeline) - 1
        problem = Acknowledged(timeline).problem(session.read(), last)
        if problem is not None:
            raise Violation(
                "killed after an acknowledgement, all acknowledged messages are restored",
                problem,
                timeline=timeline,
                at=[last],
            )


def _done_before(recording: Recording, crash: CrashState) -> str:
    done = [step for step in recording.steps[: crash.step] if step.mark is None][-8:]
    lines = ["the last things done to the workspace before the crash:"]
    lines += [f"    {step}" for step in done] or ["    nothing"]
    return "\n".join(lines)
