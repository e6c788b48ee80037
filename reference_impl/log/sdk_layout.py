"""Sessions that the SDK's managers wrote, as files or as objects: reading them, and changing none of them.

An import happens once, and what it left out would be missing for good. So whatever is not as the SDK's managers write
it is an error that names the file, where the SDK itself may pass over it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from strands.types.exceptions import SessionException
from strands.types.session import decode_bytes_values

from .codec import UnstorableError, encode, is_plain
from .history import (
    Change,
    SessionHistory,
    agent_set,
    message_added,
    message_replaced,
    multi_agent_set,
    session_created,
)
from .messages import tracking_id_of_unnamed
from .ownership import take_after
from .paths import is_file, is_link
from .validity import check_change

_AGENT = re.compile(r"agents/agent_([^/]+)/agent\.json")
_MESSAGE = re.compile(r"agents/agent_([^/]+)/messages/message_([^/]+)\.json")
UNSURE = "?"
"""What a state ends with that may stay the same although something is written: it was written too lately."""

COARSE = 2 * 10**9
"""How many nanoseconds apart two writes must be at least to be told apart by the time of their folder."""

_MULTI_AGENT = re.compile(r"multi_agents/multi_agent_([^/]+)/multi_agent\.json")


class SdkSession(Protocol):
    """Where the SDK's manager keeps one session.

    Attributes:
        place: What errors call it.
    """

    place: str

    def state(self) -> str | None:
        """Return what is another one once something was written, cheaply; None where there is no session.

        It ends with :data:`UNSURE` where that cannot be said.
        """

    def paths(self) -> list[str]:
        """Return what there is, relative to the session; nothing where there is no session."""

    def read(self, paths: Sequence[str]) -> list[bytes]:
        """Return the contents of some of it.

        Raises:
            SessionException: One cannot be read.
        """

    def write(self, path: str, data: bytes) -> None:
        """Write one file durably, whole or not at all.

        Raises:
            SessionException: It cannot be written.
        """

    def remove(self, paths: Sequence[str]) -> None:
        """Remove some of it.

        Raises:
            SessionException: It cannot be removed.
        """


def sdk_folder(storage_dir: Path, session_id: str) -> Path:
    """Return the folder in which the SDK's file manager keeps a session."""
    return storage_dir / f"session_{session_id}"


class SdkFolder:
    """A session of the SDK's ``FileSessionManager``.

    Args:
        storage_dir: The folder that the manager was given.
        session_id: The session.
    """

    def __init__(self, storage_dir: Path, session_id: str) -> None:
        self._folder = sdk_folder(storage_dir, session_id)
        self.place = str(self._folder)

    def state(self) -> str | None:
        """Return what the session's folders say: each file that is written gets a new entry in its folder.

        Raises:
            SessionException: A folder cannot be read.
        """
        with _told():
            return self._state()

    def _state(self) -> str | None:
        if not self._is_there():
            return None
        said, latest = [], 0
        for name, folders, files in os.walk(self._folder, onerror=_unreadable):
            folders.sort()
            try:
                changed = Path(name).stat().st_mtime_ns
            except FileNotFoundError:
                return None  # somebody deletes it
            latest = max(latest, changed)
            said.append(f"{os.path.relpath(name, self._folder)} {changed} {len(files)}")
        state = hashlib.sha256("\n".join(said).encode(errors="surrogatepass")).hexdigest()[:16]
        return state + UNSURE if latest > time.time_ns() - COARSE else state

    def paths(self) -> list[str]:
        """Return the files in the session's folder.

        Raises:
            SessionException: A folder cannot be read, is a symbolic link, or is missing.
        """
        with _told():
            return self._paths()

    def _paths(self) -> list[str]:
        if not self._is_there():
            return []
        found = []
        for name, folders, files in os.walk(self._folder, onerror=_unreadable):
            folder = Path(name)
            for inner in folders:
                if is_link(folder / inner):
                    raise SessionException(
                        f"cannot import {folder / inner}: it is a symbolic link, which may lead anywhere"
                    )
            if "agent.json" in files and folder.parent.name == "agents" and "messages" not in folders:
                raise SessionException(f"cannot import {folder}: its folder messages is missing. Restore it")
            found += [(folder / file).relative_to(self._folder).as_posix() for file in files if file.endswith(".json")]
        return found

    def read(self, paths: Sequence[str]) -> list[bytes]:
        """Return the contents of files.

        Raises:
            SessionException: One cannot be read, or is a symbolic link.
        """
        return [self._bytes(self._folder / path) for path in paths]

    def write(self, path: str, data: bytes) -> None:
        """Write a file, whole or not at all, and durably.

        Raises:
            SessionException: It cannot be written.
        """
        file = self._folder / path
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if file.name == "agent.json":
                (file.parent / "messages").mkdir(mode=0o700, exist_ok=True)
            descriptor, unfinished = tempfile.mkstemp(dir=file.parent, prefix=".strands_", suffix=".tmp")
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(data)
                    stream.flush()
                    take_after(stream.fileno(), file, others=0)  # which were what the umask of that time let be
                    os.fsync(stream.fileno())
                Path(unfinished).replace(file)
            except BaseException:
                Path(unfinished).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise SessionException(f"cannot write {file}: {error.strerror}") from error

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files.

        Raises:
            SessionException: One cannot be removed.
        """
        for path in paths:
            try:
                (self._folder / path).unlink(missing_ok=True)
            except OSError as error:
                raise SessionException(f"cannot remove {self._folder / path}: {error.strerror}") from error

    def _is_there(self) -> bool:
        try:
            return is_file(self._folder / "session.json")
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # such an id was never the SDK's
                return False
            raise

    def _bytes(self, file: Path) -> bytes:
        with _told():
            if is_link(file):
                raise SessionException(f"cannot import {file}: it is a symbolic link, which may lead anywhere")
            return file.read_bytes()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Raise what the system says of what is to be imported as ``SessionException``."""
    try:
        yield
    except OSError as error:
        raise SessionException(f"cannot import {error.filename}: {error.strerror}") from error


