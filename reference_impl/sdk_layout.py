"""Sessions that the SDK's FileSessionManager wrote: reading its files, and changing none of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from strands.types.exceptions import SessionException
from strands.types.session import decode_bytes_values

from .history import SessionHistory, agent_set, message_added, message_replaced, multi_agent_set, session_created

_MESSAGE = re.compile(r"message_(\d+)\.json")


def sdk_folder(storage_dir: Path, session_id: str) -> Path:
    """Return the folder in which the SDK's manager keeps a session."""
    return storage_dir / f"session_{session_id}"


def read_sdk_session(storage_dir: Path, session_id: str) -> SessionHistory | None:
    """Return what the SDK's manager stored of a session, or None where it stored none.

    Raises:
        SessionException: A file is missing between others, or cannot be read; the text names it.
    """
    folder = sdk_folder(storage_dir, session_id)
    try:
        present = (folder / "session.json").is_file()
    except OSError:  # an id too long for a file name was never the SDK's
        return None
    if not present:
        return None
    session = _read(folder / "session.json")
    if session.get("session_id") != session_id:
        return None  # a file system that folds case or normalises names showed another session's folder
    history = SessionHistory()
    history.apply([session_created(session)])
    for agent_folder in sorted((folder / "agents").glob("agent_*")):
        _read_agent(agent_folder, history)
    for file in sorted((folder / "multi_agents").glob("multi_agent_*/multi_agent.json")):
        id = file.parent.name.removeprefix("multi_agent_")
        # The SDK stores this state as it is and hands it back as it is, so it is not decoded.
        history.apply([multi_agent_set(id, _read(file, decode=False))])
    return history


def _read_agent(folder: Path, history: SessionHistory) -> None:
    record = _read(folder / "agent.json")
    history.apply([agent_set(record)])
    numbered = {
        int(match.group(1)): file
        for file in (folder / "messages").glob("message_*.json")
        if (match := _MESSAGE.fullmatch(file.name))
    }
    if numbered:
        for number in range(min(numbered), max(numbered)):
            if number not in numbered:
                raise SessionException(
                    f"cannot import {folder}: messages/message_{number}.json is missing between others. Restore it, or"
                    " remove the later ones, and open the session again"
                )
    for number, file in sorted(numbered.items()):
        stored = _read(file)
        agent_id, message = record["agent_id"], stored["message"]
        if stored.get("redact_message") is not None:
            message = stored["redact_message"]
        created_at = stored.get("created_at", "")
        history.apply([message_added(agent_id, message, created_at, number)])
        if stored.get("updated_at", created_at) != created_at:
            history.apply([message_replaced(agent_id, message, stored["updated_at"], number)])


def _read(file: Path, *, decode: bool = True) -> dict[str, Any]:
    if file.is_symlink():
        raise SessionException(f"cannot import {file}: it is a symbolic link, which may lead anywhere")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SessionException(f"cannot import {file}: {error}") from error
    if not isinstance(data, dict):
        raise SessionException(f"cannot import {file}: it holds no JSON object")
    return decode_bytes_values(data) if decode else data
