"""Places: a folder or a bucket's prefix in which sessions are kept, and what can be done to the sessions there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..log.history import SessionHistory
    from ..log.inspection import CleanUp, Repair, SessionInfo, Skipped, Verification
    from ..s3.objects import S3Objects


_S3 = "s3://"
_OURS = "journal_"
_OF_SDK = "session_"
"""What the name of a session's folder begins with in the SDK's layout."""


class PlaceError(Exception):
    """A place that is none, or that cannot be read. The text is one line that says what to do."""


class Place(Protocol):
    """Where sessions are kept."""

    def __str__(self) -> str:
        """Return the place as it was given."""

    def list(self) -> list[SessionInfo]:
        """Return the sessions, the most recently written first."""

    def below(self) -> Sequence[str]:
        """Return the places below that have sessions, as far as one look shows."""

    def unreadable(self) -> Sequence[Skipped]:
        """Return what has a session's name and is not listed, with the reason."""

    def history(self, session_id: str) -> SessionHistory:
        """Return what a session holds."""

    def verify(self, session_id: str) -> Verification:
        """Read a session and say whether it is whole."""

    def repair(self, session_id: str) -> Repair:
        """Bring back what is whole of a damaged session."""

    def has_anything_of(self, session_id: str) -> bool:
        """Whether there is anything of a session, whole or not, that can be removed."""

    def delete(self, session_id: str) -> None:
        """Remove a session, whole or not, and what a deletion that was cut short left of it."""

    def clean_up(self, older_than: timedelta, *, dry_run: bool) -> CleanUp:
        """Remove the sessions that were not written for some time, or say so; return their ids, and what was kept."""

    def manager(self, session_id: str) -> Any:
        """Return a manager of a session, which begins it if it is not there."""

    def left_by_sdk(self) -> Sequence[str]:
        """Return the ids of the sessions that the SDK's manager keeps there."""

    def take_in(self, session_id: str) -> int:
        """Import a session that the SDK's manager keeps there; return how many messages it has."""

    def hand_back(self, session_id: str) -> None:
        """Write a session in the SDK's layout, for the SDK's manager to go on with."""


def place_of(text: str, endpoint_url: str | None = None) -> Place:
    """Return the place that a text names: a folder, or ``s3://bucket/prefix``.

    Args:
        text: The place.
        endpoint_url: The S3 endpoint; by default what botocore finds in the environment.

    Raises:
        PlaceError: It is no place, or a folder that is not there or cannot be read.
    """
    if text.startswith(_S3):
        return _Bucket(text, *in_bucket(text), endpoint_url)
    folder = Path(text).expanduser()
    try:
        next(folder.iterdir(), None)
    except FileNotFoundError:
        raise PlaceError(f"there is no folder {text}") from None
    except NotADirectoryError:
        raise PlaceError(f"{text} is no folder: expected the one that is a manager's storage_dir") from None
    except OSError as error:
        raise PlaceError(f"cannot read the folder {text}: {error.strerror}") from None
    return _Folder(text, str(folder))


def in_bucket(text: str) -> tuple[str, str]:
    """Return the bucket and the prefix that ``s3://bucket/prefix`` names. A ``#`` or ``?`` is a part of the prefix.

    Raises:
        PlaceError: It names no bucket.
    """
    bucket, _, prefix = text.removeprefix(_S3).partition("/")
    if not bucket:
        raise PlaceError(f"{text} names no bucket: expected s3://BUCKET or s3://BUCKET/PREFIX")
    return bucket, prefix.strip("/")