def _unreadable(error: OSError) -> NoReturn:
    raise error


def read_sdk_session(stored: SdkSession, session_id: str) -> SessionHistory | None:
    """Return what the SDK's manager stored of a session, or None where it stored none.

    Raises:
        SessionException: Something is missing, cannot be read, or is not as the SDK writes it; the text names it.
    """
    paths = sorted(stored.paths())
    if "session.json" not in paths:
        return None
    history = read_session_alone(stored, session_id)
    if history is None:
        return None
    agents = {match.group(1): path for path in paths if (match := _AGENT.fullmatch(path))}
    messages: dict[str, list[tuple[str, str]]] = {}
    for path in paths:
        message = _MESSAGE.fullmatch(path)
        if message is not None and message.group(1) not in agents:
            raise _wrong(stored, f"agents/agent_{message.group(1)}/agent.json", "it is missing, and has messages")
        if message is not None:
            messages.setdefault(message.group(1), []).append((message.group(2), path))
    for agent, path in agents.items():
        _read_agent(stored, agent, path, _by_number(stored, agent, messages.get(agent, ())), history, session_id)
    states = [(path, match.group(1)) for path in paths if (match := _MULTI_AGENT.fullmatch(path))]
    # The SDK stores this state as it is and hands it back as it is, so it is not decoded.
    for (_, id), state in zip(states, _read(stored, [path for path, _ in states], decode=False), strict=True):
        _apply(history, stored, f"multi_agents/multi_agent_{id}/multi_agent.json", multi_agent_set(id, state))
    return history


def read_session_alone(stored: SdkSession, session_id: str) -> SessionHistory | None:
    """Return a session that the SDK's manager stored without its agents and teams; None where it is another's.

    Raises:
        SessionException: It is missing, cannot be read, or is not as the SDK writes it; the text names it.
    """
    [session] = _read(stored, ["session.json"])
    found = session.get("session_id")
    if found != session_id and isinstance(found, str) and _fold(found) == _fold(session_id):
        return None  # a file system that folds case or normalises names showed another session's folder
    if found != session_id:
        raise _copied(stored, "session.json", "session_id", found, session_id)
    history = SessionHistory()
    try:
        history.apply([session_created(session)])
    except (KeyError, ValueError) as error:
        raise _wrong(stored, "session.json", "it has no session_type that is known") from error
    return history


def read_agent_record(stored: SdkSession, agent_id: str) -> dict[str, Any]:
    """Return the record that the SDK's manager stored of an agent.

    Raises:
        SessionException: It is missing, or cannot be read.
    """
    [record] = _read(stored, [f"agents/agent_{agent_id}/agent.json"])
    return record


