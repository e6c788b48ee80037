"""DynamoDB: moto's server in this process, or one that runs already; a workspace's tables have its name in theirs."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..s3 import REGION, Answer, NoEndpoint, Request, moto
from ..s3 import Seam as HttpServer
from ._contents import as_bytes
from .keeping import Keeping
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


def _operation(request: Request) -> str:
    target = next((value for name, value in request.headers if name.lower() == "x-amz-target"), "")
    return target.rpartition(".")[2]


class _OneByOne:
    """Carries requests out one after another, and a transaction that is sent again only once, as DynamoDB does.

    moto does neither: two writes with a condition may both find it met, a transaction that fails takes back what
    others wrote meanwhile, and clients send a transaction whose answer was lost again, with the same token.

    Args:
        upstream: Carries a request out.
    """

    def __init__(self, upstream: Callable[[Request], Answer]) -> None:
        self._upstream = upstream
        self._lock = threading.Lock()
        self._done: OrderedDict[str, tuple[Any, Answer]] = OrderedDict()

    def __call__(self, request: Request) -> Answer:
        with self._lock:
            if _operation(request) != "TransactWriteItems":
                return self._upstream(request)
            asked = json.loads(request.body)
            token = asked.get("ClientRequestToken")
            if token in self._done:
                before, answer = self._done[token]
                return answer if before == asked else _OTHER_PARAMETERS
            answer = self._upstream(request)
            if token is not None and answer.status == _OK:  # what failed may be tried again
                self._done[token] = asked, answer
                if len(self._done) > _REMEMBERED:
                    self._done.popitem(last=False)
            return answer


_OK = 200
_REMEMBERED = 1000
"""DynamoDB remembers a token for ten minutes (API reference, ``TransactWriteItems``)."""

_OTHER_PARAMETERS = Answer(
    400,
    [("Content-Type", "application/x-amz-json-1.0")],
    b'{"__type": "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException", "Message": "Request rejected'
    b' because it was retried with a token that was used before, with other parameters"}',
)


class _Lagging:
    """Carries requests out on moto, and some reads on what moto had a while ago.

    Args:
        upstream: Carries a request out.
    """

    def __init__(self, upstream: Callable[[Request], Answer]) -> None:
        self._upstream = upstream
        self._before: dict[Any, Any] | None = None

    def __call__(self, request: Request) -> Answer:
        if self._before is None or not _may_be_late(request):
            return self._upstream(request)
        now = _tables()
        try:
            _put_back({place: self._as_before(place, tables) for place, tables in now.items()})
            return self._upstream(request)
        finally:
            _put_back(now)

    def _as_before(self, place: Any, tables: dict[str, Any]) -> dict[str, Any]:
        """Return the tables of a place as they were; those that were made since then are empty."""
        assert self._before is not None
        before = dict(self._before.get(place, {}))
        for name in tables.keys() - before.keys():
            before[name] = copy.deepcopy(tables[name])
            before[name].items.clear()
        return before

    @contextlib.contextmanager
    def behind(self) -> Iterator[None]:
        self._before = {place: copy.deepcopy(tables) for place, tables in _tables().items()}
        try:
            yield
        finally:
            self._before = None


def _may_be_late(request: Request) -> bool:
    reads = _operation(request) in ("GetItem", "Query", "Scan", "BatchGetItem")
    return reads and b'"ConsistentRead":true' not in request.body.replace(b" ", b"")


def _tables() -> dict[Any, Any]:
    """Return moto's tables, by account and region."""
    from moto.dynamodb.models import dynamodb_backends

    return {
        (account, region): backend.tables
        for account, regions in list(dynamodb_backends.items())
        for region, backend in list(regions.items())
    }


