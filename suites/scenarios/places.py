"""Where a session's data lies: whose it is, and how its folder is named."""

from __future__ import annotations

import gc
import itertools
import json
import locale
import os
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from session_conformance.harness import (
    NotApplicable,
    Script,
    Session,
    Timeline,
    Workspace,
    expect_no_failure,
    play,
    violated,
)
from session_conformance.harness.backends import looked_at
from session_conformance.harness.conversations import Die, fault_of_parent, in_fresh_process, making_faults
from session_conformance.harness.scripts import StorageFails, StorageWorks
from session_conformance.harness.sdk import SessionManager
from session_conformance.harness.timeline import Event, Failed, texts

from .stored_history import expect_readable
from .whole_sessions import delete

_USUAL = 0o022
"""The umask of most systems, which leaves what is made readable to everybody."""

StorageFault = Callable[[], AbstractContextManager[object]]

_LONG_S = 120.0
"""How long a process may do nothing while it tries to store: a manager on a server tries again, and waits for that."""

_DESCRIPTORS = Path("/proc/self/fd")


def expect_private(session: Session) -> None:
    """Store a session under a umask of 022, and report a violation if others than its owner can read a file of it.

    A file that lies in a folder that others cannot enter is private, whatever its own permissions say.
    """
    before = os.umask(_USUAL)
    try:
        expect_no_failure(play(session, Script().user("for me alone"), observing=False))
    finally:
        os.umask(before)
    root = session.workspace.folder
    open_to_others = looked_at(
        lambda: [path.relative_to(root) for path in sorted(root.rglob("*")) if _others_can_read(path, root)]
    )
    if open_to_others:
        violated(
            "what is stored can be read by its owner alone",
            f"others can read {', '.join(map(str, open_to_others[:5]))}",
        )


def _others_can_read(path: Path, root: Path) -> bool:
    if not path.is_file() or not path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return False
    folders = [folder for folder in path.parents if root in folder.parents]
    return all(folder.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH) for folder in folders)


def expect_folder_of_when_it_was_made(session: Session) -> None:
    """Give a manager a relative folder, change the process's folder, and talk; the session lies where it was made.

    Raises:
        Violation: It does not.
    """
    timeline = Timeline.from_json(in_fresh_process(_talk_elsewhere, session, str(session.workspace.folder)))
    expect_no_failure(timeline)
    found = session.read()
    expect_readable(found, "in the folder that was meant when the manager was made", timeline)
    if texts(found.messages) != ["said elsewhere"]:
        violated("the session lies in the folder that was meant when the manager was made",
                 f"what is found there is {texts(found.messages)}", timeline)  # fmt: skip


def _talk_elsewhere(session: Session, _: Die, folder: str) -> str:
    place = Path(folder)
    other = place.parent / f"{place.name}-elsewhere"
    other.mkdir(exist_ok=True)
    os.chdir(place.parent)
    here = replace(session, workspace=replace(session.workspace, folder=Path(place.name)))

    def opened(session_id: str, workspace: Workspace) -> SessionManager[Any]:  # on the thread that uses it
        manager = session.backend.open(session_id, workspace)
        os.chdir(other)
        return manager

    here = replace(here, backend=replace(here.backend, open=opened))
    return play(here, Script().user("said elsewhere"), observing=False).to_json()


def expect_folder_behind_link(session: Session) -> None:
    """Give a manager a folder that is a symbolic link; it is that folder, and what is deleted is gone from it.

    Raises:
        Violation: The session cannot be opened, or is not in the folder that the link leads to.
    """
    real = session.workspace.folder
    link = real.parent / f"{real.name}-link"
    try:
        link.symlink_to(real, target_is_directory=True)
    except OSError as error:
        raise NotApplicable(f"no symbolic link can be made here: {error}") from error
    there = replace(session, workspace=replace(session.workspace, folder=link))
    for text in ("one", "two"):
        expect_no_failure(play(there, Script().user(text), observing=False))
    found = session.read()
    expect_readable(found, "in the folder that a symbolic link leads to")
    if texts(found.messages) != ["one", "two"]:
        violated("a folder behind a symbolic link is that folder", f"what is found there is {texts(found.messages)}")
    if session.backend.delete is not None:
        delete(there)
        left = [path for path, data in session.workspace.stored_files().items() if b'"two"' in data]
        if left:
            violated("a session that is deleted through a symbolic link is gone", f"it is still in {', '.join(left)}")


