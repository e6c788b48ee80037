"""Successors: processes that go on where a crash left a session, and a power cut that comes after them.

A process that finds a name, or bytes, takes them for stored. They may be in the system's cache alone: the process that
wrote them was killed before it synced them, and the power has not been cut yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .file_operations import Step
from .file_system import ROOT, Contents, Durability, Operation, Resize, SetName, State, Sync, Write
from .recording import CrashState, Recording

_NEW = 2**20
"""Nodes that a successor makes get numbers from here on."""


@dataclass(frozen=True)
class Legacy:
    """What a crash left to a successor.

    Attributes:
        what: What happened, in words.
        acknowledged: The number of the last event before the crash, or -1.
        contents: What the successor finds.
        durability: What of it is durable, and what is in the system's cache only.
    """

    what: str
    acknowledged: int
    contents: Contents
    durability: Durability


def legacies_of_kills(recording: Recording, most: int) -> list[Legacy]:
    """Return what is left where a process is killed just before it syncs a folder in which it has made a name.

    Args:
        recording: A conversation that was traced.
        most: How many of them, each with other kinds of names.
    """
    found: dict[tuple[str, ...], Legacy] = {}
    durability, acknowledged = Durability(recording.before), -1
    for step in recording.steps:
        if step.mark is not None:
            acknowledged = step.mark
        elif step.operation is not None:
            names = _names_synced_by(step, durability)
            if names and names not in found:
                what = f"a process was killed before it synced the name {names[-1]!r}"
                contents = durability.nothing_lost().contents
                found[names] = Legacy(what, acknowledged, contents, durability.copy())
                if len(found) == most:
                    break
            durability.apply(step.operation)
    return list(found.values())


def legacy_of_power_cut(crash: CrashState) -> Legacy:
    """Return what is left where the power was cut: all of it is durable."""
    contents = crash.state.contents.copy()
    return Legacy(crash.state.what, crash.acknowledged, contents, Durability(contents))


def states_after(legacy: Legacy, successor: Recording) -> Iterator[CrashState]:
    """Yield the states that a power cut leaves, where all that was not synced is lost, as a successor goes on.

    Args:
        legacy: What it found.
        successor: What it did there.
    """
    durability, acknowledged = legacy.durability.copy(), -1
    nodes = _Nodes(successor.before, legacy.contents)
    seen: set[tuple[str, int]] = set()
    for number, step in enumerate([*successor.steps, None]):
        if step is not None and step.mark is not None:
            acknowledged = step.mark
        if step is not None and step.operation is None:
            if isinstance(step.refused, Sync):
                durability.refuse(nodes.translated_sync(step.refused))
            continue
        state = durability.durable
        if (state.digest(), acknowledged) not in seen:
            seen.add((state.digest(), acknowledged))
            lost = f"{legacy.what}; then one went on, and in a power cut all that was not synced was lost"
            yield CrashState(State(state.copy(), lost, "after a successor"), number, acknowledged)
        if step is not None and step.operation is not None:
            durability.apply(nodes.translated(step.operation))


def _names_synced_by(step: Step, durability: Durability) -> tuple[str, ...]:
    """Return the names that a sync makes durable, without digits that tell them apart."""
    if not isinstance(step.operation, Sync):
        return ()
    node = step.operation.node
    pending = [one for one in durability.pending if isinstance(one, SetName) and one.node is not None]
    return tuple(one.name for one in pending if node is None or one.directory == node)


class _Nodes:
    """The numbers of the nodes that a successor found, as its predecessor's recording has them."""

    def __init__(self, found: Contents, left: Contents) -> None:
        theirs = dict(left.paths())
        self._numbers = {node: theirs[path] for path, node in found.paths() if path in theirs} | {ROOT: ROOT}

    def _of(self, node: int) -> int:
        return self._numbers.get(node, _NEW + node)

    def translated(self, operation: Operation) -> Operation:
        if isinstance(operation, Write | Resize):
            return replace(operation, file=self._of(operation.file))
        if isinstance(operation, SetName):
            moved = operation.moved_from
            return replace(
                operation,
                directory=self._of(operation.directory),
                node=None if operation.node is None else self._of(operation.node),
                moved_from=None if moved is None else (self._of(moved[0]), moved[1]),
            )
        assert isinstance(operation, Sync)
        return self.translated_sync(operation)

    def translated_sync(self, sync: Sync) -> Sync:
        return sync if sync.node is None else Sync(self._of(sync.node))
