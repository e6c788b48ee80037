"""Mutants whose sessions are deleted, or whose ids meet: a correct manager, each time with one thing broken."""

import contextlib
import copy
import shutil
import unicodedata
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from session_conformance.reference_impl import FileSessionManager
from strands.types.exceptions import SessionException

from tests.conforming.caretaking_manager import CaretakingManager
from tests.conforming.deleting_rows import DeletingRowsManager
from tests.conforming.snapshot_manager import SnapshotFileManager

from .broken_clean_up import anybodys


class DeletesByPattern(SnapshotFileManager):
    """The id to be deleted is taken for a pattern."""

    def folder_name(self, session_id: str) -> str:
        return f"session_{session_id}"

    def delete_session(self, session_id: str) -> None:
        for folder in self._folder.parent.glob(f"session_{session_id}"):
            shutil.rmtree(folder)


class DeletesWhateverTheCase(SnapshotFileManager):
    """What is deleted is found as a collation finds it, and what is read is not."""

    def folder_name(self, session_id: str) -> str:
        return session_id.encode().hex()

    def delete_session(self, session_id: str) -> None:
        for folder in self._folder.parent.iterdir():
            if bytes.fromhex(folder.name).decode().casefold() == session_id.casefold():
                shutil.rmtree(folder)


class DeletesOtherForms(DeletesWhateverTheCase):
    """What is deleted is found in any Unicode form."""

    def delete_session(self, session_id: str) -> None:
        for folder in self._folder.parent.iterdir():
            if unicodedata.normalize("NFC", bytes.fromhex(folder.name).decode()) == session_id:
                shutil.rmtree(folder)


class JoinsIds(SnapshotFileManager):
    """A session and its agent are one key, joined with a character that may be in either."""

    check_whose = anybodys

    def path(self, agent_id: str) -> Path:
        joined = f"{self.session_id}:{agent_id}".encode().hex()
        return self._folder.parent / "all" / joined

    def delete_session(self, session_id: str) -> None:
        for path in (self._folder.parent / "all").glob(f"{session_id}:".encode().hex() + "*"):
            path.unlink()


class FindsLongIdsByTheirBeginning(SnapshotFileManager):
    """A key has room for so many characters of an id."""

    check_whose = anybodys

    def folder_name(self, session_id: str) -> str:
        return super().folder_name(session_id[:100])


class FindsLongIdsByTheirEnd(SnapshotFileManager):
    """A key has room for so many characters, and the last ones of an id say most."""

    check_whose = anybodys

    def folder_name(self, session_id: str) -> str:
        return super().folder_name(session_id[-200:])


class DecodesIds(SnapshotFileManager):
    """An id that looks encoded is decoded."""

    check_whose = anybodys

    def folder_name(self, session_id: str) -> str:
        return super().folder_name(session_id.replace("+", " "))


class FoldsTheCaseOfAgents(SnapshotFileManager):
    """Agents are told apart as a database's collation does, without their case."""

    check_whose = anybodys

    def path(self, agent_id: str) -> Path:
        return super().path(agent_id.lower())


class DeletesTheIndexFirst(SnapshotFileManager):
    """What is not in the index is taken for deleted, whatever else is there."""

    def write(self, path: Path, data: bytes) -> None:
        super().write(path, data)
        self._index(self.session_id).touch()

    def load(self, agent: Any) -> bytes | None:
        return super().load(agent) if self._index(self.session_id).exists() else None

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        if self._index(self.session_id).exists():
            super().check_nobody_else_wrote(path, agent_id)

    def delete_session(self, session_id: str) -> None:
        try:
            self._index(session_id).unlink()
        except FileNotFoundError:
            raise SessionException(f"there is no session {session_id!r}") from None
        super().delete_session(session_id)

    def _index(self, session_id: str) -> Path:
        return self._folder.parent / f"{self.folder_name(session_id)}.index"


class _GoesOn(SnapshotFileManager):
    """Where somebody else has written, an old agent goes on in a way of its own."""

    def write_all_the_same(self, path: Path, data: bytes) -> None:
        raise NotImplementedError

    def _write_for_good(self, agent_id: str, path: Path, data: bytes) -> None:
        try:
            super()._write_for_good(agent_id, path, data)
        except SessionException:
            self.write_all_the_same(path, data)

    def changed(self, path: Path, change: Callable[[Any], object]) -> None:
        stored = self.read(path)
        if stored is not None:
            content = self.unpack(self.unseal(stored))
            change(content)
            self.write(path, self.seal(self.pack(content)))


