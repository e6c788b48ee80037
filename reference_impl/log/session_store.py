"""A session in storage: its history read at once, its changes committed in order, retried until they are stored."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from strands.types.exceptions import SessionException

from .change_log import Behind, ChangeLog, Deleted, Gone
from .codec import TooDeepError, UnstorableError, decode, encode
from .collector import collector_at_rest
from .commit_lines import Writer, commit_label, commits_in, ids_in, is_among, latest
from .folding import folded
from .forking import begin_anew_in_children
from .history import Change, SessionHistory, commits_noted, message_replaced, session_created
from .redactions import Redaction, notes_on
from .reentry import expect_not_at_work
from .session_index import SessionIndex
from .takeover import Takeover, expect_known
from .validity import check_change, expect_readable, expect_readable_change
from .waiting_line import Attempt, Ticket, WaitingLine

_NONE: Mapping[str, int] = {}

Beside = Callable[[SessionIndex, Sequence[Change]], list[Change]]
"""Returns what is to be stored with changes, given what the session holds."""


class Beginning(Protocol):
    """What begins a session once something is to be stored in it, and not earlier.

    Attributes:
        index: What the session holds when it has begun, as far as that is known.
    """

    index: SessionIndex

    def begin(self, store: SessionStore) -> Takeover:
        """Create the session, and return what is to be stored in it ahead of everything else.

        Raises:
            SessionException: It cannot be created, or what belongs into it cannot be read.
        """

    def stored(self) -> None:
        """Take notice that this was stored."""


class SessionStore:
    """One session over a change log. Thread-safe.

    What an agent holds in memory is not held here a second time: of the messages only ids and tracking ids are kept.

    Attributes:
        beside: Returns what is to be stored with changes beside them.

    Args:
        log: Where the commits are kept.
        session_id: The session's id, for errors.
    """

    beside: Beside | None = None

    def __init__(self, log: ChangeLog, session_id: str) -> None:
        self._log = log
        self._session_id = session_id
        self._lock = threading.RLock()
        self._writer = Writer()
        self._line = WaitingLine(self._writer)
        self._redactions: deque[Redaction] = deque()
        self._loaded = False
        self._found = ""  # the id of an attempt that was found to be stored
        self._is_sure = True  # whether nothing broke off a commit at a place where it is not known what was stored
        self._steady = False
        self._view: SessionHistory | None = None
        self._index = SessionIndex()
        self._beginning: Beginning | None = None  # until the session has begun
        self._begins = False  # whether what belongs to the beginning is in line
        self._held: dict[tuple[str, str], Any] = {}  # by agent and tracking id, in place of what was redacted
        begin_anew_in_children(self)

    def leave_to_parent(self) -> None:
        """Begin anew in a child that was forked: what is in line is the parent's to write, and its lock may be held."""
        self._lock = threading.RLock()
        self._writer = Writer()
        self._line = WaitingLine(self._writer)
        self._redactions.clear()
        self._loaded, self._view, self._begins = False, None, False

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
            self.found()
            self._steady = True
            try:
                yield
            finally:
                self._steady = False

    def found(self) -> SessionHistory | None:
        """Return the whole history as :meth:`view` does; None where there is no session."""
        with self._lock:
            if self._loaded and not self.exists():
                return None
            try:
                return self.view()
            except Gone:
                return None
            except Deleted:
                if self._loaded or self.exists():
                    raise
                return None

    def release(self) -> None:
        """Drop the history that :meth:`view` returned: its messages now belong to somebody else."""
        with self._lock:
            self._view = None

    @property
    def index(self) -> SessionIndex:
        """What is known of the stored messages without their content.

        Once the session was read, this never waits: a worker thread may hold the lock for as long as storage takes.
        """
        beginning = self._beginning
        if beginning is not None:
            return beginning.index
        if not self._loaded:
            self.view()
        return self._index

    def has_unwritten(self) -> bool:
        """Whether changes are in line, or on their way, or could not be written so far. Never waits."""
        return bool(self._line or self._redactions)

    def is_in_line(self, agent_id: str, tracking_id: str) -> bool:
        """Whether a message waits to be stored. Never waits; what is no longer in line is in the :attr:`index`."""
        return self._line.has_message(agent_id, tracking_id)

    def count_in_line(self, agent_id: str, tracking_id: str) -> int:
        """Return how many messages with a tracking id wait to be stored. Never waits."""
        return sum(message.get("tracking_id") == tracking_id for message in self._line.messages(agent_id))

    def _load(self) -> SessionHistory:
        self._is_sure = False  # the log tells what it has read only once, and that may not be to be opened
        history, stored = SessionHistory(), self._log.read()  # storage may take long, and makes no garbage
        with collector_at_rest():
            array = self._decode(stored)
            with self._unreadable():
                history.apply_all(commits_in(array))
            self._look_for_attempt(array, history.commits)
            del array  # what the collector does not find, it does not look at
        self._check_found(history)
        self._index = SessionIndex(history)
        self._loaded = self._is_sure = True
        return history

    def _look_for_attempt(self, array: list[Any], folded: Mapping[str, int] = _NONE) -> None:
        """Note whether a commit of which nobody could say whether it was stored was stored after all."""
        if self._line.attempted:
            attempt = self._line.attempt()
            if is_among(attempt.id, folded) or is_among(attempt.id, latest(ids_in(array))):
                self._found = attempt.id

    def _decode(self, array: bytes | bytearray) -> list[Any]:
        with self._unreadable():
            return decode(array)  # type: ignore[no-any-return]

    @contextmanager
    def _unreadable(self) -> Iterator[None]:
        try:
            yield
        except (TooDeepError, RecursionError) as error:  # no damage: a repair on this stack would leave it out
            raise SessionException(f"session {self._session_id!r}: cannot be read: {TooDeepError()}") from error
        except (ValueError, KeyError, TypeError, AttributeError, UnstorableError) as error:
            why = error if isinstance(error, UnstorableError) else type(error).__name__
            raise SessionException(
                f"session {self._session_id!r}: a stored change cannot be read ({why}). Nothing was changed. verify()"
                " says more, repair() brings back what can be read"
            ) from error

    def _check_found(self, history: SessionHistory) -> None:
        with self._unreadable():
            found = history.session.get("session_id")
        if found != self._session_id:
            raise SessionException(f"session {self._session_id!r}: what is stored there is session {found!r}")
        with self._unreadable():
            expect_readable(history)
        expect_known(history.session)

    # -- writing -------------------------------------------------------------------------------------------

    def create(self, session: dict[str, Any]) -> bool:
        """Create the session with its record; False if it is there already.

        Raises:
            SessionException: It cannot be stored, or could not be restored.
        """
        change = session_created(session)
        check_change(change)
        with self._lock:
            if not self._log.create(encode([change])):
                return False
            history = SessionHistory(change["session"])
            self._view, self._index = history, SessionIndex(history)
            self._loaded = self._is_sure = True
            return True

    def begin_with(self, beginning: Beginning) -> None:
        """Have the session begun before the first change is stored; until then, nothing of it need be there."""
        self._beginning, self._begins = beginning, False

    def is_to_begin(self) -> bool:
        """Whether the session is yet to be begun with what :meth:`begin_with` was given. Never waits."""
        return self._beginning is not None

    def begin(self) -> None:
        """Begin the session now, if that was put off.

        Raises:
            SessionException: It cannot be begun, or what is in line cannot be written.
        """
        if self._beginning is not None:
            with self._lock:
                self._expect_no_interruption()
                self._begin()
                self._commit_line()

    def _begin(self) -> None:
        if self._beginning is None or self._begins:
            return
        found = self._beginning.begin(self)
        if found.redactions:  # before it is noted that they were seen
            self._replace(found.redactions)
        self._line.submit_ahead(found.changes)
        self._begins = True

    def withdraw(self) -> None:
        """Remove the session that :meth:`create` created, unless it was opened or written by others meanwhile."""
        with self._lock:
            self._log.withdraw()

    def submit(self, changes: Sequence[Change]) -> Ticket:
        """Put changes in line, behind those that were put there before. They are committed by :meth:`drain`."""
        return self._line.submit(changes)

    def drain(self, ticket: Ticket | None = None) -> None:
        """Commit everything in line at once, and return when it is durable.

        What cannot be encoded is refused for good. What cannot be written stays in line and is written with the next
        commit, in order: storage then holds what the agent's memory holds.

        Raises:
            SessionException: The ticket's changes were refused, or could not be written; or this was called by what
                interrupts a commit of the same thread, as the handler of a signal does: that one writes them.
        """
        with self._lock:
            self._expect_no_interruption()
            if ticket is None:
                self._commit_line()
            elif not ticket.done.done():
                with suppress(SessionException):  # which the ticket has, if it is the ticket's
                    self._commit_line()
        if ticket is not None:
            ticket.done.result()

    def commit(self, changes: Sequence[Change]) -> None:
        """Commit changes behind all that is in line.

        Raises:
            SessionException: They were refused, or could not be written.
        """
        self.drain(self.submit(changes))

    def _expect_no_interruption(self) -> None:
        expect_not_at_work(self, "_begin", "_commit_line", "_replace")

    def _commit_line(self) -> None:
        """Commit everything in line, tell the tickets, and make the redactions that could not be made before.

        Raises:
            SessionException: Storage failed.
        """
        try:
            if self._line or self._redactions:
                self._line.take()  # before, so that each in line hears of a failure, or why it is refused
                self._begin()
            while self._line:
                self._line.take()  # again each time: others submit meanwhile, from their threads
                self._write()
                self._line.take()  # what other threads have put in line meanwhile
        except SessionException as failure:
            self._line.failed(failure)
            raise
        self._redact()

    def _write(self) -> None:
        """Store what is next in line: one commit."""
        attempt: Attempt | None = None
        changes: list[Change] = []
        while attempt is None:
            with self._log.writing() as behind:
                if behind or not self._loaded or not self._is_sure or self._line.attempted:
                    self._catch_up()
                attempt = self._line.attempt()
                if attempt.id == self._found:
                    self._log.make_durable()
                    self._note_stored()
                    return
                changes, bodies = self._as_they_may_be_stored(attempt)
                self._is_sure = False
                try:
                    if bodies:
                        parts = [body[1:-1] for body in bodies]
                        self._log.append(b"[" + b",".join(parts) + b"]", commit_label(attempt.id, parts))
                except Behind:
                    attempt = None
                except SessionException:
                    self._is_sure = True
                    raise
        self._index.note(changes)
        self._note_stored()
        self._view = None
        self._is_sure = True
        self._log.compact_if_due(folded)

    def _note_stored(self) -> None:
        beginning = self._beginning
        if beginning is not None and self._begins:
            beginning.stored()
            self._beginning = None  # before anything leaves the line: from here on the index has it
        self._line.stored()

    def _as_they_may_be_stored(self, attempt: Attempt) -> tuple[list[Change], list[bytes]]:
        """Return the changes of a commit, each with its body.

        Others may have redacted messages meanwhile, or may have taken over the same of the SDK's manager.
        """
        changes: list[Change] = []
        bodies: list[bytes] = []
        for encoded in attempt.tickets:
            for change, body in encoded.changes:
                if self._index.is_outdated(change):
                    continue
                allowed = self._index.as_redacted(self._index.placed(change), self._held)
                changes.append(allowed)
                bodies.append(body if allowed is change else encode([allowed]))
        for noted in self.beside(self._index, changes) if self.beside is not None else ():
            changes.append(noted)
            bodies.append(encode([noted]))
        return changes, bodies

    def _catch_up(self) -> None:
        """Note what others have written meanwhile."""
        was_sure, self._view, self._is_sure = self._is_sure, None, False  # the handler of a signal may end this
        news = self._log.news() if self._loaded and was_sure else None
        if news is None:
            self._load()
            return
        array = self._decode(news)
        self._look_for_attempt(array)
        with self._unreadable():
            for changes in commits_in(array):
                for change in changes:
                    expect_readable_change(change)
                self._index.note(changes)
        expect_known(self._index.session)
        self._is_sure = True

    def redaction_of_latest(
        self, agent_id: str, message: Any, at: str, latest: str | None, ids: Sequence[int]
    ) -> Redaction | None:
        """Return the redaction of an agent's latest message, stored or in line; None where it has no message.

        Args:
            agent_id: The agent.
            message: What takes its place, and that of any other with the same tracking id.
            at: When, in ISO 8601.
            latest: The tracking id of what the agent itself added last. Others' messages may be stored behind it.
            ids: The ids under which that is stored. Where it is neither stored nor in line, as one that was refused,
                nothing of it is there to be redacted. Where the agent has added none, the last message is the latest.
        """
        with self._lock:
            if any(not waiting.get("tracking_id") for waiting in self._line.messages(agent_id)[-1:]):
                self._commit_line()  # only when it is stored will it have something by which it can be found
            in_line, last = self._line.messages(agent_id), self.index.last_id(agent_id)
            if ids or latest is not None:
                found = frozenset(ids[-1:])
            elif in_line:
                found, latest = frozenset(), in_line[-1]["tracking_id"]
            elif last is not None:
                found, latest = frozenset({last}), self.index.tracking_id(agent_id, last)
            else:
                return None
        tracking_ids = frozenset(name for name in (latest, message.get("tracking_id")) if name)
        return Redaction(agent_id, message, at, found, tracking_ids)

    def redact(self, redaction: Redaction) -> None:
        """Make a redaction: nothing of what it replaces stays in storage. Where storage fails, it is made later.

        Raises:
            SessionException: Storage failed.
        """
        with self._lock:
            self._redactions.append(redaction)
            self._expect_no_interruption()
            self._commit_line()

    def note_held(self, agent_id: str, tracking_ids: Collection[str] | None = None) -> None:
        """Note that an agent holds messages that were redacted as they are stored.

        Args:
            agent_id: The agent.
            tracking_ids: Theirs; those of all that were redacted where it is None.
        """
        with self._lock:
            for name, note in self._index.redacted(agent_id).items():
                if tracking_ids is None or name in tracking_ids:
                    self._held[agent_id, name] = note["message"]

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
            self._expect_no_interruption()
            self._begin()
            self._commit_line()
            self._replace(changes)

    def _replace(self, changes: Sequence[Change]) -> None:
        replaced = False
        while not replaced:
            with self._log.writing():
                history = SessionHistory()
                array = self._decode(self._log.read())
                with self._unreadable():
                    touched = [history.apply(changes) for changes in commits_in(array)]
                self._check_found(history)
                self._expect_all(changes, history)
                # What the log has read it tells no more: it is known from here on, also where storage fails.
                self._index, self._loaded, self._view, self._is_sure = SessionIndex(history), True, None, False
                notes = notes_on(changes, history)
                gone = history.apply(changes)
                history.apply(notes)
                history.apply_one(commits_noted(latest(ids_in(array))))
                with self._unreadable():
                    whole = [encode([change]) for change in history.changes()]
                try:
                    self._log.rewrite(
                        whole,
                        encode([*changes, *notes]),
                        [number for number, messages in enumerate(touched) if messages & gone],
                        self._writer.next_id(),
                    )
                    replaced = True
                except Behind:
                    continue
        self._index, self._is_sure = SessionIndex(history), True

    def _expect_all(self, changes: Sequence[Change], history: SessionHistory) -> None:
        for change in changes:
            agent = history.agents.get(change["agent_id"])
            if agent is None or change["id"] not in agent.messages:
                raise SessionException(
                    f"session {self._session_id!r}: message {change['id']} of agent {change['agent_id']!r} was stored,"
                    " and is not in what storage lists now. It was not replaced; a redaction is tried again with the"
                    " next change"
                )

    def rest(self) -> None:
        """No longer count as a user of the session, until it is read or written again."""
        self._log.rest()

    def close(self) -> None:
        """Let go of the session."""
        self._log.close()
