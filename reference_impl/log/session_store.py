"""A session in storage: its history read at once, its changes committed in order, retried until they are stored."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from strands.types.exceptions import SessionException

from .change_log import Behind, ChangeLog
from .codec import UnstorableError, decode, encode
from .commit_lines import bodies_of, commits_in
from .forking import begin_anew_in_children
from .history import Change, SessionHistory, message_replaced
from .session_index import SessionIndex


class Ticket:
    """Changes that wait to be committed together, and what became of them.

    Attributes:
        changes: The changes.
        refused: Those of them that cannot be encoded, and will never be stored.
        done: Gets None when they are durable, or the exception that says why they are not.
    """

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = changes
        self.refused: list[Change] = []
        self.done: Future[None] = Future()


@dataclass(frozen=True)
class Redaction:
    """A message that is to take the place of others for good.

    Attributes:
        agent_id: Whose messages.
        message: What takes their place.
        at: When, in ISO 8601.
        ids: The ids of what is replaced, as far as they are known.
        tracking_ids: The tracking ids of what is replaced.
    """

    agent_id: str
    message: Any
    at: str
    ids: frozenset[int]
    tracking_ids: frozenset[str]


class SessionStore:
    """One session over a change log. Thread-safe.

    What an agent holds in memory is not held here a second time: of the messages only ids and tracking ids are kept.

    Args:
        log: Where the commits are kept.
        session_id: The session's id, for errors.
    """

    def __init__(self, log: ChangeLog, session_id: str) -> None:
        self._log = log
        self._session_id = session_id
        self._lock = threading.RLock()
        self._queue: deque[Ticket] = deque()
        self._unwritten: list[tuple[Change, bytes]] = []  # each as the body of a commit of its own
        self._attempts: list[tuple[bytes, int]] = []  # commits that failed, and how many of the unwritten each had
        self._redactions: deque[Redaction] = deque()
        self._loaded = False
        self._steady = False
        self._view: SessionHistory | None = None
        self._index = SessionIndex()
        begin_anew_in_children(self)

    def leave_to_parent(self) -> None:
        """Begin anew in a child that was forked: what is in line is the parent's to write, and its lock may be held."""
        self._lock = threading.RLock()
        self._queue.clear()
        self._unwritten.clear()
        self._attempts.clear()
        self._redactions.clear()
        self._loaded, self._view = False, None

    # -- reading -------------------------------------------------------------------------------------------

    def exists(self) -> bool:
        """Whether the session is there."""
        return self._log.exists()

    def view(self) -> SessionHistory:
        """Return the whole history. Its messages belong to the caller, who must :meth:`release` what it hands on."""
        with self._lock:
            if self._view is None or (not self._steady and self._log.changed()):
                self._view = self._load()
            return self._view

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Look only once whether others have changed the session, and not at each :meth:`view`."""
        with self._lock:
            if self.exists():
                self.view()
            self._steady = True
            try:
                yield
            finally:
                self._steady = False

    def release(self) -> None:
        """Drop the history that :meth:`view` returned: its messages now belong to somebody else."""
        with self._lock:
            self._view = None

    @property
    def index(self) -> SessionIndex:
        """What is known of the stored messages without their content.

        Once the session was read, this never waits: a worker thread may hold the lock for as long as storage takes.
        """
        if not self._loaded:
            self.view()
        return self._index

    def has_unwritten(self) -> bool:
        """Whether changes are in line, or on their way, or could not be written so far. Never waits."""
        return bool(self._queue or self._unwritten or self._redactions)

    def is_in_line(self, agent_id: str, tracking_id: str) -> bool:
        """Whether a message waits to be stored. Never waits; what is no longer in line is in the :attr:`index`."""
        return any(message.get("tracking_id") == tracking_id for message in self._in_line(agent_id))

    def _in_line(self, agent_id: str) -> list[Any]:
        """Return the messages of an agent that wait to be stored, in order."""
        queued = [change for ticket in list(self._queue) for change in ticket.changes]
        changes = [*(change for change, _ in list(self._unwritten)), *queued]
        return [change["message"] for change in changes if change["op"] == "message" and change["agent_id"] == agent_id]

    def _load(self) -> SessionHistory:
        array = self._log.read()
        self._forget_attempt(array)
        commits = self._decode(array)
        del array
        history = SessionHistory()
        with self._unreadable():
            for changes in commits:
                for change in changes:
                    history.apply_one(change)
        self._check_owner(history)
        self._index = SessionIndex(history)
        self._loaded = True
        return history

    def _forget_attempt(self, array: bytes | bytearray) -> None:
        """Take a commit whose durability could not be told when it was made out of line, if it was made after all."""
        for attempt, count in self._attempts:
            if attempt in bodies_of(array):
                del self._unwritten[:count]
                self._attempts.clear()
                return

    def _decode(self, array: bytes | bytearray) -> list[list[Change]]:
        with self._unreadable():
            return commits_in(decode(array))

    @contextmanager
    def _unreadable(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SessionException(
                f"session {self._session_id!r}: a stored change cannot be read: {error!r}"
            ) from error

    def _check_owner(self, history: SessionHistory) -> None:
        found = history.session.get("session_id")
        if found != self._session_id:
            raise SessionException(f"session {self._session_id!r}: what is stored there is session {found!r}")

    # -- writing -------------------------------------------------------------------------------------------

    def create(self, history: SessionHistory) -> bool:
        """Create the session with a history; False if another process was first."""
        return self._log.create([encode([change]) for change in history.changes()])

    def submit(self, changes: Sequence[Change]) -> Ticket:
        """Put changes in line, behind those that were put there before. They are committed by :meth:`drain`."""
        ticket = Ticket(changes)
        self._queue.append(ticket)
        return ticket

    def drain(self, ticket: Ticket | None = None) -> None:
        """Commit everything in line at once, and return when it is durable.

        What cannot be encoded is refused for good. What cannot be written stays in line and is written with the next
        commit, in order: storage then holds what the agent's memory holds.

        Raises:
            SessionException: The ticket's changes were refused, or could not be written.
        """
        with self._lock:
            if ticket is None:
                self._commit_queue()
            elif not ticket.done.done():
                with suppress(SessionException):  # which the ticket has, if it is the ticket's
                    self._commit_queue()
        if ticket is not None:
            ticket.done.result()

    def commit(self, changes: Sequence[Change]) -> None:
        """Commit changes behind all that is in line.

        Raises:
            SessionException: They were refused, or could not be written.
        """
        self.drain(self.submit(changes))

    def _commit_queue(self) -> None:
        """Commit everything in line, tell the tickets, and make the redactions that could not be made before.

        Raises:
            SessionException: Storage failed.
        """
        waiting: list[tuple[Ticket, UnstorableError | None]] = []
        while self._queue:
            ticket = self._queue[0]
            refusal = None
            for change in ticket.changes:
                try:
                    self._unwritten.append((change, encode([change])))
                except UnstorableError as error:  # what goes with it can be stored all the same
                    refusal = refusal or error
                    ticket.refused.append(change)
            waiting.append((ticket, refusal))
            self._queue.popleft()  # only now, so that has_unwritten() has no gap
        try:
            if self._unwritten:
                self._write()
            self._redact()
        except SessionException as failure:
            for ticket, refusal in waiting:
                ticket.done.set_exception(refusal or failure)
            raise
        for ticket, refusal in waiting:
            if refusal is None:
                ticket.done.set_result(None)
            else:
                ticket.done.set_exception(refusal)

    def _write(self) -> None:
        written = False
        while not written:
            with self._log.writing() as behind:
                if behind or not self._loaded or self._attempts:
                    self._catch_up()
                try:
                    if self._unwritten:
                        attempt = _joined([body for _, body in self._unwritten])
                        self._attempts.append((attempt, len(self._unwritten)))
                        self._log.append(attempt)
                    written = True
                except Behind:
                    self._catch_up()
        self._index.note(change for change, _ in self._unwritten)
        self._unwritten.clear()
        self._attempts.clear()
        self._view = None

    def _catch_up(self) -> None:
        """Note what others have written meanwhile."""
        news = self._log.news() if self._loaded else None
        if news is None:
            self._load()
            return
        self._view = None
        self._forget_attempt(news)
        for changes in self._decode(news):
            self._index.note(changes)

    def redaction_of_latest(self, agent_id: str, message: Any, at: str) -> Redaction | None:
        """Return the redaction of an agent's latest message, stored or in line; None where it has no message.

        Args:
            agent_id: The agent.
            message: What takes its place, and that of any other with the same tracking id.
            at: When, in ISO 8601.
        """
        with self._lock:
            if any(not waiting.get("tracking_id") for waiting in self._in_line(agent_id)[-1:]):
                self._commit_queue()  # only when it is stored will it have something by which it can be found
            in_line, last = self._in_line(agent_id), self.index.last_id(agent_id)
            if in_line:
                ids, latest = frozenset[int](), in_line[-1]["tracking_id"]
            elif last is not None:
                ids, latest = frozenset({last}), self.index.tracking_id(agent_id, last)
            else:
                return None
        tracking_ids = frozenset(name for name in (latest, message.get("tracking_id")) if name)
        return Redaction(agent_id, message, at, ids, tracking_ids)

    def redact(self, redaction: Redaction) -> None:
        """Make a redaction: nothing of what it replaces stays in storage. Where storage fails, it is made later.

        Raises:
            SessionException: Storage failed.
        """
        with self._lock:
            self._redactions.append(redaction)
            self._commit_queue()

    def _redact(self) -> None:
        while self._redactions:
            due = self._redactions[0]
            ids = {*due.ids, *(id for name in due.tracking_ids for id in self.index.ids(due.agent_id, name))}
            if ids:  # else what it was about was refused
                self._replace([message_replaced(due.agent_id, due.message, due.at, id) for id in sorted(ids)])
            self._redactions.popleft()

    def replace_for_good(self, changes: Sequence[Change]) -> None:
        """Replace messages: nothing of what they replace stays in storage.

        Raises:
            SessionException: It cannot be read or written.
        """
        with self._lock:
            self._commit_queue()
            self._replace(changes)

    def _replace(self, changes: Sequence[Change]) -> None:
        replaced = False
        while not replaced:
            with self._log.writing():
                history = SessionHistory()
                commits = self._decode(self._log.read())
                with self._unreadable():
                    touched = [history.apply(changes) for changes in commits]
                self._check_owner(history)
                gone = history.apply(changes)
                try:
                    self._log.rewrite(
                        [encode([change]) for change in history.changes()],
                        encode(list(changes)),
                        [number for number, messages in enumerate(touched) if messages & gone],
                    )
                    replaced = True
                except Behind:
                    continue
        self._index = SessionIndex(history)
        self._loaded, self._view = True, None

    def rest(self) -> None:
        """No longer count as a user of the session, until it is read or written again."""
        self._log.rest()

    def close(self) -> None:
        """Let go of the session."""
        self._log.close()


def _joined(bodies: list[bytes]) -> bytes:
    """Return one commit of several: JSON lists joined into one."""
    return b"[" + b",".join(body[1:-1] for body in bodies) + b"]"