class TalksToNobody(_GoesOn):
    """What an old agent says is taken for stored, and is not."""

    def write_all_the_same(self, path: Path, data: bytes) -> None:
        pass


class BringsItsStateBack(_GoesOn):
    """The state of a session that was deleted is written into the one that was begun anew."""

    def write_all_the_same(self, path: Path, data: bytes) -> None:
        old = self.unpack(data)
        said = [message for message in old["messages"] if "private" not in str(message["content"])]

        def change(content: Any) -> None:
            known = {message["tracking_id"] for message in content["messages"]}
            content["messages"] += [copy.deepcopy(one) for one in said if one["tracking_id"] not in known]
            content["state"] |= old["state"]

        self.changed(path, change)


class RedactsWhateverIsLast(SnapshotFileManager):
    """A redaction lands on the message that is stored last, whosever it is."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        path = self.path(agent.agent_id)
        stored = self.read(path)
        if stored is not None and stored != self._sealed.get(agent.agent_id):
            content = self.unpack(self.unseal(stored))
            content["messages"][-1] = dict(redact_message)
            self.write(path, self.seal(self.pack(content)))
        else:
            super().redact_latest_message(redact_message, agent)


class StopsCleaningUpAtDamage(FileSessionManager):
    """What cannot be read ends the clean-up."""

    @staticmethod
    def clean_up(older_than: timedelta, storage_dir: str | None = None, *, now: datetime | None = None) -> list[str]:
        for id in ("damaged", "in-use", "old", "young"):
            try:
                looked = FileSessionManager.verify(id, storage_dir)
            except SessionException as error:
                if id == "damaged" and "is gone" not in str(error):
                    raise
            else:
                if not looked.ok:
                    raise SessionException(f"session {id!r} is damaged")
        return FileSessionManager.clean_up(older_than, storage_dir, now=now)


class CleansUpByLocalTime(FileSessionManager):
    """Compares times of UTC with those of the clock on the wall."""

    @staticmethod
    def clean_up(older_than: timedelta, storage_dir: str | None = None, *, now: datetime | None = None) -> list[str]:
        assert now is not None
        on_the_wall = now.astimezone().replace(tzinfo=timezone.utc)
        return FileSessionManager.clean_up(older_than, storage_dir, now=on_the_wall)


class ListsLocalTimes(SnapshotFileManager):
    """Says that the clock on the wall shows UTC."""

    @staticmethod
    def list_sessions(storage_dir: str) -> list[Any]:
        found = SnapshotFileManager.list_sessions(storage_dir)
        return [
            SimpleNamespace(
                session_id=one.session_id, updated_at=one.updated_at.astimezone().replace(tzinfo=timezone.utc)
            )
            for one in found
        ]


class LeavesATombstone(SnapshotFileManager):
    """A deleted session leaves a file without anything in it, and the next one another."""

    def delete_session(self, session_id: str) -> None:
        super().delete_session(session_id)
        (self._folder.parent / f"{self.folder_name(session_id)}.gone").touch(0o600)


class WritesBeforeItLooks(SnapshotFileManager):
    """What is said is written beside first; whether the session is still there is looked at ahead of the renaming."""

    def _write_for_good(self, agent_id: str, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".next")
        beside.write_bytes(data)
        super()._write_for_good(agent_id, path, data)
        beside.unlink()


_BEGUN: dict[Path, float] = {}


class CleansUpWhatBeganLongAgo(CaretakingManager):
    """A session's age is the time since it began."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent)
        _BEGUN.setdefault(self._folder, super().written(self._folder))

    def written(self, folder: Path) -> float:
        return _BEGUN[folder]


class LeavesTeams(FileSessionManager):
    """A session is its agents: what a team has done stays, and the next one goes on with it."""

    _left: ClassVar[dict[tuple[str, str], dict[str, Any]]] = {}

    def delete_session(self, session_id: str, **kwargs: Any) -> None:
        team = self.read_multi_agent(session_id, "team")
        super().delete_session(session_id, **kwargs)
        if team is not None:
            self._left[self.storage_dir, session_id] = team

    def initialize_multi_agent(self, source: Any, **kwargs: Any) -> None:
        super().initialize_multi_agent(source, **kwargs)
        kept = self._left.get((self.storage_dir, self.session_id))
        if kept is not None:
            source.deserialize_state(copy.deepcopy(kept))


