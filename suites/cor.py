"""COR: corruption. A damaged session comes back exact, or raises a clear error: never a wrong history."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from session_conformance.fixtures import ConformanceSuite, NewSession, RecordProperty
from session_conformance.harness import (
    Capability,
    Level,
    NotApplicable,
    ScenarioRuns,
    Script,
    Session,
    Violation,
    expect_no_failure,
    play,
    requirement,
)
from session_conformance.harness.faults import (
    Contents,
    DamageCase,
    DamageOutcome,
    Specimen,
    damage_every_object,
    misplace_objects,
)
from session_conformance.harness.verdicts import Matrix

from .scenarios.storage_api import opened
from .scenarios.storage_api import run as run_storage

ON_DISK = (Capability.ON_DISK,)

GOOD = {DamageOutcome.EXACT, DamageOutcome.CLEAR_ERROR, DamageOutcome.GONE}

OUTCOMES = {
    DamageOutcome.EXACT: "exact history",
    DamageOutcome.CLEAR_ERROR: "clear error",
    DamageOutcome.GONE: "nothing left to tell",
    DamageOutcome.WRONG_HISTORY: "wrong history",
    DamageOutcome.OTHER_EXCEPTION: "other exception",
    DamageOutcome.HANG: "hang",
}
"""What the matrix calls the outcomes. Nothing is left to tell where what is gone was the only trace of the session."""


class Corruption(ConformanceSuite):
    """COR: corruption."""

    @requirement("COR-01", source="D: session management, exceptions", needs=ON_DISK)
    def exact_or_clear(self, run: ScenarioRuns, record_property: RecordProperty) -> None:
        """Opening a session of which an object was damaged gives a history or an SDK exception (SessionException,
        SnapshotException, StorageError): never another kind of exception, never a hang.
        """
        bad = {DamageOutcome.OTHER_EXCEPTION, DamageOutcome.HANG}
        cases = run.once(damaged_sessions)
        record_property("matrix", _outcomes(cases).to_dict())
        _expect_none(
            cases,
            [case for case in cases if case.outcome in bad],
            "opening a damaged session gives a history or an SDK exception",
        )

    @requirement("COR-02", source="F: data that is not what was written is never given as right", needs=ON_DISK)
    def never_wrong(self, run: ScenarioRuns) -> None:
        """What opening a damaged session gives is never a wrong history: no changed text, no silently missing
        message.
        """
        cases = run.once(damaged_sessions)
        _expect_none(
            cases,
            [case for case in cases if case.outcome is DamageOutcome.WRONG_HISTORY],
            "a damaged session never comes back as another history",
        )

    @requirement("COR-03", source="D: a session manager restores; it does not throw away", needs=ON_DISK)
    def nothing_destroyed(self, run: ScenarioRuns) -> None:
        """Nothing that was readable is deleted by failing to open: what was damaged is still there, and once it is put
        back as it was, so is the session.
        """
        cases = run.once(damaged_sessions)
        _expect_none(
            cases,
            [replace(case, detail=case.destroyed) for case in cases if case.destroyed],
            "failing to open a session removes nothing, and once the damaged object is put back it is as it was",
        )

    @requirement("COR-04", source="D: sessions are isolated from each other", needs=ON_DISK)
    def others_go_on(self, run: ScenarioRuns) -> None:
        """Other sessions, and a new session id, keep working; where they share the damaged object, they raise an SDK
        exception at worst.
        """
        cases = run.once(damaged_sessions)
        _expect_none(
            cases,
            [replace(case, detail=case.others) for case in cases if case.others],
            "damage to one session leaves other sessions as they are",
        )

    @requirement(
        "COR-05",
        level=Level.SHOULD,
        source="F: fsck, and the recovery tools of databases",
        needs=(*ON_DISK, Capability.REPAIR),
    )
    def repair_exists(self, run: ScenarioRuns) -> None:
        """A repair brings back all undamaged messages and nothing else; a flipped bit costs one message at most."""
        cases = run.once(damaged_sessions)
        _expect_none(
            cases,
            [replace(case, detail=case.repaired) for case in cases if case.repaired],
            "after a repair the session holds all undamaged messages and nothing else",
        )

    @requirement("COR-06", level=Level.SHOULD, source="D: session management, exceptions", needs=ON_DISK)
    def error_names_the_object(self, run: ScenarioRuns, new_session: NewSession) -> None:
        """The error names the session and the damaged object."""
        cases = run.once(damaged_sessions)
        session_id = SESSION_ID
        keys = _keys_of_a_storage(new_session(session_id=session_id))

        def named(case: DamageCase) -> bool:
            names = (Path(case.object).name, *keys)
            return session_id in case.detail and any(name in case.detail for name in names)

        _expect_none(
            cases,
            [case for case in cases if case.outcome is DamageOutcome.CLEAR_ERROR and not named(case)],
            f"the error names the session ({session_id}) and the object",
        )

    @requirement(
        "COR-07",
        level=Level.SHOULD,
        source="F: disks that write a block in another's place; B: copies that are put back under another name",
        needs=ON_DISK,
        since="2026.12",
    )
    def misplaced_objects(self, new_session: NewSession) -> None:
        """An object in whose place another session's lies, or another one of the same session, is noticed: the session
        comes back exact, or as it once was, or an SDK exception is raised.
        """
        session, contents, mine, others = _two_sessions(new_session())
        cases = list(misplace_objects(session, contents, mine, others))
        bad = [case for case in cases if case.problem is not None]
        if bad:
            first = bad[0]
            raise Violation(
                "an object that lies in another one's place is noticed: each says whose it is",
                f"in {len(bad)} of {len(cases)} cases it is not. The first: {first.object} was replaced by"
                f" {first.whose} {first.by}: {first.problem}",
            )


SESSION_ID = "damaged-session"

_SAID = (
    Script()
    .user("The first of all messages")
    .assistant("An answer that nobody must change")
    .calls("weather", city="Paris", returns="Sunny, 21 degrees")
    .sets_state("city", "Paris")
    .user("A word in the middle")
    .assistant("And another one")
    .user("The last of all messages")
)


_SAID_ELSEWHERE = (
    Script()
    .user("This one is another talk.")
    .assistant("No answer that anybody would know")
    .calls("weather", city="Paris", returns="Sunny, 21 degrees")
    .sets_state("city", "Turin")
    .user("A phrase in between.")
    .assistant("And one further")
    .user("The end of every message")
)
"""The same kinds of things, in other words of the same length: what is stored of them is alike in size."""


def _two_sessions(place: Session) -> tuple[Session, Contents, list[str], list[str]]:
    """Return a session, what its workspace holds, its own objects, and those of another session."""
    folder = place.workspace.folder
    session, other = (replace(place, session_id=id) for id in (SESSION_ID, "another-session"))
    seen = [place.workspace.stored_files()]
    for one, script in ((session, _SAID), (other, _SAID_ELSEWHERE)):
        expect_no_failure(play(one, script, observing=False))
        seen.append(place.workspace.stored_files())
    before, first, both = seen
    mine = [path for path, data in first.items() if path not in before and both.get(path) == data and data]
    others = [path for path, data in both.items() if path not in first and data]
    if not mine or not others:
        raise NotApplicable("no object in the workspace is one session's alone")
    return session, Contents.of_folder(folder), mine, others


def damaged_sessions(new_session: Callable[[], Session]) -> Sequence[DamageCase]:
    """Return what came of every damage to every object of a session."""
    return list(damage_every_object(_specimen(new_session())))


def _specimen(place: Session) -> Specimen:
    folder = place.workspace.folder
    other = replace(place, session_id="another-session")
    expect_no_failure(play(other, Script().user("I am another session"), observing=False))
    before = Contents.of_folder(folder)
    session = replace(place, session_id=SESSION_ID)
    earlier: dict[str, Contents] = {}

    def keep(_: object) -> None:
        now = Contents.of_folder(folder)
        earlier.setdefault(now.digest(), now)

    timeline = play(session, _SAID, observing=False, on_record=keep)
    expect_no_failure(timeline)
    reading, other_reading = session.read(), other.read()
    contents = Contents.of_folder(folder)
    files_before = {path: bytes(before.files[node]) for path, node in before.paths() if node in before.files}
    files = {path: bytes(contents.files[node]) for path, node in contents.paths() if node in contents.files}
    objects = [path for path, data in files.items() if files_before.get(path) != data]
    if not objects or reading.error is not None or other_reading.error is not None:
        raise NotApplicable("a conversation leaves nothing in the workspace that could be damaged")
    return Specimen(
        session,
        other,
        contents,
        objects,
        frozenset(path for path in objects if path in files_before) | _changed_by_a_new_session(other, files),
        reading.messages,
        other_reading.messages,
        [one for digest, one in earlier.items() if digest != contents.digest()],
        frozenset(
            path
            for path in objects
            if len(files[path]) == len(files_before.get(path, b"")) and SESSION_ID.encode() not in files[path]
        ),
    )


def _changed_by_a_new_session(place: Session, files: dict[str, bytes]) -> set[str]:
    """Return the objects that a new session changes, though it has nothing to do with them."""
    with tempfile.TemporaryDirectory(prefix="session-conformance-damage-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        Contents.of_folder(place.workspace.folder).write_to(folder)
        workspace = replace(place.workspace, folder=folder)
        new = replace(place, session_id="a-new-session", workspace=workspace)
        play(new, Script().user("I am new here"), observing=False)
        now = workspace.stored_files()
    return {path for path, data in files.items() if now.get(path) != data}


def _keys_of_a_storage(session: Session) -> list[str]:
    """Return the keys of a session's objects where it is kept in a storage: who asks for a key knows no file's name."""
    if session.backend.storage is None:
        return []
    expect_no_failure(play(session, Script().user("I am here"), observing=False))
    return run_storage(lambda: opened(session).list(""))


def _expect_none(cases: Sequence[DamageCase], bad: Sequence[DamageCase], expected: str) -> None:
    if not bad:
        return
    first = bad[0]
    raise Violation(
        expected,
        f"in {len(bad)} of {len(cases)} cases it is not so. The first: {first.object}, {first.damage.what}:"
        f" {first.detail}",
        _matrix(cases),
    )


def _outcomes(cases: Sequence[DamageCase]) -> Matrix:
    """Count what came of each kind of damage, whatever object it was done to."""
    return Matrix.of(
        "what came of opening a session of which one stored object was damaged",
        "damage",
        [(case.damage.kind, OUTCOMES[case.outcome]) for case in cases],
        columns=list(OUTCOMES.values()),
        bad=[OUTCOMES[outcome] for outcome in DamageOutcome if outcome not in GOOD],
    )


def _matrix(cases: Sequence[DamageCase]) -> str:
    """Draw what came of each kind of damage to each object; objects whose names differ in numbers are one."""
    lines = ["what came of each kind of damage to each object (how often):"]
    alike: dict[str, list[DamageCase]] = {}
    for case in cases:
        alike.setdefault(re.sub(r"\d+", "N", case.object), []).append(case)
    for of_name in alike.values():
        objects = list(dict.fromkeys(case.object for case in of_name))
        lines.append(f"  {objects[0]}" + (f" and {len(objects) - 1} like it" if len(objects) > 1 else ""))
        for kind in dict.fromkeys(case.damage.kind for case in of_name):
            counts = Counter(case.outcome.value for case in of_name if case.damage.kind == kind)
            shown = ", ".join(f"{outcome} ({count})" for outcome, count in counts.items())
            lines.append(f"    {kind:<18} {shown}")
    return "\n".join(lines)
