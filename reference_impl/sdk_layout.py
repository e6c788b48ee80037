"""Sessions that the SDK's managers wrote, as files or as objects: reading them, and changing none of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from strands.types.exceptions import SessionException
from strands.types.session import decode_bytes_values

from .history import SessionHistory, agent_set, message_added, message_replaced, multi_agent_set, session_created

_AGENT = re.compile(r"agents/agent_([^/]+)/agent\.json")
_MESSAGE = re.compile(r"agents/agent_([^/]+)/messages/message_(\d+)\.json")
_MULTI_AGENT = re.compile(r"multi_agents/multi_agent_([^/]+)/multi_agent\.json")


class SdkSession(Protocol):
    """Where the SDK's manager keeps one session.

    Attributes:
        place: What errors call it.
    """

    place: str

    def paths(self) -> list[str]:
        """Return what there is, relative to the session; nothing where there is no session."""

    def read(self, paths: Sequence[str]) -> list[bytes]:
        """Return the contents of some of it.

        Raises:
            SessionException: One cannot be read.
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

    def paths(self) -> list[str]:
        """Return the files in the session's folder."""
        try:
            if not (self._folder / "session.json").is_file():
                return []
        except OSError:  # an id too long for a file name was never the SDK's
            return []
        return [path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*.json")]

    def read(self, paths: Sequence[str]) -> list[bytes]:
        """Return the contents of files.

        Raises:
            SessionException: One cannot be read, or is a symbolic link.
        """
        return [self._bytes(self._folder / path) for path in paths]

    def _bytes(self, file: Path) -> bytes:
        if file.is_symlink():
            raise SessionException(f"cannot import {file}: it is a symbolic link, which may lead anywhere")
        try:
            return file.read_bytes()
        except OSError as error:
            raise SessionException(f"cannot import {file}: {error}") from error


def read_sdk_session(stored: SdkSession, session_id: str) -> SessionHistory | None:
    """Return what the SDK's manager stored of a session, or None where it stored none.

    Raises:
        SessionException: Something is missing between others, or cannot be read; the text names it.
    """
    paths = sorted(stored.paths())
    if "session.json" not in paths:
        return None
    [session] = _read(stored, ["session.json"])
    if session.get("session_id") != session_id:
        return None  # a file system that folds case or normalises names showed another session's folder
    history = SessionHistory()
    history.apply([session_created(session)])
    for path in paths:
        agent = _AGENT.fullmatch(path)
        if agent is not None:
            _read_agent(stored, path, _messages(stored, paths, agent.group(1)), history)
    states = [(path, match.group(1)) for path in paths if (match := _MULTI_AGENT.fullmatch(path))]
    # The SDK stores this state as it is and hands it back as it is, so it is not decoded.
    for (_, id), state in zip(states, _read(stored, [path for path, _ in states], decode=False), strict=True):
        history.apply([multi_agent_set(id, state)])
    return history


def _messages(stored: SdkSession, paths: Sequence[str], agent: str) -> dict[int, str]:
    """Return the paths of an agent's messages by number.

    Raises:
        SessionException: One is missing between others.
    """
    matches = [match for path in paths if (match := _MESSAGE.fullmatch(path)) and match.group(1) == agent]
    numbered = {int(match.group(2)): match.group(0) for match in matches}
    for number in range(min(numbered, default=0), max(numbered, default=0)):
        if number not in numbered:
            raise SessionException(
                f"cannot import {stored.place}: agents/agent_{agent}/messages/message_{number}.json is missing between"
                " others. Restore it, or remove the later ones, and open the session again"
            )
    return dict(sorted(numbered.items()))


def _read_agent(stored: SdkSession, path: str, messages: dict[int, str], history: SessionHistory) -> None:
    [record] = _read(stored, [path])
    history.apply([agent_set(record)])
    agent_id = record["agent_id"]
    for number, found in zip(messages, _read(stored, list(messages.values())), strict=True):
        message = found["message"] if found.get("redact_message") is None else found["redact_message"]
        created_at = found.get("created_at", "")
        history.apply([message_added(agent_id, message, created_at, number)])
        if found.get("updated_at", created_at) != created_at:
            history.apply([message_replaced(agent_id, message, found["updated_at"], number)])


def _read(stored: SdkSession, paths: Sequence[str], *, decode: bool = True) -> list[dict[str, Any]]:
    found = []
    for path, data in zip(paths, stored.read(paths), strict=True):
        try:
            value = json.loads(data)
        except ValueError as error:
            raise SessionException(f"cannot import {stored.place}: {path}: {error}") from error
        if not isinstance(value, dict):
            raise SessionException(f"cannot import {stored.place}: {path} holds no JSON object")
        found.append(decode_bytes_values(value) if decode else value)
    return found
