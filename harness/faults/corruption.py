"""Corruption: every kind of damage to every stored object of a session, and what comes of opening it then.

Nothing here knows a backend's format: an object is a file in the workspace, whatever lies in it.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from ..conversations import Die, ProcessDied, Session, in_fresh_process, read_in_fresh_process
from ..process import Hang, are_obeyed, maps, obey_permissions, within_limit
from ..sdk import Message
from ..timeline import Reading, answers, difference, texts, without_made_up_answers
from .file_system import Contents

_SCOUTED = 3
"""How many objects are cut short by way of trial."""


class DamageOutcome(Enum):
    """What came of opening a session of which an object was damaged."""

    EXACT = "exact"
    CLEAR_ERROR = "clear error"
    GONE = "gone"
    WRONG_HISTORY = "wrong history"
    OTHER_EXCEPTION = "other exception"
    HANG = "hang"


@dataclass(frozen=True)
class Damage:
    """One way to damage an object.

    Attributes:
        kind: What kind of damage, for the matrix.
        what: What exactly, in words.
        done: Does the damage to an object at a path.
        leaves_nothing: Whether no byte of the object is left.
    """

    kind: str
    what: str
    done: Callable[[Path], object]
    leaves_nothing: bool = False


@dataclass
class DamageCase:
    """A damaged object, and what came of opening the session, before and after it was mended again.

    Attributes:
        object: The object's path in the workspace.
        damage: What was done to it.
        outcome: What came of opening the session.
        detail: The error, or where the history differs.
        destroyed: None, or what the attempt to open the session cost, for good.
        others: None, or what was wrong with other sessions in the workspace, or with a new one.
        repaired: None, or what was wrong with the session after a repair; only where opening raised a clear error.
    """

    object: str
    damage: Damage
    outcome: DamageOutcome
    detail: str = ""
    destroyed: str | None = None
    others: str | None = None
    repaired: str | None = None


@dataclass(frozen=True)
class Specimen:
    """A session in good order, which is damaged in copies of its workspace.

    Attributes:
        session: The session.
        other: Another session in the same workspace.
        contents: What the workspace holds.
        objects: The paths of the objects that hold the session.
        shared: Those of them that hold other sessions as well.
        history: The session's history.
        other_history: The other session's history.
        earlier: What the workspace held at earlier moments, in order.
        idle: Those of the objects in which nothing of the session can be looked for: what was there before it was
            begun, has the size that it had, and nowhere the session's id, such as the table of an engine's locks.
        apart: Whether damaged copies are read by a process of their own each, since reading may end it.
    """

    session: Session
    other: Session
    contents: Contents
    objects: Sequence[str]
    shared: frozenset[str]
    history: Sequence[Message]
    other_history: Sequence[Message]
    earlier: Sequence[Contents] = ()
    idle: frozenset[str] = frozenset()
    apart: bool = False

    def size(self, path: str) -> int:
        """Return how many bytes an object has."""
        return self.contents.files[dict(self.contents.paths())[path]].size

    def before_a_write_of(self, path: str, damaged: Mapping[str, bytes]) -> Contents | None:
        """Return what there was at the beginning of a write within which a kill leaves what the damage has left.

        ``DUR-01`` asks that a session which a kill leaves is restored as it was before that write. Where the same bytes
        are left by a cut, nothing else can be asked of a design that only ever appends.

        Args:
            path: The damaged object.
            damaged: What the damage has left, by path.
        """
        left = damaged.get(path, b"")
        for before in reversed(self.earlier):
            files = _bytes_of(before)
            begun = files.pop(path, b"")
            if left.startswith(begun) and files == {name: data for name, data in damaged.items() if name != path}:
                return before
        return None


def damages(data: bytes, *, said: Iterable[str] = (), few: bool = False) -> Iterator[Damage]:
    """Yield every kind of damage to an object.

    Args:
        data: The object's bytes.
        said: Texts of the session. Where one stands in the object as it was said, a bit is flipped within it as well.
        few: Whether cuts and flipped bits are tried at fewer places, for sessions of many objects.
    """
    for length in _cuts(data, 4 if few else 12):
        yield Damage("cut short", f"cut to {length} of {len(data)} bytes", _overwrite(data[:length]))
    yield Damage("emptied", "emptied", _overwrite(b""), leaves_nothing=True)
    for position in _places(len(data), 6 if few else 32):
        flipped = bytearray(data)
        flipped[position] ^= 1 << (position % 7)
        yield Damage("bit flipped", f"bit {position % 7} of byte {position} flipped", _overwrite(bytes(flipped)))
    for text, position in _within(data, said):
        flipped = bytearray(data)
        flipped[position] ^= 1
        yield Damage("bit flipped", f"bit 0 of byte {position} flipped, within {text!r}", _overwrite(bytes(flipped)))
    yield Damage("other JSON", "replaced by other JSON", _overwrite(b'{"another": ["thing"], "id": 1}'))
    yield Damage("other JSON", "replaced by a JSON list", _overwrite(b"[]"))
    yield Damage("not UTF-8", "replaced by bytes that are no UTF-8", _overwrite(b"\xff\xfe\x80\x00{" + data[5:]))
    yield Damage("deleted", "deleted", Path.unlink, leaves_nothing=True)
    yield Damage("duplicated", "a copy of it beside it", lambda path: _copy_beside(path, f"{path.name}.bak"))
    yield Damage(
        "duplicated", "a numbered copy beside it", lambda path: _copy_beside(path, f"{path.stem} (1){path.suffix}")
    )
    yield Damage(
        "stray file", "a stray file beside it", lambda path: (path.parent / ".DS_Store").write_bytes(b"\0\0\1")
    )
    yield Damage("stray folder", "a stray folder beside it", lambda path: (path.parent / "lost+found").mkdir())
    yield Damage("symbolic link", "replaced by a link to itself", _link_to_itself, leaves_nothing=True)
    yield Damage("symbolic link", "replaced by a link to nothing", _link_to_nothing, leaves_nothing=True)
    yield Damage("folder", "replaced by a folder", _replace_by_folder)
    yield Damage("permission denied", "nobody may read or write it", lambda path: path.chmod(0))


def _places(length: int, count: int) -> list[int]:
    """Return places in an object, evenly spread, its first and last byte among them."""
    if length <= count:
        return list(range(length))
    return sorted({round(number * (length - 1) / (count - 1)) for number in range(count)})


def _cuts(data: bytes, count: int) -> list[int]:
    lines = [index + 1 for index, byte in enumerate(data) if byte == 0x0A]
    at_lines = [lines[place] for place in _places(len(lines), count // 2)]
    return sorted({length for length in [*_places(len(data), count), *at_lines] if 0 < length < len(data)})


def _within(data: bytes, said: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield texts and the middle of each of the places, three at most, where they stand in an object."""
    for text in said:
        pattern = re.escape(text.encode())
        for match in itertools.islice(re.finditer(pattern, data), 3):
            yield text, (match.start() + match.end()) // 2


