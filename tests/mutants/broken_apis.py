"""Session repositories and storages, each broken in one way that its name and docstring say."""

import asyncio
import copy
import json
import posixpath
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from session_conformance.harness.backends import PlainRepository
from session_conformance.reference_impl import FileSessionManager
from strands.session import SnapshotSessionManager
from strands.storage import InMemoryStorage, LocalFileStorage
from strands.types.exceptions import StorageError
from strands.types.session import Session, SessionAgent, SessionMessage

from tests.conforming.plain_dicts import DictRepository, DictStorage

# -- session repositories ----------------------------------------------------------------------------------


class DropsInternalState(DictRepository):
    """What the SDK keeps of an agent for itself is not stored."""

    def kept(self, value: Any) -> Any:
        value = super().kept(value)
        if isinstance(value, SessionAgent):
            value._internal_state = {}
        return value


class TakesNothingForUnchanged(DictRepository):
    """An update that has no state leaves it as it is."""

    def updated(self, before: Any, value: Any) -> Any:
        value = super().updated(before, value)
        if isinstance(value, SessionAgent):
            value.state = value.state or before.state
        return value


class GivesWhatItRemembers(DictRepository):
    """What was read is remembered, and given to whoever reads it again."""

    def __init__(self) -> None:
        super().__init__()
        self._remembered: dict[tuple[str, str], SessionAgent] = {}

    def read_agent(self, session_id: str, agent_id: str, **kwargs: Any) -> SessionAgent | None:
        key = self.key(session_id, agent_id)
        if key in self._remembered:
            return self._remembered[key]
        found = super().read_agent(session_id, agent_id)
        if found is not None:
            self._remembered[key] = self.kept(found)
        return found

    def update_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        super().update_agent(session_id, session_agent)
        self._remembered.pop(self.key(session_id, session_agent.agent_id), None)


class KeepsTheOriginal(DictRepository):
    """A redaction is not stored."""

    def updated(self, before: Any, value: Any) -> Any:
        value = super().updated(before, value)
        if isinstance(value, SessionMessage):
            value.redact_message = None
        return value


class CannotStoreBytes(DictRepository):
    """Bytes are given to JSON as they are."""

    def create_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        json.dumps(session_message.message)
        super().create_message(session_id, agent_id, session_message)


class RaisesForAbsentAgents(DictRepository):
    """An agent that is not there is a KeyError."""

    def read_agent(self, session_id: str, agent_id: str, **kwargs: Any) -> SessionAgent | None:
        return self._agents[self.key(session_id, agent_id)]


class CreatesOnUpdate(DictRepository):
    """An update of what is not there does nothing, and says nothing."""

    def absent(self, what: str) -> None:
        pass


class CreatesSessionsAgain(DictRepository):
    """A session that is there is replaced."""

    def create_session(self, session: Session, **kwargs: Any) -> Session:
        self._sessions[session.session_id] = self.kept(session)
        return session


class SortsNumbersAsText(DictRepository):
    """Message 10 comes before message 2."""

    def in_order(self, messages: dict[int, SessionMessage]) -> list[SessionMessage]:
        return [messages[number] for number in sorted(messages, key=str)]


class TakesNoneForNoLimit(DictRepository):
    """A limit of 0 is taken for no limit."""

    def page(self, messages: list[SessionMessage], limit: int | None, offset: int) -> list[SessionMessage]:
        return super().page(messages, limit or None, offset)


class TakesOffsetsForNumbers(DictRepository):
    """An offset is counted from 1."""

    def page(self, messages: list[SessionMessage], limit: int | None, offset: int) -> list[SessionMessage]:
        return super().page(messages, limit, offset - 1 if offset > 1 else offset)


class StartsAtANumber(DictRepository):
    """An offset is the number of a message, and no count of messages."""

    def page(self, messages: list[SessionMessage], limit: int | None, offset: int) -> list[SessionMessage]:
        return super().page([one for one in messages if one.message_id >= offset], limit, 0)


class TellsMoments(DictRepository):
    """Times come back as a database gives them."""

    def kept(self, value: Any) -> Any:
        value = super().kept(value)
        if isinstance(value, SessionMessage):
            value.created_at = datetime.fromisoformat(str(value.created_at))
        return value


class ForgetsTheOffset(DictRepository):
    """A time is stored as its clock shows it, without saying whose clock that is."""

    def kept(self, value: Any) -> Any:
        value = super().kept(value)
        if isinstance(value, SessionMessage):
            value.created_at = value.created_at[:26]
        return value


