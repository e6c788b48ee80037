"""The actor: one process of a soak, which does what its life says and tells of each operation before and after it."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from multiprocessing.connection import Connection
from typing import Any

from ..conversations import Appender, Die, Session
from ..process import clock, fail_writes, let_writes_work, skew_clock, tolerating_warnings
from ..sdk import SDK_EXCEPTIONS, Message
from . import plan
from .history import FAILED, INVOKED, OK, Record
from .plan import Life

_TOKEN = re.compile(r"\btoken-\d+\.\d+\b")
_MOST_WORDS = 400
_CLOCKS_S = (0, 0, -3600, 90, 3600)
"""In seconds: how far the clocks of processes that share a server are ahead, or behind."""


def act(session: Session, _: Die, tell: Connection, seed: int, life: Life, troubled: bool) -> str:
    """Do what a life says, in a process of its own.

    Args:
        session: The session that the life works on.
        tell: Where records go: a pipe, which failing writes to files do not reach.
        seed: The soak's seed.
        life: What to do.
        troubled: Whether something goes wrong between this process and its server at any moment; its clock is then
            wrong as well.
    """
    if troubled:
        skew_clock(random.Random(f"{seed}/{life.number}/clock").choice(_CLOCKS_S))
    with tolerating_warnings():
        clock.run(_Actor(session, tell, seed, life, troubled).live())
    return "ended"


def tokens_of(messages: list[Message]) -> tuple[str, ...]:
    """Return what the messages of a history are known by. One that was redacted, or has no text yet, has nothing."""
    return tuple(token for message in messages for token in _TOKEN.findall(json.dumps(message["content"])))


class _Actor:
    """A process's life."""

    def __init__(self, session: Session, tell: Connection, seed: int, life: Life, troubled: bool) -> None:
        self._session = session
        self._tell = tell
        self._seed = seed
        self._life = life
        self._appender: Appender | None = None
        self._manager: Any = None
        self._own: set[str] = set()
        self._troubled = troubled
        self._faulty = troubled
        self._syncs = (os.fsync, os.fdatasync)
        self._does: dict[str, Callable[[str], Awaitable[tuple[str, ...]]]] = {
            plan.OPEN: self._open,
            plan.APPEND: self._append,
            plan.STREAM: self._stream,
            plan.REDACT: self._redact,
            plan.READ: self._read,
            plan.STOP: self._stop,
            plan.DELETE: self._delete,
            plan.CLEAN_UP: self._clean_up,
            plan.REPAIR: self._repair,
        }

    async def live(self) -> None:
        """Do every operation in turn, and tell of each."""
        for index, operation in enumerate(self._life.operations):
            if operation in (plan.WRITES_FAIL, plan.SYNCS_FAIL, plan.STORAGE_WORKS):
                self._break(operation)
            elif not await self._do(index, operation):
                break
        self._break(plan.STORAGE_WORKS)

    async def _do(self, index: int, operation: str) -> bool:
        """Do one operation; return whether the life goes on."""
        token = self._token_for(index, operation)
        if token is None:
            return True
        self._record(INVOKED, index, operation, token=token)
        try:
            found = await self._does[operation](token)
        except Exception as error:
            text = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
            self._record(FAILED, index, operation, token=token, error=text, clear=isinstance(error, SDK_EXCEPTIONS))
            return operation != plan.OPEN
        self._record(OK, index, operation, token=token, found=found)
        return True

    def _token_for(self, index: int, operation: str) -> str | None:
        """Return the token of the message that an operation is about, "" for none; None where it has nothing to do."""
        if operation in (plan.APPEND, plan.STREAM):
            return f"token-{self._life.number}.{index}"
        if operation == plan.REDACT:
            latest = tokens_of(self._appender.agent.messages[-1:]) if self._appender else ()
            return latest[0] if latest and latest[0] in self._own else None
        backend = self._session.backend
        offered = {plan.DELETE: backend.delete, plan.CLEAN_UP: backend.clean_up, plan.REPAIR: backend.repair}
        return None if operation in offered and offered[operation] is None else ""

    def _record(self, event: str, index: int, operation: str, **said: Any) -> None:
        now = time.monotonic_ns()
        record = Record(
            now, self._life.number, event, index, operation, self._session.session_id, faulty=self._faulty, **said
        )
        self._tell.send_bytes(record.to_json().encode())

    def _break(self, how: str) -> None:
        self._faulty = self._troubled or how != plan.STORAGE_WORKS
        if how == plan.WRITES_FAIL:
            fail_writes()
        elif how == plan.SYNCS_FAIL:
            os.fsync = os.fdatasync = _failing_sync  # type: ignore[assignment]
        else:
            let_writes_work()
            os.fsync, os.fdatasync = self._syncs

    # -- the operations ------------------------------------------------------------------------------------

    async def _open(self, _: str) -> tuple[str, ...]:
        self._manager = self._session.backend.open(self._session.session_id, self._session.workspace)
        appender = Appender(self._manager)
        found = tokens_of(appender.agent.messages)
        await appender.start()
        self._appender = appender
        return found

    async def _append(self, token: str) -> tuple[str, ...]:
        assert self._appender is not None
        self._own.add(token)
        await self._appender.append(self._message(token))
        return ()

    async def _stream(self, token: str) -> tuple[str, ...]:
        assert self._appender is not None
        self._own.add(token)
        await self._appender.stream(self._message(token))
        return ()

    async def _redact(self, _: str) -> tuple[str, ...]:
        assert self._appender is not None
        latest = self._appender.agent.messages[-1]
        latest["content"] = [{"text": "this was removed"}]
        self._manager.redact_latest_message(latest, self._appender.agent)
        return ()

    async def _read(self, _: str) -> tuple[str, ...]:
        reading = self._session.read()
        if reading.error:
            raise _reading_error(reading.error, reading.is_clear)
        return tokens_of(reading.messages)

    async def _stop(self, _: str) -> tuple[str, ...]:
        assert self._appender is not None
        await self._appender.stop()
        return ()

    async def _delete(self, _: str) -> tuple[str, ...]:
        delete = self._session.backend.delete
        assert delete is not None
        delete(self._session.session_id, self._session.workspace)
        return ()

    async def _clean_up(self, _: str) -> tuple[str, ...]:
        clean_up = self._session.backend.clean_up
        assert clean_up is not None
        later = datetime.now(timezone.utc) + timedelta(days=2)
        clean_up(timedelta(days=1), workspace=self._session.workspace, now=later)
        return ()

    async def _repair(self, _: str) -> tuple[str, ...]:
        repair = self._session.backend.repair
        assert repair is not None
        repair(self._session.session_id, self._session.workspace)
        return ()

    def _message(self, token: str) -> Message:
        chance = random.Random(f"{self._seed}/{token}")
        words = "and so we talked on " * chance.randint(0, _MOST_WORDS // 5)
        return {
            "role": chance.choice(("user", "assistant")),
            "content": [{"text": f"{token} {words}"}],
            "tracking_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._seed}/{token}")),
            "metadata": {"custom": {"bidi": {"kind": "text", "status": "complete"}}},
        }


class _CannotRead(Exception):
    """A session that a reader could not restore."""


class _Refused(SDK_EXCEPTIONS[0]):  # type: ignore[misc,valid-type]
    """A session that a reader could not restore, and was told so by one of the SDK's exceptions."""


def _reading_error(text: str, is_clear: bool) -> Exception:
    return _Refused(text) if is_clear else _CannotRead(text)


def _failing_sync(_: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))