def read_team_state(stored: SdkSession, id: str) -> dict[str, Any]:
    """Return the state that the SDK's manager stored of a graph or swarm.

    Raises:
        SessionException: It is missing, or cannot be read.
    """
    [state] = _read(stored, [f"multi_agents/multi_agent_{id}/multi_agent.json"], decode=False)
    return state


def _by_number(stored: SdkSession, agent: str, messages: Sequence[tuple[str, str]]) -> dict[int, str]:
    """Return the paths of an agent's messages by number.

    The SDK's managers count from 0 and remove no message, so one that is missing before another was lost. Only an
    application that calls ``create_message()`` itself can number otherwise; an error tells it, where a guess would not.

    Raises:
        SessionException: One is missing before another, or has another name than the SDK gives.
    """
    numbered = {}
    for name, path in messages:
        if re.fullmatch(r"0|[1-9][0-9]*", name) is None:
            raise _wrong(stored, path, "its name has no message number")
        numbered[int(name)] = path
    for number in range(max(numbered, default=0)):
        if number not in numbered:
            raise SessionException(
                f"cannot import {stored.place}: agents/agent_{agent}/messages/message_{number}.json is missing"
                f" {'between' if number else 'before'} others. Restore it, or remove the later ones or number them from"
                " 0 on, and open the session again"
            )
    return dict(sorted(numbered.items()))


def _read_agent(
    stored: SdkSession, agent: str, path: str, messages: dict[int, str], history: SessionHistory, session_id: str
) -> None:
    [record] = _read(stored, [path])
    agent_id = record.get("agent_id")
    if not isinstance(agent_id, str) or _fold(agent_id) != _fold(agent):
        raise _copied(stored, path, "agent_id", agent_id, agent)
    for key in ("state", "conversation_manager_state"):
        if not isinstance(record.get(key), dict):
            raise _wrong(stored, path, f"it has no {key}")
    _apply(history, stored, path, agent_set(record))
    for number, found in zip(messages, _read(stored, list(messages.values())), strict=True):
        message: Any = found.get("message") if found.get("redact_message") is None else found["redact_message"]
        if isinstance(message, dict) and not message.get("tracking_id"):
            message["tracking_id"] = tracking_id_of_unnamed(session_id, agent_id, number)
        created_at = found.get("created_at", "")
        redacted = {"redacted": True} if found.get("redact_message") is not None else {}
        changes = [{**message_added(agent_id, message, created_at, number), **redacted}]
        if found.get("updated_at", created_at) != created_at:
            changes.append(message_replaced(agent_id, message, found["updated_at"], number))
        for change in changes:
            _apply(history, stored, messages[number], change)


def _apply(history: SessionHistory, stored: SdkSession, path: str, change: Change) -> None:
    """Apply what a file holds, if that could be stored here as well: nothing else can be restored."""
    try:
        check_change(change)
        if not is_plain(change):
            encode(change)  # whoever opened the session would hear of it with the first message, and with each
    except UnstorableError as error:
        raise _wrong(stored, path, str(error)) from error
    history.apply([change])


def _wrong(stored: SdkSession, path: str, what: str, remedy: str = "") -> SessionException:
    return SessionException(
        f"cannot import {stored.place}: {path}: {what}. Restore it, {remedy}or remove the session, and open it again"
    )


def _copied(stored: SdkSession, path: str, key: str, found: Any, expected: str) -> SessionException:
    """Return what says that a file is another session's, or agent's: which the SDK's managers do not look at."""
    remedy = f"write {expected!r} there, if you have copied it from there, "
    return _wrong(stored, path, f"it says {key}={found!r}, and not {expected!r}", remedy)


def _fold(name: str) -> str:
    """Return what is the same for two names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _read(stored: SdkSession, paths: Sequence[str], *, decode: bool = True) -> list[dict[str, Any]]:
    found = []
    for path, data in zip(paths, stored.read(paths), strict=True):
        try:
            value = json.loads(data)
            if not isinstance(value, dict):
                raise SessionException(f"cannot import {stored.place}: {path} holds no JSON object")
            if b"\\ud" in data:
                json.dumps(value, ensure_ascii=False).encode()  # raises where half of a pair of surrogates is missing
            found.append(decode_bytes_values(value) if decode else value)
        except RecursionError as error:
            raise SessionException(f"cannot import {stored.place}: {path} is nested too deeply to be read") from error
        except (ValueError, TypeError) as error:  # also of bytes that are no base64
            raise SessionException(f"cannot import {stored.place}: {path}: {error}") from error
    return found
