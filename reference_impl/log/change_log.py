"""Change logs: where the commits of a session are kept, whatever keeps them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Protocol

from strands.types.exceptions import SessionException


class Behind(Exception):
    """Others have written to the log since it was read last."""


class Deleted(SessionException):
    """The session was deleted while it was open: what is there now under its id, if anything, is another one."""


class Gone(SessionException):
    """There is no session, and this log has read none."""


class ChangeLog(Protocol):
    """Where commits are kept, in order. Every method raises ``SessionException`` where that fails.

    A session that is deleted and begun anew under its id lives a second life. A log is that of the life which it read
    or created first: once that is over, every method raises :class:`Deleted`.
    """

    def exists(self) -> bool:
        """Whether the session is there."""

    def create(self, body: bytes) -> bool:
        """Create the session with its first commit, which holds its record; False if it is there already."""

    def withdraw(self) -> None:
        """Remove the session that this log created, unless it was opened or written by others meanwhile."""

    def read(self) -> bytes | bytearray:
        """Return the JSON array of every commit, in order (:func:`.commit_lines.commits_in`). Nothing is written.

        Raises:
            Gone: There is no session, and none was read or created.
        """

    def changed(self) -> bool:
        """Whether others have changed it since it was read or written last."""

    def news(self) -> bytes | None:
        """Return the array of what others appended since it was read or written last; None: it must be read again."""

    def writing(self) -> AbstractContextManager[bool]:
        """Keep other writers out, where that can be; yields whether others have written since it last looked."""

    def append(self, body: bytes, label: str = "") -> None:
        """Append a commit durably, while writing and up to date.

        Args:
            body: Its changes.
            label: Its id and parts (:func:`.commit_lines.commit_label`), by which it is known again.

        Raises:
            Behind: Others have written, and nothing was appended.
        """

    def make_durable(self) -> None:
        """Make all durable that was read, while writing and up to date: a commit of one's own is told to be stored."""

    def rewrite(self, bodies: list[bytes], change: bytes, touched: Collection[int] | None, label: str = "") -> None:
        """Replace all commits durably, while writing and up to date, and leave nothing of those that must go.

        Args:
            bodies: The new commits.
            change: The commit that, appended, would add up to the same history.
            touched: Which of the commits that were read must go; all of them if None.
            label: The id of the commit ``change``.

        Raises:
            Behind: Others have written, and nothing was replaced.
        """

    def compact_if_due(self, fold: Callable[[bytearray], list[bytes]]) -> None:
        """Fold the commits if they have outgrown what they add up to, beside whoever writes.

        Args:
            fold: Returns the bodies of the fewest commits that add up to those in an array.
        """

    def rest(self) -> None:
        """No longer count as a user of it, until it is read or written again."""

    def close(self) -> None:
        """Let go of it."""
