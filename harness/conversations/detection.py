"""Detecting what a backend can do, by trying it in a workspace of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from ..backends import Backend, Capability, Interface, Workspace, repository_of
from ..models import ScriptedTextModel
from ..process import Hang, storage_faults, within_limit
from ..scripts import Script
from ..sdk import HookRegistry, MultiAgentInitializedEvent, SdkLacks
from ..timeline import Timeline
from .bidi import Session
from .playing import play
from .teams import Team
from .text_agent import TextAgent

T = TypeVar("T")


def detect(backend: Backend, workspace: Workspace) -> frozenset[Capability]:
    """Return the capabilities of a backend: those that it declares, or else those that a short conversation shows.

    Args:
        backend: The backend.
        workspace: A fresh workspace, used for nothing else.
    """
    if backend.capabilities is not None:
        return backend.capabilities
    found: set[Capability] = set()
    for capability, operation in (
        (Capability.DELETE, backend.delete),
        (Capability.CLEAN_UP, backend.clean_up),
        (Capability.LISTING, backend.list_sessions),
        (Capability.REPAIR, backend.repair),
    ):
        if operation is not None:
            found.add(capability)
    if backend.on_s3:
        found.add(Capability.S3)
    if backend.spec is not None and not backend.in_process:
        found.add(Capability.FRESH_PROCESS)
    session, timeline = _tried(Session(backend, workspace, "detection"))
    if any(workspace.stored_files().values()):
        found.add(Capability.ON_DISK)
    if any(workspace.stored().values()):
        found.add(Capability.AT_REST)
    # A manager that locks its session may let go of it as soon as the agent stops, so stop hooks say nothing.
    readings = [call.stored for call in timeline.hooks("message_added") if call.stored is not None]
    refused_beside = bool(readings) and all(reading.error is not None for reading in readings)
    readable_alone = _ends(lambda: session.read().error is None, "restoring", otherwise=True)
    if not (refused_beside and readable_alone):
        found.add(Capability.READ_BESIDE_WRITER)
    if _ends(lambda: _takes_teams(backend, workspace), "making a team", otherwise=True):
        found.add(Capability.MULTI_AGENT)
    if {Capability.ON_DISK, Capability.FRESH_PROCESS} <= found and storage_faults.SUPPORTED:
        found.add(Capability.STORAGE_FAULTS)
    if backend.on_s3:
        found.add(Capability.STORAGE_FAULTS)
    if any(place.seam.traffic.exchanges for place in workspace.places):
        found |= {Capability.SERVER, Capability.STORAGE_FAULTS}
    none: set[Capability] = set()
    return frozenset(found | _ends(lambda: _interfaces(backend, workspace), "opening a session", none))


def _ends(work: Callable[[], T], what: str, otherwise: T) -> T:
    """Return what work returns, or something else where it never ends, which is for the requirements to say."""
    try:
        return within_limit(work, what)
    except Hang:
        return otherwise


def _tried(session: Session) -> tuple[Session, Timeline]:
    """Play a short conversation: with a text agent where the installed SDK lets the manager refuse voice agents."""
    try:
        try:
            return session, play(session, Script().user("one").user("two"))
        except SdkLacks:
            session = replace(session, text_agent=TextAgent())
            return session, play(session, Script().user("one").assistant("two").user("three").assistant("four"))
    except Hang:
        return session, Timeline()


class _Registrations(HookRegistry):
    """A registry that notes for which events something was registered."""

    def __init__(self) -> None:
        super().__init__()
        self.events: set[Any] = set()

    def add_callback(self, event_type: Any, callback: Any, **options: Any) -> None:
        self.events.update(event_type if isinstance(event_type, list) else [event_type])
        super().add_callback(event_type, callback, **options)


def _takes_teams(backend: Backend, workspace: Workspace) -> bool:
    """Whether a manager wants to hear of graphs and swarms, and does not refuse one.

    The SDK's base class registers for them, and raises ``NotImplementedError`` where a manager does not override what
    it then calls. Any other error is no reason to ask nothing of a manager.
    """
    try:
        manager = backend.open_manager("detection-team", workspace)
        registrations = _Registrations()
        manager.register_hooks(registrations)
        if MultiAgentInitializedEvent not in registrations.events:
            return False
        Team("graph", ("one",)).build(lambda *_: ScriptedTextModel(Timeline()), manager)
    except NotImplementedError:
        return False
    except Exception:
        return True
    return True


def _interfaces(backend: Backend, workspace: Workspace) -> set[Capability]:
    """Return which of the SDK's other interfaces a backend has."""
    found: set[Capability] = set()
    if backend.repository is not None:
        found.add(Capability.REPOSITORY)
    if backend.storage is not None:
        found.add(Capability.STORAGE)
    try:
        manager = backend.open_manager("detection", workspace)
    except Exception:  # whether it should open is for the requirements to say
        return found
    if backend.interface is Interface.MANAGER and repository_of(manager) is not None:
        found.add(Capability.REPOSITORY)
    if all(callable(getattr(manager, name, None)) for name in _OF_SNAPSHOTS):
        found.add(Capability.SNAPSHOTS)
    return found


_OF_SNAPSHOTS = ("save_snapshot", "list_snapshot_ids", "restore_snapshot")