class RemembersWhatItHasRead(FileSessionManager):
    """A message that was read once is not read again."""

    def read_message(self, session_id: str, agent_id: str, message_id: int, **kwargs: Any) -> SessionMessage | None:
        kept = self.__dict__.setdefault("_kept", {})
        if kept.get((session_id, agent_id, message_id)) is None:
            kept[session_id, agent_id, message_id] = super().read_message(session_id, agent_id, message_id)
        return copy.deepcopy(kept[session_id, agent_id, message_id])

    def update_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        self.__dict__.setdefault("_kept", {}).pop((session_id, agent_id, session_message.message_id), None)
        super().update_message(session_id, agent_id, session_message)


class UpdateMovesToTheEnd(DictRepository):
    """An update deletes and inserts, and messages are listed as they were inserted."""

    def in_order(self, messages: dict[int, SessionMessage]) -> list[SessionMessage]:
        return list(messages.values())

    def update_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        super().update_message(session_id, agent_id, session_message)
        messages = self._messages[self.key(session_id, agent_id)]
        messages[session_message.message_id] = messages.pop(session_message.message_id)


class UpdateCannotStoreBytes(DictRepository):
    """The bytes of an update are given to JSON as they are."""

    def update_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        json.dumps(session_message.message)
        super().update_message(session_id, agent_id, session_message)


class UpdateDropsMetadata(DictRepository):
    """An update stores role and content."""

    def updated(self, before: Any, value: Any) -> Any:
        value = super().updated(before, value)
        for message in (getattr(value, "message", None), getattr(value, "redact_message", None)):
            for key in ("metadata", "tracking_id"):
                (message or {}).pop(key, None)
        return value


class ForgetsCreatedAt(DictRepository):
    """An update is stored just as it is given."""

    def updated(self, before: Any, value: Any) -> Any:
        return self.kept(value)


class TellsNoZone(DictRepository):
    """No mutant: times are in UTC, as they are in a database column that has no zone."""

    def kept(self, value: Any) -> Any:
        value = super().kept(value)
        if "+00:00" in getattr(value, "created_at", ""):
            moment = datetime.fromisoformat(value.created_at).astimezone(self.zone)
            value.created_at = moment.replace(tzinfo=None).isoformat()
        return value

    zone = timezone.utc


class TellsTimesOfItsOwnZone(TellsNoZone):
    """Times are those of a clock on a wall, five hours ahead, and do not say so."""

    zone = timezone(timedelta(hours=5))


class TakesAnyMessageId(DictRepository):
    """Whatever is given for a message's id is one."""

    def number(self, id: Any) -> Any:
        return id


class ReadsAnyMessageId(DictRepository):
    """A text with a number is read as that number."""

    def read_message(self, session_id: str, agent_id: str, message_id: Any, **kwargs: Any) -> SessionMessage | None:
        return super().read_message(session_id, agent_id, int(message_id or 0) if message_id == "0" else message_id)


class FoldsCaseOfIds(DictRepository):
    """Ids that differ in case are one."""

    def key(self, session_id: str, id: str) -> tuple[str, str]:
        return session_id.lower(), id.lower()


class IgnoresSessions(DictRepository):
    """An agent is the same in all sessions."""

    def key(self, session_id: str, id: str) -> tuple[str, str]:
        return "", id


class ForgetsUpdatesOfGraphs(DictRepository):
    """The state of a graph stays what it was first."""

    def create_multi_agent(self, session_id: str, multi_agent: Any, **kwargs: Any) -> None:
        if self.read_multi_agent(session_id, multi_agent.id) is None:
            super().create_multi_agent(session_id, multi_agent)


class TakesIdsForPaths(DictRepository):
    """Ids are resolved as paths are."""

    def key(self, session_id: str, id: str) -> tuple[str, str]:
        return session_id, posixpath.normpath(id)


class LogsUnderAgentIds(PlainRepository):
    """Writes a file for each agent, and takes the agent's id for its name."""

    def __init__(self, storage_dir: str) -> None:
        super().__init__(storage_dir)
        self._folder = Path(storage_dir)

    def create_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        (self._folder / f"{session_agent.agent_id}.log").write_text("created")
        super().create_agent(session_id, session_agent)