@dataclass(frozen=True)
class _Folder:
    """A folder of session journals."""

    text: str
    path: str

    def __str__(self) -> str:
        return self.text

    @property
    def _manager(self) -> Any:
        from ..file_session_manager import FileSessionManager

        return FileSessionManager

    def list(self) -> list[SessionInfo]:
        found: list[SessionInfo] = self._manager.list_sessions(self.path)
        return found

    def below(self) -> Sequence[str]:
        names = {path.parent.name for one in (_OURS, _OF_SDK) for path in Path(self.path).glob(f"*/{one}*")}
        return sorted(str(Path(self.text, name)) for name in names)

    def unreadable(self) -> Sequence[Skipped]:
        found: Sequence[Skipped] = self._manager.list_unreadable(self.path)
        return found

    def history(self, session_id: str) -> SessionHistory:
        self.verify(session_id)  # a manager would begin a session that is not there
        return _history(self._manager(session_id, storage_dir=self.path))

    def verify(self, session_id: str) -> Verification:
        found: Verification = self._manager.verify(session_id, self.path)
        return found

    def repair(self, session_id: str) -> Repair:
        done: Repair = self._manager.repair(session_id, self.path)
        return done

    def has_anything_of(self, session_id: str) -> bool:
        from ..file.removal import is_anything_left

        return is_anything_left(session_id, Path(self.path))

    def delete(self, session_id: str) -> None:
        from ..file_session_manager import delete_session

        delete_session(session_id, self.path)

    def clean_up(self, older_than: timedelta, *, dry_run: bool) -> CleanUp:
        done: CleanUp = self._manager.clean_up(older_than, self.path, dry_run=dry_run)
        return done

    def manager(self, session_id: str) -> Any:
        return self._manager(session_id, storage_dir=self.path)

    def left_by_sdk(self) -> Sequence[str]:
        found = (record.parent.name for record in Path(self.path).glob(f"{_OF_SDK}*/session.json"))
        return sorted(name.removeprefix(_OF_SDK) for name in found)

    def take_in(self, session_id: str) -> int:
        return _take_in(self._manager(session_id, storage_dir=self.path))

    def hand_back(self, session_id: str) -> None:
        self.verify(session_id)
        self._manager(session_id, storage_dir=self.path).hand_back()


@dataclass(frozen=True)
class _Bucket:
    """A prefix in a bucket."""

    text: str
    bucket: str
    prefix: str
    endpoint_url: str | None

    def __str__(self) -> str:
        return self.text

    @property
    def _manager(self) -> Any:
        from ..s3_session_manager import S3SessionManager

        return S3SessionManager

    @property
    def _where(self) -> dict[str, Any]:
        return {"bucket": self.bucket, "prefix": self.prefix, "endpoint_url": self.endpoint_url}

    @property
    def _objects(self) -> S3Objects:
        from ..s3.client import client_for
        from ..s3.objects import S3Objects

        return S3Objects(client_for(None, None, None, self.endpoint_url), self.bucket, "")

    def list(self) -> list[SessionInfo]:
        found: list[SessionInfo] = self._manager.list_sessions(**self._where)
        return found

    def below(self) -> Sequence[str]:
        root = f"{self.prefix}/" if self.prefix else ""
        names = (re.match(f"(.+?)/(?:{_OURS}|{_OF_SDK})", one.key) for one in self._objects.page(root).items)
        return sorted({f"s3://{self.bucket}/{name[1]}" for name in names if name})

    def unreadable(self) -> Sequence[Skipped]:
        found: Sequence[Skipped] = self._manager.list_unreadable(**self._where)
        return found

    def history(self, session_id: str) -> SessionHistory:
        self.verify(session_id)  # a manager would begin a session that is not there
        return _history(self._manager(session_id, **self._where))

    def verify(self, session_id: str) -> Verification:
        found: Verification = self._manager.verify(session_id, **self._where)
        return found

    def repair(self, session_id: str) -> Repair:
        done: Repair = self._manager.repair(session_id, **self._where)
        return done

    def has_anything_of(self, session_id: str) -> bool:
        from ..s3_session_manager import has_anything_of

        return has_anything_of(session_id, **self._where)

    def delete(self, session_id: str) -> None:
        from ..s3_session_manager import delete_session

        delete_session(session_id, **self._where)

    def clean_up(self, older_than: timedelta, *, dry_run: bool) -> CleanUp:
        done: CleanUp = self._manager.clean_up(older_than, **self._where, dry_run=dry_run)
        return done

    def manager(self, session_id: str) -> Any:
        return self._manager(session_id, **self._where)

    def left_by_sdk(self) -> Sequence[str]:
        from ..log.at_once import at_once

        objects, root = self._objects, f"{self.prefix}/{_OF_SDK}" if self.prefix else _OF_SDK
        records = [f"{folder}session.json" for folder in objects.folders(root)]
        first = at_once(lambda record: next(iter(objects.page(record).items), None), records)
        there = (record for record, found in zip(records, first, strict=True) if found and found.key == record)
        return [record.removeprefix(root).rpartition("/")[0] for record in there]

    def take_in(self, session_id: str) -> int:
        return _take_in(self._manager(session_id, **self._where))

    def hand_back(self, session_id: str) -> None:
        self.verify(session_id)
        self._manager(session_id, **self._where).hand_back()


def _take_in(manager: Any) -> int:
    try:
        messages: int = manager.take_in()
        return messages
    finally:
        manager.close()


def _history(manager: Any) -> SessionHistory:
    try:
        found: SessionHistory = manager.history()
        return found
    finally:
        manager.close()
