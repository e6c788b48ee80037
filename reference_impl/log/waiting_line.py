"""Waiting lines: changes that wait to be stored, in order, each told what became of it and none stored twice.

An exception may come from anywhere: from a value that is encoded, from storage, and in the main thread from the handler
of a signal, between any two steps. So each step leaves the line in a state from which the next one goes on: a ticket is
taken as a whole or not at all, and what is attempted stays in line, under the id of its commit, until it is known to be
stored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from strands.types.exceptions import SessionException

from .codec import UnstorableError, encode
from .commit_lines import Writer
from .history import Change
from .validity import check_change


class Ticket:
    """Changes that wait to be stored together, and what became of them.

    Attributes:
        changes: The changes.
        refused: Those of them that cannot be stored, and never will be.
        done: Gets None when they are durable, or the exception that says why they are not.
        failures: How often it failed to be encoded for a reason that may have been another's.
    """

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = changes
        self.refused: list[Change] = []
        self.done: Future[None] = Future()
        self.failures = 0

    def tell(self, failure: BaseException | None) -> None:
        """Say what became of the changes, if that was not said yet."""
        if not self.done.done():
            if failure is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(failure)


@dataclass(frozen=True)
class Encoded:
    """A ticket whose changes are encoded.

    Attributes:
        ticket: The ticket.
        changes: Its changes, but for those that were refused, each with the body of a commit of its own.
        refusal: Why some of them were refused, if any.
    """

    ticket: Ticket
    changes: list[tuple[Change, bytes]]
    refusal: UnstorableError | None


@dataclass(frozen=True)
class Attempt:
    """A commit that is attempted.

    Attributes:
        id: Its id, by which it is known again if nobody can say whether it was stored.
        tickets: What it holds: a run of the line, from its front.
    """

    id: str
    tickets: tuple[Encoded, ...]


class WaitingLine:
    """Changes that wait to be stored, in order. :meth:`submit` and the questions may come from any thread at any time.

    Args:
        writer: Whoever stores them.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._queue: deque[Ticket] = deque()
        self._encoded: deque[Encoded] = deque()
        self._attempt: Attempt | None = None
        self._version = 0
        self._names: tuple[object, set[tuple[str, str | None]]] = (None, set())

    def submit(self, changes: Sequence[Change]) -> Ticket:
        """Put changes in line, behind those that were put there before."""
        ticket = Ticket(changes)
        self._queue.append(ticket)
        self._version += 1
        return ticket

    def submit_ahead(self, changes: Sequence[Change]) -> None:
        """Put changes in line ahead of those that were put there before, but for a commit that was attempted.

        Raises:
            UnstorableError: One of them cannot be stored; then none is in line.
        """
        encoded = _encoded(Ticket(changes))
        if encoded.refusal is not None:
            raise encoded.refusal
        attempted = set(map(id, self._attempt.tickets)) if self._attempt is not None else set()
        at = sum(id(one) in attempted for one in self._encoded)
        self._encoded.insert(at, encoded)
        self._version += 1

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._queue or self._encoded)

    @property
    def attempted(self) -> bool:
        """Whether a commit was attempted of which it is not known that it was stored."""
        return self._attempt is not None

    def has_message(self, agent_id: str, tracking_id: str) -> bool:
        """Whether a message waits to be stored."""
        # A signal may have broken something off between a change of the line and its version.
        version = (self._version, len(self._queue), len(self._encoded))
        if self._names[0] != version:
            added = (change for change in self._changes() if change["op"] == "message")
            self._names = (version, {(change["agent_id"], change["message"].get("tracking_id")) for change in added})
        return (agent_id, tracking_id) in self._names[1]

    def messages(self, agent_id: str) -> list[Any]:
        """Return the messages of an agent that wait to be stored, in order."""
        return [c["message"] for c in self._changes() if c["op"] == "message" and c["agent_id"] == agent_id]

    def _changes(self) -> Iterator[Change]:
        queued = list(self._queue)
        for encoded in list(self._encoded):
            yield from (change for change, _ in encoded.changes)
        for ticket in queued:
            yield from ticket.changes

    def take(self) -> None:
        """Encode everything that was submitted. What cannot be stored is refused for good, and holds up nothing else.

        Raises:
            Exception: Something else than the value's own refusal was raised, as the handler of a signal may: its
                ticket stays in line as it was, and is refused if that happens again.
        """
        while self._queue:
            ticket = self._queue[0]
            if not self._encoded or self._encoded[-1].ticket is not ticket:  # else it was taken just before a signal
                self._encoded.append(_encoded(ticket))
            self._queue.popleft()  # only now, so that nothing is missing from the line at any time
            self._version += 1

    def attempt(self) -> Attempt:
        """Return the commit that is next: the one that was attempted last, or all that is in line.

        One that failed is attempted as it was, and the rest follows: an attempt costs the same however long the line.
        """
        if self._attempt is None:
            self._attempt = Attempt(self._writer.next_id(), tuple(self._encoded))
        return self._attempt

    def stored(self) -> None:
        """Take what was attempted out of line, and tell its tickets."""
        attempt = self._attempt
        if attempt is not None:
            for encoded in attempt.tickets:
                encoded.ticket.tell(encoded.refusal)
            there = set(map(id, attempt.tickets))
            rest = deque(encoded for encoded in self._encoded if id(encoded) not in there)
            # At once: an attempt without its tickets would be made again, and tickets without it would be stored twice.
            self._encoded, self._attempt = rest, None
            self._version += 1

    def failed(self, failure: SessionException) -> None:
        """Tell the tickets in line why they are not stored. They stay in line."""
        for encoded in reversed(self._encoded):
            if encoded.ticket.done.done():
                break  # as those before it were told
            encoded.ticket.tell(encoded.refusal or failure)


def _encoded(ticket: Ticket) -> Encoded:
    """Encode a ticket's changes: all of them, or none where an exception comes from elsewhere."""
    refusal = None
    changes: list[tuple[Change, bytes]] = []
    refused: list[Change] = []
    for change in ticket.changes:
        try:
            check_change(change)
            changes.append((change, encode([change])))
        except UnstorableError as error:  # what goes with it can be stored all the same
            refusal = refusal or error
            refused.append(change)
        except Exception as error:
            ticket.failures += 1
            if ticket.failures == 1:
                raise
            refusal = refusal or UnstorableError(f"cannot store a value: encoding it raised {type(error).__name__}")
            refused.append(change)
    ticket.refused = refused
    return Encoded(ticket, changes, refusal)
