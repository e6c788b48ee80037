"""The objects of a session of the SDK's ``S3SessionManager``: read for an import, written for the way back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from strands.types.exceptions import SessionException

from ..log.at_once import at_once
from ..log.sdk_layout import UNSURE
from .objects import NotThere, S3Objects
from .prefixes import session_prefixes


class SdkObjects:
    """A session of the SDK's ``S3SessionManager``; see :class:`~..log.sdk_layout.SdkSession`."""

    def __init__(self, client: Any, bucket: str, prefix: str, session_id: str) -> None:
        self._objects = S3Objects(client, bucket, session_id)
        self._prefix = session_prefixes(prefix, session_id)[1]
        self.place = f"s3://{bucket}/{self._prefix}"

    def state(self) -> str | None:
        """Return what changes whenever the session does; None where there is none."""
        listed = list(self._objects.list(self._prefix))
        if not any(found.key == f"{self._prefix}session.json" for found in listed):
            return None
        said = [(found.key, found.size, found.modified.timestamp(), found.tag) for found in listed]
        state = hashlib.sha256(repr(said).encode()).hexdigest()[:16]
        return state if all(found.tag for found in listed) else state + UNSURE

    def paths(self) -> list[str]:
        """Return the names of its objects, below its prefix."""
        return [found.key.removeprefix(self._prefix) for found in self._objects.list(self._prefix)]

    def read(self, paths: Sequence[str]) -> list[bytes]:
        """Return what some of its objects hold."""
        return at_once(self._bytes, paths)

    def write(self, path: str, data: bytes) -> None:
        """Store one of its objects."""
        self._objects.put(self._prefix + path, data, {})

    def remove(self, paths: Sequence[str]) -> None:
        """Remove some of its objects."""
        self._objects.delete(self._prefix + path for path in paths)

    def _bytes(self, path: str) -> bytes:
        try:
            return self._objects.get(self._prefix + path).data
        except NotThere:
            raise SessionException(f"cannot import {self.place}: {path} is missing") from None
