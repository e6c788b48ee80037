"""Floors: the least that storing and restoring can take on this machine, to be measured beside a backend.

A floor does what no correct backend can do without, and nothing else: it writes the same bytes and waits until they
are durable; it reads the messages, and nothing but the messages, and parses them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..sdk import Message

if TYPE_CHECKING:
    from ..services import Keeping

_sync = getattr(os, "fdatasync", os.fsync)


class Floor(Protocol):
    """The least that a kind of storage can take: what backends are compared with.

    Attributes:
        append_about: What :meth:`append` does, in words.
        restore_about: What :meth:`restore` does, in words.
    """

    append_about: str
    restore_about: str

    def append(self, message: Message) -> None:
        """Make the bytes of one message durable."""

    def keep(self, messages: Sequence[Message]) -> None:
        """Put a history where :meth:`restore` finds it."""

    def restore(self) -> list[Any]:
        """Read and parse the history."""

    def close(self) -> None:
        """Let go of what it holds."""


def as_bytes(value: Any) -> bytes:
    """Return messages as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class FileFloor:
    """One file that is already as large as it will be: a write and ``fdatasync``, a read and ``json.loads``.

    Args:
        folder: An existing folder on the file system that the backend uses.
    """

    append_about = "one write and fdatasync of the same bytes"
    restore_about = "reading the history as JSON from one file, and json.loads"

    _SIZE = 16 * 2**20

    def __init__(self, folder: Path) -> None:
        self._history = folder / "floor.json"
        self._descriptor = os.open(folder / "floor.log", os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(self._descriptor, bytes(self._SIZE), 0)
        os.fsync(self._descriptor)
        self._end = 0

    def append(self, message: Message) -> None:
        """Write the message behind those before it, and sync the file's data."""
        data = as_bytes(message)
        if self._end + len(data) > self._SIZE:
            self._end = 0
        os.pwrite(self._descriptor, data, self._end)
        _sync(self._descriptor)
        self._end += len(data)

    def keep(self, messages: Sequence[Message]) -> None:
        """Write the history."""
        self._history.write_bytes(as_bytes(list(messages)))

    def restore(self) -> list[Any]:
        """Read and parse the history."""
        parsed: list[Any] = json.loads(self._history.read_bytes())
        return parsed

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


class S3Floor:
    """One object: a PUT of the same bytes; a GET of the history and ``json.loads``.

    Args:
        client: A boto3 client of the endpoint that the backend uses.
        bucket: The backend's bucket.
    """

    append_about = "one PUT of the same bytes"
    restore_about = "one GET of the history as JSON, and json.loads"

    def __init__(self, client: Any, bucket: str) -> None:
        self._s3 = client
        self._bucket = bucket

    def append(self, message: Message) -> None:
        """Put the message."""
        self._s3.put_object(Bucket=self._bucket, Key="floor/message", Body=as_bytes(message))

    def keep(self, messages: Sequence[Message]) -> None:
        """Put the history."""
        self._s3.put_object(Bucket=self._bucket, Key="floor/history", Body=as_bytes(list(messages)))

    def restore(self) -> list[Any]:
        """Get and parse the history."""
        body = self._s3.get_object(Bucket=self._bucket, Key="floor/history")["Body"]
        parsed: list[Any] = json.loads(body.read())
        return parsed

    def close(self) -> None:
        """Do nothing: the client is the endpoint's."""


class ServerFloor:
    """One row, key or item: a round trip that stores the same bytes, and one that loads the history.

    Args:
        server: Keeps bytes in a place of its own on the server that the backend uses.
    """

    append_about = "one round trip to the same server that stores the same bytes"
    restore_about = "one round trip to the same server that loads the history as JSON, and json.loads"

    def __init__(self, server: Keeping) -> None:
        self._server = server

    def append(self, message: Message) -> None:
        """Store the message."""
        self._server.store("message", as_bytes(message))

    def keep(self, messages: Sequence[Message]) -> None:
        """Store the history."""
        self._server.store("history", as_bytes(list(messages)))

    def restore(self) -> list[Any]:
        """Load and parse the history."""
        parsed: list[Any] = json.loads(self._server.load("history"))
        return parsed

    def close(self) -> None:
        """End the client."""
        self._server.close()
