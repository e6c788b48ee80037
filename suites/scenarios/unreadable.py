"""Storage that cannot be read for a moment while a session is opened, by an agent or by a team."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from session_conformance.harness import (
    NotApplicable,
    Script,
    Session,
    Team,
    Timeline,
    difference,
    expect_no_failure,
    play,
    violated,
)
from session_conformance.harness.conversations import TeamConversation
from session_conformance.harness.process import FROM_OUTSIDE, READING, before_file_calls, clock, within_limit
from session_conformance.harness.s3 import Fault, Request
from session_conformance.harness.s3 import Seam as S3Seam
from session_conformance.harness.scripts import NodeWill
from session_conformance.harness.services import WireFault
from session_conformance.harness.timeline import Asked, Failed, NodeRan, TeamEnded, same

from .fault_places import kind_of_request
from .on_the_wire import faults
from .stored_history import expect_readable

_MOST_CALLS = 12
"""How many of the calls by which a session is opened fail, each once and alone."""

_SWARMS_STEP = 3
"""Of the calls that fail for a graph, each of so many fails for a swarm: a manager reads the state of both alike."""


def expect_read_failures_to_be_no_absence(session: Session) -> None:
    """Let each call that opens something for reading fail once, in turn, while a session is opened.

    Raises:
        Violation: What is opened is not all that was stored, and no SDK exception says so; or the next try finds less.
        NotApplicable: Nothing can be made to fail.
    """
    said = Script().user("one").assistant("two").sets_state("seat", "12A").user("three")
    expect_no_failure(play(session, said, observing=False))
    stored = session.read()
    expect_readable(stored, "after a conversation")
    for number in range(_MOST_CALLS):
        failing = _FailsOnce(session.workspace.folder, number)
        with before_file_calls(READING, failing):
            found = session.read()
        if not failing.has_failed:
            _expect_any(number)
            return
        what = f"where {failing.what} fails for a moment"
        if found.error is not None and not found.is_clear:
            violated(f"{what}, opening a session gives an SDK exception", f"it raises {found.error}")
        differs = difference(stored.messages, found.messages)
        if found.error is None and differs is not None:
            violated(
                f"{what}, opening a session restores all of it, or raises",
                f"it restores a history that differs: {differs}",
            )
        again = session.read()
        expect_readable(again, f"after {failing.what} failed for a moment")
        differs = difference(stored.messages, again.messages)
        if differs is not None or not same(stored.state, again.state):
            violated(f"{what}, the next try restores all", differs or f"the state is {again.state}")


def expect_unreadable_teams_to_go_on(session_of: Callable[[Team], Session], s3: S3Seam | None = None) -> None:
    """Let each call that reads fail, in turn, while a team is restored that asked the user.

    Either the team goes on all the same, or the application is told and tries again: with the team that it has, if it
    has one, and then with a new one.

    Args:
        session_of: Returns a new session of a team, in files, on servers or in a bucket.
        s3: What stands before S3, if it is there.

    Raises:
        Violation: A node that had ended runs again, or no try goes on.
        NotApplicable: Nothing can be made to fail.
    """
    for team, step in ((Team("graph"), 1), (Team("swarm"), _SWARMS_STEP)):
        for number in range(0, _MOST_CALLS, step):
            session = session_of(team)
            timeline = play(session, _ASKS.user("Write a report"), observing=False)
            asked = timeline.of(Asked)
            if not asked:
                violated(f"a {team.kind} asks the user before its second node", "it does not", timeline)
            tries = _Tries(session, asked[-1].interrupts)
            with _unreadable(session, s3, number, tries.is_first_restore) as failed:
                tries.go_on()
            if not failed:
                _expect_any(number)
                break
            if tries.has_failed:
                tries.go_on()
            tries.expect_to_have_gone_on(f"a {team.kind}, where {failed[0]} fails for a moment")
            session.workspace.drop()


def _expect_any(failures: int) -> None:
    """Raise where nothing could be made to fail: what was looked at then says nothing.

    Raises:
        NotApplicable: There was no failure.
    """
    if not failures:
        raise NotApplicable("none of what it reads can be made to fail: no call of Python's, and no request, reads it")


@contextmanager
def _unreadable(
    session: Session, s3: S3Seam | None, number: int, is_restored: Callable[[], bool]
) -> Iterator[list[str]]:
    """Let one call that reads fail as long as something is restored, or what a server, or S3, is asked from one on.

    Args:
        session: What is restored.
        s3: What stands before S3, if it is there.
        number: How many calls, or exchanges, come before.
        is_restored: Whether it is being restored still.

    Yields:
        What has failed, in words.
    """
    failed: list[str] = []
    if s3 is not None:

        def fails(exchange: int, request: Request) -> Fault | None:
            if exchange < number or request.method not in ("GET", "HEAD") or not is_restored():
                return None
            failed.append(f"{request.operation}, as all that is read from then on,")
            return Fault.DENIED  # which no client sends again: what it may send again may be used up for later requests

        with s3.faults(session.workspace.values["bucket"], fails):
            yield failed
    elif session.workspace.places:
        kinds: list[tuple[bytes, ...]] = []

        def choose(exchange: int, asked: bytes) -> WireFault | None:
            if exchange < number or not is_restored():
                return None
            if exchange == number:
                kinds.append(kind_of_request(asked))
                failed.append(f"exchange {number + 1} with its server, as all that ask for the same,")
            return WireFault.CUT_BEFORE if kind_of_request(asked) in kinds else None

        with faults(session, choose):
            yield failed
    else:
        failing = _FailsOnce(session.workspace.folder, number)

        def act(*arguments: Any) -> None:
            if is_restored():
                failing(*arguments)

        with before_file_calls(READING, act):
            yield failed
        failed.extend([failing.what] * failing.has_failed)


_ASKS = Script().then(NodeWill("write", "ask"))


class _Tries:
    """An application's tries to go on with a team that asked the user."""

    def __init__(self, session: Session, asked: Sequence[dict[str, Any]]) -> None:
        self._session = session
        self._asked = asked
        self._timeline = Timeline()
        self._has_tried = False
        self.has_failed = False

    def is_first_restore(self) -> bool:
        """Whether the first try has not come further than to restore the team: no node has begun."""
        return not self._has_tried and not self._timeline.of(NodeRan)

    def go_on(self) -> None:
        """Make a team and answer what it asked; where the application is told of a failure, answer it again."""
        self.has_failed = True
        try:
            within_limit(lambda: clock.run(self._answer_twice()), "a team that is gone on with")
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            self._timeline.record(Failed.by("opening the team", error))
        finally:
            self._has_tried = True

    async def _answer_twice(self) -> None:
        team = TeamConversation(self._session, _ASKS, timeline=self._timeline, process=1, asked=self._asked)
        for _ in range(2):
            told = len(self._timeline.of(Failed))
            await team.play(_ASKS.answers("yes"), stop=False)
            self._has_tried = True
            self.has_failed = len(self._timeline.of(Failed)) > told
            if not self.has_failed:
                return

    def expect_to_have_gone_on(self, what: str) -> None:
        begun = [event for event in self._timeline.of(NodeRan) if event.what == "begins"]
        if any(event.node == "plan" for event in begun):
            found = f"these begin: {', '.join(event.node for event in begun)}"
            violated(f"{what}: plan, which had ended, does not run again", found, self._timeline, *begun)
        if not self._timeline.of(TeamEnded):
            failed = self._timeline.of(Failed)
            violated(f"{what}: the next try goes on where it was", "none does", self._timeline, *failed)


class _FailsOnce:
    """Fails one call that concerns a folder, after a number of others."""

    def __init__(self, folder: Path, after: int) -> None:
        self._folder = f"{folder}{os.sep}"
        self._left = after
        self.what = ""
        self.has_failed = False

    def __call__(self, name: str, *arguments: Any) -> None:
        path = os.fsdecode(arguments[0]) if arguments and isinstance(arguments[0], str | bytes | os.PathLike) else ""
        if self.has_failed or not path.startswith(self._folder):
            return
        self._left -= 1
        if self._left < 0:
            self.has_failed = True
            number = errno.EMFILE if "open" in name and len(path) % 2 else errno.EIO
            self.what = f"{name}() of {Path(path).name} ({errno.errorcode[number]})"
            raise OSError(number, os.strerror(number), path)


__all__ = ["expect_read_failures_to_be_no_absence", "expect_unreadable_teams_to_go_on"]