def _overwrite(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def _copy_beside(path: Path, name: str) -> None:
    shutil.copyfile(path, path.parent / name)


def _link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nothing-is-here")


def _replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def damage_every_object(specimen: Specimen) -> Iterator[DamageCase]:
    """Damage each object of a session in each way, and yield what came of it."""
    specimen = replace(specimen, apart=_may_end_its_process(specimen))
    few = len(specimen.objects) > 4
    nodes = dict(specimen.contents.paths())
    for path in specimen.objects:
        seen: set[str] = set()
        for damage in damages(bytes(specimen.contents.files[nodes[path]]), said=texts(specimen.history), few=few):
            case = _damaged(specimen, path, damage, thorough=damage.kind not in seen)
            seen.add(damage.kind)
            if case is not None:
                yield case


def _damaged(specimen: Specimen, path: str, damage: Damage, *, thorough: bool) -> DamageCase | None:
    with tempfile.TemporaryDirectory(prefix="session-conformance-damage-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        specimen.contents.write_to(folder)
        place = folder / path
        damage.done(place)
        if damage.kind == "permission denied" and not _is_denied(place):
            return None  # this system cannot deny it
        session = _elsewhere(specimen.session, folder)
        damaged = session.workspace.stored_files().get(path) if damage.kind != "permission denied" else None
        outcome, detail = _outcome(specimen, session, path, damage)
        case = DamageCase(path, damage, outcome, detail)
        if (
            outcome in (DamageOutcome.CLEAR_ERROR, DamageOutcome.OTHER_EXCEPTION)
            and damaged  # an engine may begin anew in what is empty
            and path not in specimen.shared
            and damaged not in session.workspace.stored_files().values()
        ):
            case.destroyed = "what was left of it was removed when the session could not be opened"
        if thorough:
            case.others = _others(specimen, folder, path)
        if case.outcome is DamageOutcome.CLEAR_ERROR and session.backend.repair is not None:
            case.repaired = _repair(specimen, path, damage)
        _mend(specimen, folder, path)
        now = _differs(specimen, _read(specimen, session))
        if now is not None:  # this process may remember what it met, as an engine does that still has the file open
            gc.collect()
            now = _differs(specimen, read_in_fresh_process(session))
        if now is not None:
            case.destroyed = f"put back, it is not as it was: {now}"
        return case


def _differs(specimen: Specimen, reading: Reading) -> str | None:
    return reading.error or difference(specimen.history, reading.messages)


def _elsewhere(session: Session, folder: Path) -> Session:
    return replace(session, workspace=replace(session.workspace, folder=folder))


def _read(specimen: Specimen, session: Session) -> Reading:
    if specimen.apart:
        return _read_apart(session)

    def read() -> Reading:
        obey_permissions()
        return session.read()

    return within_limit(read, "opening a damaged session")


def _read_apart(session: Session) -> Reading:
    try:
        return Reading.from_json(in_fresh_process(_read_damaged, session))
    except ProcessDied as died:
        return Reading(error=f"ProcessDied: {died}")


def _read_damaged(session: Session, _: Die) -> str:
    obey_permissions()
    return session.read().to_json()


def _may_end_its_process(specimen: Specimen) -> bool:
    """Return whether reading what is damaged may end the process that reads: an engine that maps files, or crashes.

    It is found out by processes of their own. What none of them dies of can be read in this one, which is faster.
    """
    if specimen.session.backend.spec is None:
        return False  # no other process can open it
    if maps(os.getpid(), specimen.session.workspace.folder):
        return True
    return any(_dies_of(specimen, path) for path in specimen.objects[:_SCOUTED])


def _dies_of(specimen: Specimen, path: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="session-conformance-damage-", ignore_cleanup_errors=True) as name:
        specimen.contents.write_to(Path(name))
        os.truncate(Path(name) / path, specimen.size(path) // 2)
        try:
            in_fresh_process(_read_damaged, _elsewhere(specimen.session, Path(name)))
        except ProcessDied:
            return True
        except Hang:
            return False  # told by the requirement itself
        return False


def _is_denied(path: Path) -> bool:
    def denied() -> bool:
        obey_permissions()
        return are_obeyed(path)

    return within_limit(denied, "reading a file")


def _outcome(specimen: Specimen, session: Session, path: str, damage: Damage) -> tuple[DamageOutcome, str]:
    left = Contents.of_folder(session.workspace.folder) if damage.kind != "permission denied" else None
    try:
        reading = _read(specimen, session)
    except Hang as hang:
        return DamageOutcome.HANG, str(hang)
    if reading.error is not None:
        return (DamageOutcome.CLEAR_ERROR if reading.is_clear else DamageOutcome.OTHER_EXCEPTION), reading.error
    differs = difference(specimen.history, reading.messages)
    if differs is None:
        return DamageOutcome.EXACT, ""
    nothing_left = damage.leaves_nothing and not reading.messages and not _tells(specimen, path)
    earlier = left is not None and left.digest() in {one.digest() for one in specimen.earlier}
    if nothing_left or earlier:
        # No correct manager can tell this from a session that never was, or that was said less in.
        return DamageOutcome.GONE, "nothing that is left says that there was more"
    if left is not None and damage.kind == "cut short":
        before = specimen.before_a_write_of(path, _bytes_of(left))
        if before is not None and _is_between(_read_of(specimen, before), reading.messages, specimen.history):
            return DamageOutcome.GONE, "a kill within a write leaves the same"
    return DamageOutcome.WRONG_HISTORY, differs


def _tells(specimen: Specimen, lost: str) -> list[str]:
    """Return the objects that tell of a session when one is lost: all that have bytes, but for those of locks.

    An empty object tells of nothing, nor does one that is idle and is not missed where it is missing.
    """
    with_bytes = [path for path in specimen.objects if path != lost and specimen.size(path)]
    return [path for path in with_bytes if path not in specimen.idle or _is_missed(specimen, path)]


def _is_missed(specimen: Specimen, path: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="session-conformance-damage-", ignore_cleanup_errors=True) as name:
        specimen.contents.write_to(Path(name))
        (Path(name) / path).unlink()
        return _differs(specimen, _read(specimen, _elsewhere(specimen.session, Path(name)))) is not None


def _is_between(before: Sequence[Message], found: Sequence[Message], after: Sequence[Message]) -> bool:
    """Whether a history is one that there was, or one on the way from it to another."""
    on_the_way = len(found) >= len(before) and difference(after[: len(found)], found) is None
    return on_the_way or difference(before, found) is None


def _bytes_of(contents: Contents) -> dict[str, bytes]:
    return {path: bytes(contents.files[node]) for path, node in contents.paths() if node in contents.files}


def _read_of(specimen: Specimen, contents: Contents) -> list[Message]:
    with tempfile.TemporaryDirectory(prefix="session-conformance-damage-", ignore_cleanup_errors=True) as name:
        contents.write_to(Path(name))
        return _read(specimen, _elsewhere(specimen.session, Path(name))).messages


def _others(specimen: Specimen, folder: Path, path: str) -> str | None:
    other = _elsewhere(specimen.other, folder)
    may_fail = path in specimen.shared
    reading = _read(specimen, other)
    if reading.error is not None and not (may_fail and reading.is_clear):
        return f"another session cannot be opened: {reading.error}"
    if reading.error is None and not may_fail and difference(specimen.other_history, reading.messages) is not None:
        return f"another session has changed: {difference(specimen.other_history, reading.messages)}"
    new = _read(specimen, replace(other, session_id="a-new-session"))
    if new.error is not None and not (may_fail and new.is_clear):
        return f"a new session cannot be opened: {new.error}"
    return f"a new session has {len(new.messages)} messages" if new.messages else None


def _repair(specimen: Specimen, path: str, damage: Damage) -> str | None:
    """Say what is wrong after a repair. A flipped bit may cost one message, other damage all that it reached."""
    with tempfile.TemporaryDirectory(prefix="session-conformance-repair-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        specimen.contents.write_to(folder)
        damage.done(folder / path)
        session = _elsewhere(specimen.session, folder)
        repair = session.backend.repair
        assert repair is not None

        def repaired() -> Reading:
            obey_permissions()
            repair(session.session_id, session.workspace)
            return session.read()

        lossless = damage.kind == "bit flipped"
        try:
            reading = within_limit(repaired, "repairing a session")
        except Exception as error:
            return f"the repair raised {type(error).__name__}: {error}" if lossless else None
    if reading.error is not None:
        return f"it still cannot be opened: {reading.error}"
    kept = [message for message in specimen.history if message in reading.messages]
    came_back = without_made_up_answers(reading.messages, specimen.history)
    if difference(kept, came_back) is not None:
        return f"what came back is no part of the history: {difference(kept, came_back)}"
    lost = _lost(specimen.history, kept)
    return f"a flipped bit cost {lost} messages" if lossless and lost > 1 else None


def _lost(history: Sequence[Message], kept: Sequence[Message]) -> int:
    """Return how many messages are lost. Tool results are lost with their use: no model would accept them alone."""
    lost = [message not in kept for message in history]
    with_its_use = [
        index for index in range(1, len(history)) if lost[index - 1] and answers(history[index], history[index - 1])
    ]
    return sum(lost) - sum(lost[index] for index in with_its_use)


def _mend(specimen: Specimen, folder: Path, path: str) -> None:
    """Put the object back as it was, and take away what stands beside it that was not there."""
    place = folder / path
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        with contextlib.suppress(FileNotFoundError):
            place.unlink()
    for stray in (
        place.parent / ".DS_Store",
        place.parent / "lost+found",
        place.parent / f"{place.name}.bak",
        place.parent / f"{place.stem} (1){place.suffix}",
    ):
        if stray.is_dir():
            shutil.rmtree(stray)
        elif stray.exists():
            stray.unlink()
    place.parent.mkdir(parents=True, exist_ok=True)
    node = dict(specimen.contents.paths())[path]
    place.write_bytes(bytes(specimen.contents.files[node]))
