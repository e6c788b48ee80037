"""At rest: what is done to bytes on their way to storage and back, such as encryption with a key for each session."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection
from typing import Any, Protocol, cast

from strands.types.exceptions import SessionException

from .change_log import ChangeLog
from .codec import decode, encode
from .commit_lines import ID_LENGTH, commit_label, with_bodies
from .takeover import MARK

_SEALED = b'[{"op":"sealed","data":"'
_SEALED_MARK = b'"%b":{"sealed":"' % MARK.encode()
_IN_CLEAR = {"session", "commits"}
"""The kinds of changes that are not sealed: ids and times, by which sessions are listed and cleaned up with no key.

But for the mark that an import leaves in the session's record: it has digests of states, and whoever has the digest of
something short, such as a PIN, finds out what it is by trying.
"""


class AtRest(Protocol):
    """Seals the bytes of a session for storage, and opens them again.

    Two calls of :meth:`seal` with the same bytes may return different ones, and they may be longer. Both are called
    from several threads.
    """

    def seal(self, data: bytes, session_id: str) -> bytes:
        """Return what is to be stored for some bytes of a session.

        Raises:
            Exception: It cannot be sealed; nothing is stored then.
        """

    def open(self, data: bytes, session_id: str) -> bytes:
        """Return the bytes that :meth:`seal` was given.

        Raises:
            Exception: They cannot be had: the key is gone, or they were sealed with another, or for another session.
        """


def sealing(log: ChangeLog, at_rest: AtRest | None, session_id: str) -> ChangeLog:
    """Return a log whose commits are sealed in storage; the log itself where nothing is to be done to them."""
    return log if at_rest is None else cast("ChangeLog", _SealingLog(log, at_rest, session_id))


def sealed(body: bytes, at_rest: AtRest | None, session_id: str) -> bytes:
    """Return the body of a commit as it is stored.

    Raises:
        SessionException: It cannot be sealed.
    """
    if at_rest is None:
        return body
    try:
        if _is_in_clear(body):
            return _with_marks(body, lambda mark: {"sealed": _text(at_rest.seal(encode(mark), session_id))})
        return b'%b%b"}]' % (_SEALED, _text(at_rest.seal(body, session_id)).encode())
    except Exception as error:
        raise SessionException(f"session {session_id!r}: cannot be sealed: {error!r}. Nothing was stored") from error


def opened(body: bytes, at_rest: AtRest | None, session_id: str) -> bytes:
    """Return the body of a commit as it was before it was sealed. What was stored in clear stays as it is.

    Raises:
        SessionException: It cannot be opened.
    """
    is_sealed = body.startswith(_SEALED)
    if not is_sealed and not (_SEALED_MARK in body and _is_in_clear(body)):
        return body
    if at_rest is None:
        raise SessionException(f"session {session_id!r} is sealed: give the manager the at_rest that sealed it")
    try:
        if is_sealed:
            return bytes(memoryview(at_rest.open(base64.b64decode(body[len(_SEALED) : -len(b'"}]')]), session_id)))
        return _with_marks(body, lambda mark: decode(at_rest.open(base64.b64decode(mark["sealed"]), session_id)))
    except Exception as error:
        raise SessionException(
            f"session {session_id!r}: what is stored cannot be opened by {type(at_rest).__name__}: {error!r}. Is it the"
            " one that sealed it, and is its key still there?"
        ) from error


def _is_in_clear(body: bytes) -> bool:
    if not body.startswith((b'[{"op":"session"', b'[{"op":"commits"')):
        return False
    return all(change["op"] in _IN_CLEAR for change in json.loads(body))


def _with_marks(body: bytes, change: Callable[[Any], Any]) -> bytes:
    """Return the body of a commit in clear with the mark of an import changed, where it has one."""
    changes = decode(body)
    marked = [one["session"] for one in changes if one["op"] == "session" and one["session"].get(MARK)]
    for session in marked:
        session[MARK] = change(session[MARK])
    return encode(changes) if marked else body


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


class _SealingLog:
    """A change log whose commits are sealed on their way to another log, and opened on their way back."""

    def __init__(self, log: ChangeLog, at_rest: AtRest, session_id: str) -> None:
        self._log = log
        self._at_rest = at_rest
        self._session_id = session_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def create(self, body: bytes) -> bool:
        return self._log.create(self._seal(body))

    def read(self) -> bytes | bytearray:
        return self._open(self._log.read())

    def news(self) -> bytes | None:
        news = self._log.news()
        return None if news is None else bytes(self._open(news))

    def append(self, body: bytes, label: str = "") -> None:
        body = self._seal(body)
        if label:  # the parts are those of what is stored
            label = commit_label(label[:ID_LENGTH], [body[1:-1]])
        self._log.append(body, label)

    def rewrite(self, bodies: list[bytes], change: bytes, touched: Collection[int] | None, label: str = "") -> None:
        self._log.rewrite([self._seal(body) for body in bodies], self._seal(change), touched, label)

    def compact_if_due(self, fold: Callable[[bytearray], list[bytes]]) -> None:
        self._log.compact_if_due(lambda array: [self._seal(body) for body in fold(bytearray(self._open(array)))])

    def _seal(self, body: bytes) -> bytes:
        return sealed(body, self._at_rest, self._session_id)

    def _open(self, array: bytes | bytearray) -> bytes | bytearray:
        if _SEALED not in array and _SEALED_MARK not in array:
            return array
        return with_bodies(array, lambda body: opened(body, self._at_rest, self._session_id))
