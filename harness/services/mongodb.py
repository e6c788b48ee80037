"""MongoDB: a database for each workspace."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from .keeping import Keeping
from .process import ServerProcess
from .programs import Program
from .service import Address, Service


class MongoDB(Service):
    """A MongoDB server. It is prepared with ``pymongo``, which any backend on MongoDB brings along."""

    name = "mongodb"
    schemes = ("mongodb",)
    usual_port = 27017
    program = Program(names=("mongod",), places=("/opt/mongodb*/bin", "/usr/local/opt/mongodb-community*/bin"))

    def _prepare(self, process: ServerProcess, program: Path) -> Address:
        (process.folder / "data").mkdir()
        return Address("", 0)

    def _command(self, process: ServerProcess, program: Path, port: int) -> list[str]:
        where = ["--dbpath", str(process.folder / "data"), "--port", str(port), "--bind_ip", "127.0.0.1"]
        return [str(program), *where, "--nounixsocket"]

    def _client(self, host: str = "", port: int = 0) -> Any:
        pymongo: Any = importlib.import_module("pymongo")  # which only who has MongoDB has
        where = self.address
        options = {"username": where.user, "password": where.password} if where.user else {}
        return pymongo.MongoClient(host or where.host, port or where.port, serverSelectionTimeoutMS=30_000, **options)

    def _greet(self) -> None:
        with self._client() as client:
            client.admin.command("ping")

    def _make(self, name: str) -> str:
        return name  # it is there as soon as something is stored in it

    def _empty(self, database: str) -> None:
        self._drop(database)

    def _drop(self, database: str) -> None:
        with self._client() as client:
            client.drop_database(database)

    def _keeping(self, host: str, port: int, database: str) -> Keeping:
        client = self._client(host, port)
        kept = client[database].get_collection(
            "kept", write_concern=importlib.import_module("pymongo").WriteConcern(j=True)
        )
        return Keeping(
            lambda name, data: kept.replace_one({"_id": name}, {"bytes": data}, upsert=True),
            lambda name: bytes(kept.find_one({"_id": name})["bytes"]),
            client.close,
        )
