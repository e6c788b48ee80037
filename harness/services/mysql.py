"""MySQL and MariaDB: a database for each workspace."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ._admin import Admin
from ._contents import as_bytes
from .keeping import Keeping
from .process import ServerProcess
from .programs import NoService, Program
from .service import Address, Service


class MySQL(Service):
    """A MariaDB or MySQL server. It syncs its log at each commit, as it does for its users."""

    name = "mysql"
    schemes = ("mysql", "mariadb")
    usual_port = 3306
    program = Program(names=("mariadbd", "mysqld"), places=("/usr/sbin", "/usr/libexec"), debian="mariadb-server")
    user = "nobody"  # it refuses to run as root, too
    stop_signal = signal.SIGKILL  # all that it has lies in its folder, and it takes long to end by itself

    def __init__(self, given: str | None = None) -> None:
        self._admin = Admin(lambda: self._connect(self.address.host, self.address.port))
        super().__init__(given)

    def _prepare(self, process: ServerProcess, program: Path) -> Address:
        data = process.folder / "data"
        process.give(process.folder)
        if program.name == "mysqld":
            command = [str(program), "--no-defaults", "--initialize-insecure", f"--datadir={data}"]
        else:
            installer = shutil.which("mariadb-install-db") or str(program.parent.parent / "bin" / "mariadb-install-db")
            command = [installer, "--no-defaults", f"--datadir={data}", "--skip-test-db", "--skip-name-resolve"]
            command += ["--auth-root-authentication-method=normal"]
        command += [f"--user={process.user}"] if process.user else []
        surroundings = {**os.environ, "TMPDIR": str(process.folder)}  # ours may be closed to the server's user
        done = subprocess.run(
            command, cwd=process.folder, env=surroundings, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NoService(f"{self.name}: {command[0]} failed: {' '.join((done.stderr or done.stdout).split())}")
        return Address("", 0, user="root")

    def _command(self, process: ServerProcess, program: Path, port: int) -> list[str]:
        return [
            str(program),
            "--no-defaults",
            f"--datadir={process.folder / 'data'}",
            f"--tmpdir={process.folder}",
            f"--socket={process.folder / 'server.socket'}",
            f"--pid-file={process.folder / 'mysql.pid'}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
            "--max-connections=400",
        ]

    def _connect(self, host: str, port: int, database: str | None = None) -> Any:
        import pymysql  # type: ignore[import-untyped, import-not-found, unused-ignore]

        return pymysql.connect(
            host=host,
            port=port,
            user=self.address.user or "root",
            password=self.address.password,
            database=database,
            autocommit=True,
            connect_timeout=30,
            read_timeout=30,
        )

    def _run(self, *statements: str) -> list[Any]:
        def run(connection: Any) -> list[Any]:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())

        return self._admin.do(run)

    def stop(self) -> None:
        """Drop every place, and end the server if this run started it."""
        super().stop()
        self._admin.close()

    def _greet(self) -> None:
        self._run("SELECT 1")

    def contents(self, database: str) -> dict[str, bytes]:
        """Return the rows of each table."""
        tables = self._tables_of(database)
        return {table: as_bytes(self._run(f"SELECT * FROM `{database}`.`{table}`")) for table in tables}

    @contextlib.contextmanager
    def refusing_writes(self, database: str) -> Iterator[None]:
        """Let what is written to the tables that there are raise ``ER_DISK_FULL`` (1021)."""
        tables = self._tables_of(database)
        triggers = [
            (f"`{database}`.`conformance_{number}_{what}`", f"BEFORE {what} ON `{database}`.`{table}` FOR EACH ROW")
            for number, table in enumerate(tables)
            for what in ("INSERT", "UPDATE", "DELETE")
        ]
        refusal = "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1021, MESSAGE_TEXT = 'there is no room left'"
        try:
            self._run(
                "SET lock_wait_timeout = 5",
                *(f"CREATE TRIGGER {name} {when} {refusal}" for name, when in triggers),
            )
            yield
        finally:
            self._run(*(f"DROP TRIGGER IF EXISTS {name}" for name, _ in triggers))

    def _tables_of(self, database: str) -> list[str]:
        found = self._run(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{database}'")
        return [table for [table] in found]

    def _make(self, name: str) -> str:
        # As MySQL, and MariaDB as Debian installs it, make one by themselves. Without a configuration, an older MariaDB
        # makes it in latin1, which has no place for most of what is written in the world.
        self._run(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        return name

    def _empty(self, database: str) -> None:
        clearing = [f"DELETE FROM `{database}`.`{table}`" for table in self._tables_of(database)]
        self._run("SET foreign_key_checks = 0", *clearing)

    def _drop(self, database: str) -> None:
        import pymysql  # type: ignore[import-untyped, import-not-found, unused-ignore]

        def drop(connection: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (database,))
                for [number] in cursor.fetchall():
                    with contextlib.suppress(pymysql.MySQLError):  # it may have ended by itself
                        cursor.execute(f"KILL {number}")
                cursor.execute(f"DROP DATABASE IF EXISTS `{database}`")

        self._admin.do(drop)

    def _keeping(self, host: str, port: int, database: str) -> Keeping:
        client = self._connect(host, port, database)
        cursor = client.cursor()
        cursor.execute("CREATE TABLE kept (name varchar(40) PRIMARY KEY, bytes longblob)")

        def load(name: str) -> bytes:
            cursor.execute("SELECT bytes FROM kept WHERE name = %s", (name,))
            found: bytes = cursor.fetchone()[0]
            return found

        return Keeping(
            lambda name, data: cursor.execute("REPLACE INTO kept VALUES (%s, _binary %s)", (name, data)),
            load,
            client.close,
        )
