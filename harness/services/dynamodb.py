"""DynamoDB: moto's server in this process, or one that runs already; a workspace's tables have its name in theirs."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..s3 import REGION, NoEndpoint, moto
from ..s3 import Seam as HttpServer
from .process import ServerProcess
from .programs import NoService, Program
from .service import Address, Service

if TYPE_CHECKING:
    from .service import Place


@functools.cache
def boto_session() -> Any:
    """Return a session of boto3, made once a process: each takes a second to read what it knows of AWS.

    Its region and its credentials are those of the environment variables.
    """
    import boto3

    return boto3.Session()


class DynamoDB(Service):
    """A DynamoDB endpoint. What moto keeps lies in this process's memory, so it is never killed."""

    name = "dynamodb"
    schemes = ("http", "https")
    usual_port = 8000
    program = Program(names=("moto",))
    parts = ("endpoint", "host", "port")

    def __init__(self, given: str | None = None) -> None:
        self._http: HttpServer | None = None
        super().__init__(given)

    def _started(self) -> Address:
        try:
            self._http = HttpServer(moto("dynamodb"))
        except NoEndpoint as error:
            raise NoService(str(error).replace("--s3-endpoint", "--service dynamodb=http://...")) from error
        _, _, port = self._http.start().rpartition(":")
        return Address("127.0.0.1", int(port))

    def values(self, place: Place) -> dict[str, str]:
        """Return what stands for the placeholders: ``{dynamodb_endpoint}`` and the parts of it."""
        host, port = "127.0.0.1", str(place.seam.port)
        found = {"endpoint": f"{self.scheme}://{host}:{port}", "host": host, "port": port}
        return {f"{self.name}_{part}": value for part, value in found.items()}

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables that a client finds its region and its credentials by."""
        defaults = {"AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
        if self.is_ours:
            defaults |= {"AWS_ACCESS_KEY_ID": "conformance", "AWS_SECRET_ACCESS_KEY": "conformance"}
        return {name: os.environ.get(name, value) for name, value in defaults.items()}

    def _client(self) -> Any:
        import boto3

        where = self.environment()
        session = boto3.Session(
            region_name=where["AWS_DEFAULT_REGION"],
            aws_access_key_id=where.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=where.get("AWS_SECRET_ACCESS_KEY"),
        )
        return session.client("dynamodb", endpoint_url=f"{self.scheme}://{self.address.host}:{self.address.port}")

    def _greet(self) -> None:
        self._admin = self._client()
        self._admin.list_tables(Limit=1)

    def _make(self, name: str) -> str:
        return name

    def _empty(self, database: str) -> None:
        self._drop(database)

    def _drop(self, database: str) -> None:
        for page in self._admin.get_paginator("list_tables").paginate():
            for table in page["TableNames"]:
                if database in table:
                    self._admin.delete_table(TableName=table)

    def stop(self) -> None:
        """Drop every place, and serve no more."""
        super().stop()
        if self._http is not None:
            self._http.stop()

    def _prepare(self, process: ServerProcess, program: Path) -> Address:
        raise NotImplementedError

    def _command(self, process: ServerProcess, program: Path, port: int) -> list[str]:
        raise NotImplementedError