def expect_no_leaks(session: Session, few: int, many: int, fault: StorageFault | None) -> None:
    """Let one process use sessions and let go of them, and fail to store messages of another one, again and again.

    Descriptors and threads do not grow with the number of either.

    Args:
        session: The session.
        few: How many sessions, and failures, there are when it is counted first.
        many: How many there are when it is counted again.
        fault: What lets nothing be stored, where this process alone can make it: on S3, and on servers.

    Raises:
        Violation: They do.
    """
    if not _DESCRIPTORS.is_dir():
        raise NotApplicable("the descriptors of a process cannot be counted here")
    with ExitStack() as faults:
        asked = [] if fault is None else [faults.enter_context(making_faults(fault))]
        counted = in_fresh_process(_count, session, few, many, *asked, limit_s=_LONG_S)
    counts_or_failure = json.loads(counted)
    if isinstance(counts_or_failure, str):
        expect_no_failure(Timeline.from_json(counts_or_failure))
    used, failed = counts_or_failure
    for how, one, counts in (("sessions that were used and let go of", "sessions", used),
                             ("messages that could not be stored", "failures", failed)):  # fmt: skip
        for what, before, after in zip(("descriptors", "threads"), *counts, strict=True) if counts else ():
            if after - before >= (many - few) / 4:
                violated(f"{what} do not grow with the {how}",
                         f"after {few} {one} there are {before}, after {many} there are {after}")  # fmt: skip


def _count(session: Session, _: Die, few: int, many: int, faults: Connection | None = None) -> str:
    used: list[list[int]] = []
    gc.collect()
    gc.freeze()  # what is there now is not looked at again, so that what follows costs next to nothing
    for number in range(many):
        place = replace(session, session_id=f"{session.session_id}-{number}")
        timeline = play(place, Script().user("hello"), observing=False)
        if timeline.of(Failed):
            return json.dumps(timeline.to_json())
        gc.collect()  # an engine keeps as many descriptors as it ever needed at once: that hangs on the collector
        if number + 1 in (few, many):
            used.append(_descriptors_and_threads())
    failed: list[list[int]] = []
    failures = itertools.count(1)

    def heard(event: Event) -> None:
        if isinstance(event, Failed) and next(failures) in (few, many):
            failed.append(_descriptors_and_threads())

    script = Script().user("hello").then(StorageFails())
    for number in range(many):
        script = script.user(f"unheard {number}")
    fault = None if faults is None else fault_of_parent(faults)
    play(session, script.then(StorageWorks()), observing=False, on_record=heard, storage_fault=fault)
    return json.dumps([used, failed if len(failed) == 2 else []])


def _descriptors_and_threads() -> list[int]:
    gc.collect()
    return [len(list(_DESCRIPTORS.iterdir())), threading.active_count()]


_OF_THE_WORLD = ("Grüße aus Köln", "世界 \U0001f642", "Что нового?")


def expect_same_in_any_locale(session: Session) -> None:
    """Let a process in the C locale read what one in another locale has stored, and the other way round.

    Raises:
        Violation: One of them reads something else than was said, or cannot read it, or store it.
        NotApplicable: This interpreter takes all text for UTF-8, whatever the locale.
    """
    if sys.flags.utf8_mode:
        raise NotApplicable("this interpreter takes all text for UTF-8, whatever the locale (PYTHONUTF8)")
    said = list(_OF_THE_WORLD)
    # in a process of its own as well: a store that locks its file lets nobody else in while this process has it open
    expect_no_failure(Timeline.from_json(in_fresh_process(_talk_in_locale_of_run, session)))
    there = Timeline.from_json(in_fresh_process(_talk_in_c_locale, session))
    expect_no_failure(there)
    found = session.read()
    expect_readable(found, "after a process in the C locale has written it", there)
    if texts(found.messages) != said[:2] or found.state != {said[1]: said[2]}:
        violated(
            f"whatever the locale of who reads and who writes, the session has {said[:2]} and the state"
            f" {{{said[1]!r}: {said[2]!r}}}",
            f"it has {texts(found.messages)} and the state {found.state!r}",
            there,
        )


def _talk_in_locale_of_run(session: Session, _: Die) -> str:
    text, name, value = _OF_THE_WORLD
    return play(session, Script().sets_state(name, value).user(text), observing=False).to_json()


def _talk_in_c_locale(session: Session, _: Die) -> str:
    locale.setlocale(locale.LC_ALL, "C")  # from here on Python's open() takes text for ASCII
    return play(session, Script().user(_OF_THE_WORLD[1]), observing=False).to_json()


__all__ = [
    "expect_folder_behind_link",
    "expect_folder_of_when_it_was_made",
    "expect_no_leaks",
    "expect_private",
    "expect_same_in_any_locale",
]
