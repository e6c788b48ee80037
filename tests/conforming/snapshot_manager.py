"""A correct session manager of another design: the whole history in one JSON file, rewritten for each change."""

import asyncio
import copy
import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from session_conformance.reference_impl.log.codec import decode, encode
from strands import Agent, Snapshot
from strands.agent.state import AgentState
from strands.bidi.hooks import BidiAgentStopEvent, BidiBeforeConnectionRestartEvent
from strands.hooks import (
    AfterInvocationEvent,
    AgentInitializedEvent,
    HookOrder,
    HookRegistry,
    MessageAddedEvent,
    MessageUpdatedEvent,
)
from strands.session import SessionManager
from strands.types.exceptions import SessionException

ASKED_EACH_DAY = ("ord", "upd", "rpl", "con", "cor")
"""The groups of requirements that the manager of this module is judged by each day, as a user would judge it."""

_WRITER = ThreadPoolExecutor(max_workers=1)


class SnapshotFileManager(SessionManager[Any]):
    """Writes a file beside the old one, syncs it, and puts it in the old one's place."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        if not session_id.strip() or session_id in (".", "..") or set(session_id) & set("/\\\0"):
            raise ValueError(f"{session_id!r} cannot name a session")
        self.session_id = session_id
        self._folder = self.place(storage_dir) / self.folder_name(session_id)
        self._agents: set[str] = set()
        self._saved: dict[str, bytes] = {}
        self._sealed: dict[str, bytes] = {}
        self._attempted: dict[str, bytes] = {}
        self._postponed: list[Callable[[], None]] | None = None
        self._name_is_synced = False

    # -- the parts that mutants break ----------------------------------------------------------------------

    added_order = HookOrder.SDK_FIRST
    updated_order = HookOrder.SDK_FIRST
    stop_orders = (HookOrder.SDK_FIRST, HookOrder.SDK_LAST)

    folder_mode = 0o700

    def place(self, storage_dir: str) -> Path:
        """Return the folder of all sessions, wherever the process goes from here."""
        return Path(storage_dir).absolute()

    def folder_name(self, session_id: str) -> str:
        return hashlib.sha256(session_id.encode()).hexdigest()[:32]

    def path(self, agent_id: str) -> Path:
        return self._folder / hashlib.sha256(agent_id.encode()).hexdigest()[:32]

    def on_added(self, event: Any) -> None:
        self.check_message(event.message)
        self.save(event.agent)

    def check_message(self, message: Any) -> None:
        """Refuse what is no message: a restore could make nothing of it."""
        check_message(message)

    def on_updated(self, event: Any) -> None:
        self.save(event.agent)

    def on_restart(self, event: Any) -> None:
        self.save(event.agent)

    def on_stop(self, event: Any) -> None:
        self.save(event.agent)

    def messages_of(self, agent: Any) -> list[Any]:
        """Return the messages to be stored."""
        return list(agent.messages)

    def state_of(self, agent: Any) -> dict[str, Any]:
        """Return the state to be stored."""
        return dict(agent.state.get())

    def rest_of(self, agent: Any) -> dict[str, Any]:
        """Return what else is to be stored of a text agent: its conversation manager, interrupts, and model."""
        if not isinstance(agent, Agent):
            return {}
        return dict(agent.take_snapshot(preset="session", exclude=["messages", "state"]).data)

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        if rest:
            agent.load_snapshot(Snapshot(scope="agent", schema_version="1.0", data=rest, app_data={}))

    def restored(self, messages: list[Any]) -> list[Any]:
        """Return the messages that an agent is given of those that are stored."""
        return answered(messages)

    def pack(self, content: dict[str, Any]) -> bytes:
        return encode(content)

    def unpack(self, data: bytes) -> Any:
        return decode(data)

    def seal(self, data: bytes) -> bytes:
        """Return what is written for some data: its checksum ahead of it."""
        return hashlib.sha256(data).hexdigest().encode() + b"\n" + data

    def unseal(self, sealed: bytes) -> bytes:
        checksum, _, data = sealed.partition(b"\n")
        if checksum != hashlib.sha256(data).hexdigest().encode():
            raise ValueError("its checksum does not fit")
        return data

    def write(self, path: Path, data: bytes) -> None:
        temporary = path.with_suffix(".new")
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            self.sync(file.fileno())
        temporary.replace(path)
        self.sync_folder(path.parent)

    def sync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def sync_folder(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_name_of_folder(self, folder: Path, *, made: bool) -> None:
        """Sync what a session's folder is called: whoever made it may have been killed before it did."""
        if made or not self._name_is_synced:
            self.sync_folder(folder.parent)
            self._name_is_synced = True

    def check_whose(self, content: dict[str, Any], agent_id: str) -> None:
        """Refuse what was written for another session or another agent, and lies here by mistake."""
        if (content["session_id"], content["agent_id"]) != (self.session_id, agent_id):
            raise ValueError(f"it is agent {content['agent_id']!r} of session {content['session_id']!r}")

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        if self.read(path) not in (self._sealed.get(agent_id), self._attempted.get(agent_id)):
            raise SessionException(f"session {self.session_id!r}: another process has written {path}")

    async def in_background(self, work: Callable[[], None]) -> None:
        """Do what takes as long as storage takes on another thread, in the order of calls."""
        await asyncio.get_running_loop().run_in_executor(_WRITER, work)

    # -- a session manager ---------------------------------------------------------------------------------

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        def hook(name: str) -> Callable[[Any], Awaitable[None]]:
            async def persist(event: Any) -> None:
                self._postponed = []
                try:
                    getattr(self, name)(event)
                finally:
                    postponed, self._postponed = self._postponed, None
                for write in postponed:
                    await self.in_background(write)

            return persist

        registry.add_callback(AgentInitializedEvent, lambda event: self.initialize(event.agent))
        registry.add_callback(MessageAddedEvent, hook("on_added"), order=self.added_order)
        registry.add_callback(MessageUpdatedEvent, hook("on_updated"), order=self.updated_order)
        registry.add_callback(BidiBeforeConnectionRestartEvent, hook("on_restart"), order=HookOrder.SDK_FIRST)
        for order in self.stop_orders:
            registry.add_callback(AfterInvocationEvent, hook("on_stop"), order=order)
            registry.add_callback(BidiAgentStopEvent, hook("on_stop"), order=order)

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        self.claim(agent)
        data = self.load(agent)
        if data is None:
            self.save(agent)
            return
        self._saved[agent.agent_id] = data
        try:
            content = self.unpack(data)
            self.check_whose(content, agent.agent_id)
            # A text agent answers tool uses at the very end by itself, or goes on with them after an interrupt.
            messages = content["messages"] if isinstance(agent, Agent) else self.restored(content["messages"])
            agent.messages = messages
            agent.state = AgentState(content["state"])
            self.restore_rest(agent, content["rest"])
        except (ValueError, KeyError, TypeError) as error:
            path = self.path(agent.agent_id)
            raise SessionException(f"session {self.session_id!r}: {path} is damaged: {error!r}") from error

    def claim(self, agent: Any) -> None:
        if agent.agent_id in self._agents:
            raise SessionException(f"agent {agent.agent_id!r} is in session {self.session_id!r} already")
        self._agents.add(agent.agent_id)

    def load(self, agent: Any) -> bytes | None:
        path = self.path(agent.agent_id)
        sealed = self.read(path)
        if sealed is None:
            return None
        self._sealed[agent.agent_id] = sealed
        try:
            return self.unseal(sealed)
        except ValueError as error:
            raise SessionException(f"session {self.session_id!r}: {path} is damaged: {error}") from error

    def read(self, path: Path) -> bytes | None:
        try:
            if path.is_symlink():
                raise OSError("it is a symbolic link")
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SessionException(f"session {self.session_id!r}: {path} cannot be read: {error}") from error

    def save(self, agent: Any) -> None:
        content = {
            "session_id": self.session_id, "agent_id": agent.agent_id, "messages": self.messages_of(agent),
            "state": self.state_of(agent), "rest": self.rest_of(agent),
        }  # fmt: skip
        data = self.pack(copy.deepcopy(content))
        if self._saved.get(agent.agent_id) == data or self._same_as_saved(agent, content):
            return
        write = partial(self._write_for_good, agent.agent_id, self.path(agent.agent_id), data)
        if self._postponed is None:
            write()
        else:
            self._postponed.append(write)

    def _write_for_good(self, agent_id: str, path: Path, data: bytes) -> None:
        sealed = self.seal(data)
        try:
            made = not path.parent.is_dir()
            if made:
                path.parent.mkdir(self.folder_mode, parents=True, exist_ok=True)
            self.sync_name_of_folder(path.parent, made=made)
            descriptor = os.open(path.parent, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self.check_nobody_else_wrote(path, agent_id)
                self._attempted[agent_id] = sealed  # where the last step fails, nobody can say whether it is stored
                self.write(path, sealed)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise SessionException(f"session {self.session_id!r}: {path} cannot be written: {error}") from error
        self._saved[agent_id], self._sealed[agent_id] = data, sealed

    def delete_session(self, session_id: str) -> None:
        shutil.rmtree(self._folder.parent / self.folder_name(session_id))

    @staticmethod
    def list_sessions(storage_dir: str) -> list[Any]:
        found = []
        for path in Path(storage_dir).glob("*/*"):
            content = decode(path.read_bytes().partition(b"\n")[2])
            written = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
            found.append(SimpleNamespace(session_id=content["session_id"], updated_at=written))
        return found

    def _same_as_saved(self, agent: Any, content: dict[str, Any]) -> bool:
        """Whether the agent has what is stored, but for what a restore made up: opening must write nothing."""
        saved = self._saved.get(agent.agent_id)
        if saved is None:
            return False
        stored = self.unpack(saved)
        unchanged = stored["state"] == content["state"] and stored["rest"] == content["rest"]
        return bool(unchanged and self.restored(stored["messages"]) == content["messages"])

    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        self.save(agent)

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        self.save(agent)

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        self.save(agent)


def check_message(message: Any) -> None:
    """Raise ``ValueError`` for what is no message, or has a block that is none."""
    content = message.get("content")
    if message.get("role") not in ("user", "assistant") or not isinstance(content, list):
        raise ValueError(f"a message has a role and a list of content blocks, and this is {message!r:.200}")
    for block in content:
        if not isinstance(block, dict):
            raise ValueError(f"a content block is a dict, and this is {block!r:.200}")
        for kind in ("toolUse", "toolResult"):
            if kind in block and not isinstance((block[kind] or {}).get("toolUseId"), str):
                raise ValueError(f"a {kind} has a toolUseId, and this is {block!r:.200}")


def answered(messages: list[Any]) -> list[Any]:
    """Return a history in which each tool use has one result right behind it, made up where none came, and no other."""
    whole: list[Any] = []
    owed: list[str] = []
    for message in [*copy.deepcopy(messages), None]:
        content = (message or {}).get("content", [])
        results = {block["toolResult"]["toolUseId"]: block for block in content if "toolResult" in block}
        others = [block for block in content if "toolResult" not in block]
        given = [results[id] for id in results if id in owed]
        made_up = [_made_up(id) for id in owed if id not in results]
        if given:
            message["content"] = [*given, *made_up, *others]
        elif owed:
            tracking_id = str(uuid.uuid5(uuid.NAMESPACE_OID, str(whole[-1].get("tracking_id"))))
            whole.append({"role": "user", "content": made_up, "tracking_id": tracking_id})
        if message is not None and not given:
            message["content"] = others
        if message is not None and (message["content"] or not results):
            whole.append(message)
        owed = [block["toolUse"]["toolUseId"] for block in others if "toolUse" in block]
    return whole


def _made_up(id: str) -> Any:
    return {"toolResult": {"toolUseId": id, "status": "error", "content": [{"text": "Tool was interrupted."}]}}
