"""Snapshots at the console: the storage that holds those of the SDK's ``SnapshotSessionManager``, and going over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .place import Place, PlaceError, in_bucket


@dataclass(frozen=True)
class Snapshots:
    """Where snapshots are kept, beside a place of sessions.

    Attributes:
        place: The place of the reference manager's sessions.
        text: What ``LocalFileStorage`` or ``S3Storage`` is given: a folder, or ``s3://bucket/prefix``.
        endpoint_url: The S3 endpoint, if it is not the one that botocore finds.
    """

    place: Place
    text: str
    endpoint_url: str | None

    def left_by_sdk(self) -> list[str]:
        """Return the ids of the sessions that have snapshots there."""
        from ..log.snapshots import snapshot_sessions

        return snapshot_sessions(self._storage(must_exist=True))

    def take_in(self, session_id: str) -> int:
        """Import a session's snapshots; return how many messages they have."""
        from ..log.snapshots import import_snapshots

        with self._manager(session_id) as manager:
            return import_snapshots(manager, self._storage(must_exist=True))

    def hand_back(self, session_id: str) -> None:
        """Write a session as snapshots, in place of those that are there."""
        from ..log.snapshots import export_snapshots

        self.place.verify(session_id)
        with self._manager(session_id) as manager:
            export_snapshots(manager, self._storage(must_exist=False))

    @contextmanager
    def _manager(self, session_id: str) -> Iterator[Any]:
        """Open a session; one that was begun for something that failed is removed again, if nobody uses it."""
        manager = self.place.manager(session_id)
        try:
            yield manager
        except BaseException:
            manager.withdraw()
            raise
        finally:
            manager.close()

    def _storage(self, *, must_exist: bool) -> Any:
        try:
            from strands.storage import LocalFileStorage, S3Storage
        except ImportError as error:
            raise PlaceError("this release of strands-agents has no snapshots: install 1.51 or later") from error
        if self.text.startswith("s3://"):
            bucket, prefix = in_bucket(self.text)
            return S3Storage(bucket, prefix=prefix, boto_session=_session(self.endpoint_url))
        folder = Path(self.text).expanduser()
        if must_exist and not folder.is_dir():
            raise PlaceError(f"there is no folder {self.text}: give what LocalFileStorage was given")
        return LocalFileStorage(str(folder))

    def __str__(self) -> str:
        """Return where snapshots are kept, as it was given."""
        return self.text


def _session(endpoint_url: str | None) -> Any:
    """Return a boto3 session whose clients ask an endpoint."""
    import boto3

    class Session(boto3.Session):
        def client(self, *args: Any, **kwargs: Any) -> Any:
            return super().client(*args, **({"endpoint_url": endpoint_url} | kwargs if endpoint_url else kwargs))

    return Session()