class JoinsAbsoluteIds(LogsUnderAgentIds):
    """Refuses what leads upwards, and forgets that an absolute path leads out as well."""

    def create_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        id = session_agent.agent_id
        if not id.strip() or {".", ".."} & {*id.split("/")} or set(id) & set("\\\0"):
            raise ValueError(f"{id!r} cannot name an agent")
        (self._folder / id).parent.mkdir(parents=True, exist_ok=True)
        super().create_agent(session_id, session_agent)


class KeepsWhatItIsGiven(DictRepository):
    """Keeps the very objects that it is given."""

    def create_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        self._agents[self.key(session_id, session_agent.agent_id)] = session_agent


class GivesWhatItKeeps(DictRepository):
    """Gives the very objects that it keeps."""

    def read_message(self, session_id: str, agent_id: str, message_id: int, **kwargs: Any) -> SessionMessage | None:
        return self._messages.get(self.key(session_id, agent_id), {}).get(self.number(message_id))


# -- storages ----------------------------------------------------------------------------------------------


class StoresText(DictStorage):
    """Takes all bytes for UTF-8."""

    def kept(self, data: bytes) -> bytes:
        return data.decode("utf-8", "replace").encode()


class TakesNothingForAbsent(DictStorage):
    """An empty value reads as if there were none."""

    async def read(self, key: str) -> bytes | None:
        return await super().read(key) or None


class CannotDeleteTheAbsent(DictStorage):
    """To delete what is not there is an error."""

    def absent(self, key: str) -> None:
        raise StorageError(f"there is no {key}")


class KeepsTheFirstSnapshots(DictStorage):
    """A snapshot that is written again stays what it was."""

    async def write(self, key: str, data: bytes) -> None:
        if not (key.endswith("snapshot_latest.json") and key in self._values):
            await super().write(key, data)


class ListsTenKeys(DictStorage):
    """A listing has ten keys at most."""

    def in_order(self, keys: list[str]) -> list[str]:
        return super().in_order(keys)[:10]


class ListsNewestFirst(SnapshotSessionManager):
    """Snapshots are listed newest first."""

    async def list_snapshot_ids(self, agent: Any, **kwargs: Any) -> list[str]:
        return list(reversed(await super().list_snapshot_ids(agent, **kwargs)))


class RestoresTheLatest(SnapshotSessionManager):
    """Whichever snapshot is asked for, the latest is restored."""

    async def restore_snapshot(self, agent: Any, *, snapshot_id: str | None = None) -> bool:
        return await super().restore_snapshot(agent)


class SavesNoSnapshotWhereTriggered(SnapshotSessionManager):
    """A trigger saves the latest snapshot alone."""

    async def _save_immutable_and_latest(self, agent: Any) -> None:
        await self._save_latest(agent)


class AsksNoTriggerOfVoices(SnapshotSessionManager):
    """A trigger is asked after invocations alone."""

    async def _on_bidi_stop_or_restart(self, event: Any) -> None:
        await self._save_latest(event.agent)


class FlushesNoRedaction(SnapshotSessionManager):
    """What a guardrail redacts is stored with the next save, whenever that is."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        pass


class SavesAfterTheRun(SnapshotSessionManager):
    """A team is saved when its invocation has ended, whatever the strategy says."""

    async def _on_after_node_call(self, event: Any) -> None:
        pass


class RestoresTeamsInOneTry(SnapshotSessionManager):
    """A team whose snapshot could not be read is not restored when it is invoked again, and saved as it is then."""

    async def _restore_multi_agent(self, orchestrator: Any) -> bool:
        self._multi_agent_restored_ids.add(orchestrator.id)
        return await super()._restore_multi_agent(orchestrator)


class SavesAfterInvocations(SnapshotSessionManager):
    """A text agent is saved when its invocation has ended, whatever the strategy says."""

    async def _on_message_added(self, event: Any) -> None:
        pass


class KnowsNoStorageOfAgents(SnapshotSessionManager):
    """Without a storage of its own, a manager keeps what it saves in memory."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        if self._storage is None:
            self._storage = InMemoryStorage()
        super().initialize(agent, **kwargs)


