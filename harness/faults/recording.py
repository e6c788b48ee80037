"""Recordings: a conversation and all that its process did to the workspace, with acknowledgements in the same order."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..conversations import Die, Session, play
from ..scripts import Script
from ..timeline import Timeline
from .file_operations import Step, read_steps
from .file_system import Contents, Durability, State, Sync, killed_within, kind_of
from .tracing import traced


@dataclass(frozen=True)
class Recording:
    """What happened in a conversation that was traced.

    Attributes:
        session: The session, as the conversation left it.
        timeline: What happened. Its event ``n`` is the step with mark ``n``: what was told by then is acknowledged.
        steps: What the process did to the workspace, and those marks.
        before: What the workspace held before.
    """

    session: Session
    timeline: Timeline
    steps: Sequence[Step]
    before: Contents


@dataclass(frozen=True)
class CrashState:
    """A state of the folder that a crash could have left.

    Attributes:
        state: What the workspace would hold, and how that came about.
        step: The place in the recording: the number of steps that were done.
        acknowledged: The number of the timeline's last event before the crash, or -1.
        killed: What a kill at the same place would have left, where this is what a power cut could have.
    """

    state: State
    step: int
    acknowledged: int
    killed: State | None = None


def record(session: Session, script: Script, inject: Sequence[str] = ()) -> Recording:
    """Play a script in a traced process.

    Args:
        session: The session to play it in, in a workspace on disk.
        script: What shall happen. Its processes are managers and agents that follow each other in one process.
        inject: Faults for :func:`~session_conformance.harness.faults.traced`.

    Raises:
        TracerMissing: Nothing can be traced here.
        Untraceable: The process used files in a way that cannot be followed.
    """
    folder = session.workspace.folder.resolve()
    before = Contents.of_folder(folder)

    def read(lines: Iterator[str]) -> list[Step]:
        return read_steps(lines, str(folder), os.fspath(Path.cwd()), before)

    answer, steps = traced(_play_marked, session, script.to_json(), inject=inject, read=read)
    return Recording(session, Timeline.from_json(answer), steps, before)


def _play_marked(session: Session, _: Die, script: str) -> str:
    marks = sys.stdin.fileno()  # which multiprocessing opens on the mark file in every process that it starts
    numbers = iter(range(2**31))
    timeline = play(
        session,
        Script.from_json(script),
        observing=False,
        on_record=lambda _: os.lseek(marks, next(numbers), os.SEEK_SET),
    )
    return timeline.to_json()


def states_of_kills(recording: Recording) -> Iterator[CrashState]:
    """Yield every state that a kill could have left: after each operation, and within each write.

    A state is yielded as it was just before the next operation, when most was acknowledged.
    """
    contents = recording.before.copy()
    acknowledged, what = -1, "killed before anything was written"
    kind = what
    for number, step in enumerate(recording.steps):
        if step.mark is not None:
            acknowledged = step.mark
        elif step.operation is not None and not isinstance(step.operation, Sync):
            yield CrashState(State(contents.copy(), what, kind), number, acknowledged)
            for within in killed_within(contents, step.operation):
                state = replace(within, what=f"{within.what} by {step}")
                yield CrashState(state, number + 1, acknowledged)
            contents.apply(step.operation)
            what, kind = f"killed after {step}", f"killed after {kind_of(step.operation)}"
    yield CrashState(State(contents, what, kind), len(recording.steps), acknowledged)


def states_of_power_cuts(recording: Recording) -> Iterator[CrashState]:
    """Yield the states that a power cut could have left just before each operation, when most was acknowledged."""
    durability = Durability(recording.before)
    acknowledged = -1
    seen: set[tuple[str, int]] = set()
    for number, step in enumerate([*recording.steps, None]):
        if step is not None and step.mark is not None:
            acknowledged = step.mark
        if step is not None and step.operation is None:
            continue
        killed = durability.nothing_lost()
        for state in (killed, *durability.states()):
            key = (state.contents.digest(), acknowledged)
            if key not in seen:
                seen.add(key)
                yield CrashState(state, number, acknowledged, killed)
        if step is not None and step.operation is not None:
            durability.apply(step.operation)