class LeavesToolResults(FileSessionManager):
    """What tools gave back is kept apart, and no part of a session."""

    def create_message(self, session_id: str, agent_id: str, session_message: Any, **kwargs: Any) -> None:
        super().create_message(session_id, agent_id, session_message, **kwargs)
        if "toolResult" in str(session_message.message):
            Path(self.storage_dir, "results").write_text(str(session_message.message))


class DeletesTheFirstPage(FileSessionManager):
    """A session has no more than a hundred messages."""

    def delete_session(self, session_id: str, **kwargs: Any) -> None:
        is_there = self.read_agent(session_id, "one") is not None
        rest = self.list_messages(session_id, "one", offset=100) if is_there else []
        super().delete_session(session_id, **kwargs)
        if rest:
            Path(self.storage_dir, "rest").write_text(str(rest))


class IgnoresErrorsOfDeletions(SnapshotFileManager):
    """What cannot be removed stays, and nobody is told."""

    def delete_session(self, session_id: str) -> None:
        shutil.rmtree(self._folder.parent / self.folder_name(session_id), ignore_errors=True)


class IgnoresErrorsOfRows(DeletingRowsManager):
    """Rows that cannot be deleted stay, and nobody is told."""

    def delete_session(self, session_id: str) -> None:
        with contextlib.suppress(SessionException):
            super().delete_session(session_id)


class RemembersWhereSessionsAre(SnapshotFileManager):
    """A session has a folder of a random name, which its process remembers, whoever deletes it."""

    _names: ClassVar[dict[tuple[Path, str], str]] = {}

    def folder_name(self, session_id: str) -> str:
        return session_id.replace("/", "%2F")

    def _index(self) -> Path:
        return self._folder / "generation"

    def path(self, agent_id: str) -> Path:
        key = (self._folder, agent_id)
        if key not in self._names:
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
            if not self._index().exists():
                self._index().write_text(uuid.uuid4().hex)
                self._index().chmod(0o600)
            self._names[key] = self._index().read_text()
        return super().path(agent_id).with_suffix(f".{self._names[key]}")

    def delete_session(self, session_id: str) -> None:
        super().delete_session(session_id)
        for key in [key for key in self._names if key[0] == self._folder]:
            del self._names[key]


class CannotDeleteTwice(SnapshotFileManager):
    """A deletion that was tried before is in the way of the next one."""

    def delete_session(self, session_id: str) -> None:
        folder = self._folder.parent / self.folder_name(session_id)
        gone = folder.with_suffix(".gone")
        gone.mkdir(parents=True)
        shutil.rmtree(folder)
        gone.rmdir()


class CannotListWhatIsEmpty(SnapshotFileManager):
    """Each session is taken for one that has messages."""

    @staticmethod
    def list_sessions(storage_dir: str) -> list[Any]:
        raise KeyError("messages")


class ListsIdsAlone(CaretakingManager):
    """Lists its sessions' ids."""

    def list_sessions(self) -> list[Any]:
        return [one.session_id for one in super().list_sessions()]


class ListsTimesWithoutAZone(SnapshotFileManager):
    """Lists the times of UTC as if they were of no zone."""

    @staticmethod
    def list_sessions(storage_dir: str) -> list[Any]:
        found = SnapshotFileManager.list_sessions(storage_dir)
        for one in found:
            one.updated_at = one.updated_at.replace(tzinfo=None)
        return found


class CannotCleanUp(CaretakingManager):
    """Each session is taken for one that has a lock."""

    def clean_up(self, **how: Any) -> list[str]:
        for folder in self._folder.parent.glob("*"):
            (folder / ".lock").unlink()
        return super().clean_up(**how)


class PutsAside(DeletingRowsManager):
    """What is deleted is in a table of its own from then on, in case that somebody wants it back."""

    table = ""

    def delete_session(self, session_id: str) -> None:
        with self._database() as database:
            database.execute(f"CREATE TABLE IF NOT EXISTS deleted AS SELECT * FROM {self.table} WHERE false")
            rows = f"SELECT * FROM {self.table} WHERE session = ?"
            database.execute(f"INSERT INTO deleted {rows}", (session_id,))
        super().delete_session(session_id)


class PutsMessagesAside(PutsAside):
    """Deleted messages stay."""

    table = "messages"


class PutsStatesAside(PutsAside):
    """The states of deleted agents stay."""

    table = "agents"


class DeletesItsOwn(SnapshotFileManager):
    """A manager deletes the session that it is of, whichever it is asked for."""

    def delete_session(self, session_id: str) -> None:
        super().delete_session(self.session_id)