class PrefersTheStorageOfAgents(SnapshotSessionManager):
    """The agent's storage is used, whatever the manager was given."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        if agent.storage is not None:
            self._storage = None
        super().initialize(agent, **kwargs)


class RestoresForGood(SnapshotSessionManager):
    """What is restored is saved as the latest."""

    async def restore_snapshot(self, agent: Any, *, snapshot_id: str | None = None) -> bool:
        found = await super().restore_snapshot(agent, snapshot_id=snapshot_id)
        await self.save_snapshot(agent, is_latest=True)
        return found


class DropsTheStash(SnapshotSessionManager):
    """What a context manager has put aside is not saved."""

    async def _include_stash_data(self, agent: Any, snapshot: Any) -> None:
        pass


class LeavesTheStash(SnapshotSessionManager):
    """What a context manager has put aside outlives its session."""

    async def _delete_stash_data(self) -> None:
        pass


class ListsOnePage(DictStorage):
    """A listing has a thousand keys at most."""

    def in_order(self, keys: list[str]) -> list[str]:
        return super().in_order(keys)[:1000]


class ListsAsWritten(DictStorage):
    """Keys are listed in the order in which they were written first."""

    def in_order(self, keys: list[str]) -> list[str]:
        return keys


class ListsWholeSegments(DictStorage):
    """A prefix is taken for the name of a folder."""

    def begins(self, key: str, query: str) -> bool:
        return not query or key == query or key.startswith(query.rstrip("/") + "/")


class ListsByPattern(DictStorage):
    """A prefix is handed to a database that knows wildcards."""

    async def list(self, query: str = "") -> list[str]:
        pattern = re.escape(query).replace("%", ".*").replace("_", ".")
        return [key for key in await super().list("") if re.match(pattern, key, re.DOTALL)]


class FindsLongKeysByTheirBeginning(DictStorage):
    """A column has room for so many characters of a key."""

    def key(self, key: str) -> str:
        return key[:110]


class FindsLongKeysByTheirEnd(DictStorage):
    """A key has room for 200 characters, and its end tells it best."""

    def key(self, key: str) -> str:
        return key[-200:]


class ListsSuffixes(DictStorage):
    """Keys are listed without the prefix that was asked for."""

    async def list(self, query: str = "") -> list[str]:
        return [key.removeprefix(query) for key in await super().list(query)]


class FoldsKeys(DictStorage):
    """Keys that differ in case are one."""

    def key(self, key: str) -> str:
        return key.lower()


class TakesKeysForPaths(LocalFileStorage):
    """A key is a path, and a path may lead anywhere."""

    async def write(self, key: str, data: bytes) -> None:
        path = Path(self.base_dir) / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except (OSError, ValueError) as error:
            raise StorageError(f"{key!r} cannot be written") from error


class JoinsAbsoluteKeys(LocalFileStorage):
    """Refuses what leads upwards, and forgets that an absolute path leads out as well."""

    async def write(self, key: str, data: bytes) -> None:
        if key.startswith("/"):
            path = Path(self.base_dir) / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        else:
            await super().write(key, data)


class ResolvesKeys(DictStorage):
    """Keys are resolved as paths are."""

    def key(self, key: str) -> str:
        return posixpath.normpath(key)


class WritesInTwoHalves(DictStorage):
    """A value is written in two halves, and others come between them."""

    async def write(self, key: str, data: bytes) -> None:
        half = len(data) // 2
        await super().write(key, data[:half])
        await asyncio.sleep(0)
        await super().write(key, (self._values.get(key) or b"") + data[half:])


class RefusesKeysBelowKeys(DictStorage):
    """A key is a file or a folder, and not both."""

    async def write(self, key: str, data: bytes) -> None:
        if any(other.startswith(f"{key}/") or key.startswith(f"{other}/") for other in self._values):
            raise StorageError(f"{key!r} is in the way of another key, or the other way round")
        await super().write(key, data)


class RanksTheWorstFirst(DictStorage):
    """What fits least comes first."""

    async def search(self, query: str) -> Any:
        return list(reversed(await super().search(query)))


class FindsWhatWasDeleted(DictStorage):
    """What was deleted is still found."""

    def __init__(self) -> None:
        super().__init__()
        self._found = DictStorage()

    async def write(self, key: str, data: bytes) -> None:
        await super().write(key, data)
        await self._found.write(key, copy.copy(data))

    async def search(self, query: str) -> Any:
        return await self._found.search(query)


class HidesDottedKeys(DictStorage):
    """Keys that begin with a dot are not listed."""

    def begins(self, key: str, query: str) -> bool:
        return not key.startswith(".") and super().begins(key, query)