def _put_back(tables: dict[Any, Any]) -> None:
    from moto.dynamodb.models import dynamodb_backends

    for account, regions in list(dynamodb_backends.items()):
        for region, backend in list(regions.items()):
            backend.tables = tables.get((account, region), {})


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
            self._lagging = _Lagging(moto("dynamodb"))
            self._http = HttpServer(_OneByOne(self._lagging))
        except NoEndpoint as error:
            raise NoService(str(error).replace("--s3-endpoint", "--service dynamodb=http://...")) from error
        _, _, port = self._http.start().rpartition(":")
        return Address("127.0.0.1", int(port))

    @contextlib.contextmanager
    def late_reads(self) -> Iterator[None]:
        """Answer reads from what was stored when this began, unless they ask for consistency, as DynamoDB may.

        A read sees what was written a moment ago only with ``ConsistentRead`` (developer guide, "Read consistency").
        """
        with self._lagging.behind():
            yield

    @property
    def may_be_late(self) -> bool:
        """Whether reads can be made late: where moto is the server."""
        return self.is_ours

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

    def _client(self, host: str = "", port: int = 0) -> Any:
        import boto3

        where = self.environment()
        session = boto3.Session(
            region_name=where["AWS_DEFAULT_REGION"],
            aws_access_key_id=where.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=where.get("AWS_SECRET_ACCESS_KEY"),
        )
        return session.client(
            "dynamodb", endpoint_url=f"{self.scheme}://{host or self.address.host}:{port or self.address.port}"
        )

    def _greet(self) -> None:
        self._admin = self._client()
        self._admin.list_tables(Limit=1)

    def _make(self, name: str) -> str:
        return name

    def _empty(self, database: str) -> None:
        self._drop(database)

    def _drop(self, database: str) -> None:
        for table in self._tables_of(database):
            self._admin.delete_table(TableName=table)

    def _tables_of(self, database: str) -> list[str]:
        pages = self._admin.get_paginator("list_tables").paginate()
        return [table for page in pages for table in page["TableNames"] if database in table]

    def contents(self, database: str) -> dict[str, bytes]:
        """Return the items of each table."""
        pages = self._admin.get_paginator("scan").paginate
        return {
            table: as_bytes([page["Items"] for page in pages(TableName=table, ConsistentRead=True)])
            for table in self._tables_of(database)
        }

    def lifetimes(self, database: str) -> list[float]:
        """Return how long items will still be there, in seconds, of all that have their table's attribute for it."""
        return [until - time.time() for _, _, _, until in self._expiring(database)]

    def age(self, database: str, seconds: float) -> None:
        """Let items expire sooner. Of those whose time is over every other one is gone, and the others linger.

        DynamoDB removes expired items within some days, one by one and in no order (developer guide, "Using time to
        live"), so a reader finds any of them.
        """
        expired = 0
        for table, key, attribute, until in list(self._expiring(database)):
            if until - seconds <= time.time():
                expired += 1
                if expired % 2:
                    self._admin.delete_item(TableName=table, Key=key)
                    continue
            self._admin.update_item(
                TableName=table,
                Key=key,
                UpdateExpression="SET #attribute = :until",
                ExpressionAttributeNames={"#attribute": attribute},
                ExpressionAttributeValues={":until": {"N": str(int(until - seconds))}},
            )

    def _expiring(self, database: str) -> Iterator[tuple[str, dict[str, Any], str, float]]:
        """Yield each item that expires: its table, its key, the attribute that says when, and what that says."""
        for table in self._tables_of(database):
            described = self._admin.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
            attribute = described.get("AttributeName", "")
            names = [
                part["AttributeName"] for part in self._admin.describe_table(TableName=table)["Table"]["KeySchema"]
            ]
            for page in self._admin.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
                for item in page["Items"]:
                    if "N" in item.get(attribute, ()):
                        yield table, {name: item[name] for name in names}, attribute, float(item[attribute]["N"])

    def _keeping(self, host: str, port: int, database: str) -> Keeping:
        client, table = self._client(host, port), f"{database}_kept"
        key = [{"AttributeName": "name", "KeyType": "HASH"}, {"AttributeName": "piece", "KeyType": "RANGE"}]
        attributes = [("name", "S"), ("piece", "N")]
        client.create_table(
            TableName=table,
            KeySchema=key,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in attributes],
            BillingMode="PAY_PER_REQUEST",
        )

        def store(name: str, data: bytes) -> None:
            for piece in range(0, len(data), _ITEM):
                item = {"name": {"S": name}, "piece": {"N": str(piece)}, "bytes": {"B": data[piece : piece + _ITEM]}}
                client.put_item(TableName=table, Item=item)

        def load(name: str) -> bytes:
            pages = client.get_paginator("query").paginate(
                TableName=table,
                KeyConditionExpression="#name = :name",
                ExpressionAttributeNames={"#name": "name"},
                ExpressionAttributeValues={":name": {"S": name}},
                ConsistentRead=True,
            )
            return b"".join(item["bytes"]["B"] for page in pages for item in page["Items"])

        return Keeping(store, load, client.close)

    def stop(self) -> None:
        """Drop every place, and serve no more."""
        super().stop()
        if self._http is not None:
            self._http.stop()

    def _prepare(self, process: ServerProcess, program: Path) -> Address:
        raise NotImplementedError

    def _command(self, process: ServerProcess, program: Path, port: int) -> list[str]:
        raise NotImplementedError


_ITEM = 390_000
"""In bytes: an item has at most 400 KB, with its names (developer guide, "Quotas")."""
