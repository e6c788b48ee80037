"""Storage that cannot be read for a moment while a session is opened, by an agent or by a team."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from session_conformance.harness import (
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
from session_conformance.harness.scripts import NodeWill
from session_conformance.harness.timeline import Asked, Failed, NodeRan, TeamEnded, same

from .stored_history import expect_readable

_MOST_CALLS = 12
"""How many of the calls by which a session is opened fail, each once and alone."""


def expect_read_failures_to_be_no_absence(session: Session) -> None:
    """Let each call that opens something for reading fail once, in turn, while a session is opened.

    Raises:
        Violation: What is opened is not all that was stored, and no SDK exception says so; or the next try finds less.
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


def expect_unreadable_teams_to_go_on(session_of: Callable[[Team], Session]) -> None:
    """Let each call that opens something for reading fail once, in turn, while a team is restored that asked the user.

    Either the team goes on all the same, or the application is told and tries again: with the team that it has, if it
    has one, and then with a new one.

    Args:
        session_of: Returns a new session of a team.

    Raises:
        Violation: A node that had ended runs again, or no try goes on.
    """
    for team in (Team("graph"), Team("swarm")):
        for number in range(_MOST_CALLS):
            session = session_of(team)
            timeline = play(session, _ASKS.user("Write a report"), observing=False)
            asked = timeline.of(Asked)
            if not asked:
                violated(f"a {team.kind} asks the user before its second node", "it does not", timeline)
            failing = _FailsOnce(session.workspace.folder, number)
            tries = _Tries(session, asked[-1].interrupts)
            with before_file_calls(READING, tries.until_a_node_begins(failing)):
                tries.go_on()
            if not failing.has_failed:
                break
            tries.go_on_if_it_failed()  # with the same team, if there is one
            tries.go_on_if_it_failed()
            tries.expect_to_have_gone_on(f"a {team.kind}, of which {failing.what} fails for a moment")


_ASKS = Script().then(NodeWill("write", "ask"))


class _Tries:
    """An application's tries to go on with a team that asked the user."""

    def __init__(self, session: Session, asked: Sequence[dict[str, Any]]) -> None:
        self._session = session
        self._asked = asked
        self._timeline = Timeline()
        self._failed = False
        self._team: TeamConversation | None = None

    def until_a_node_begins(self, act: Callable[..., object]) -> Callable[..., None]:
        """Return what does something only as long as the team is being restored."""

        def act_if_restored(*arguments: Any) -> None:
            if not self._timeline.of(NodeRan):
                act(*arguments)

        return act_if_restored

    def go_on_if_it_failed(self) -> None:
        """Try again, if the application was told of a failure."""
        if self._failed:
            self.go_on()

    def go_on(self) -> None:
        """Answer what the team asked: one that is there and has failed is given one more try, and is not used again."""
        team, self._team = self._team, None
        try:
            within_limit(lambda: clock.run(self._answer(team)), "a team that is gone on with")
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            self._timeline.record(Failed.by("opening the team", error))
            self._failed = True

    async def _answer(self, team: TeamConversation | None) -> None:
        told = len(self._timeline.of(Failed))
        is_new = team is None
        if team is None:
            team = TeamConversation(self._session, _ASKS, timeline=self._timeline, process=1, asked=self._asked)
        await team.play(_ASKS.answers("yes"), stop=False)
        self._failed = len(self._timeline.of(Failed)) > told
        self._team = team if is_new and self._failed else None

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
