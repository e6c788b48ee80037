"""A correct session manager on DynamoDB: a log of changes, each put once under the next number, and bodies in pieces.

An item holds 400 KB at most, so a body is stored first, in pieces under an id that nobody else has. What makes a change
count is one conditional put of an item that refers to it. Where the number is taken, the manager looks whether the
answer to its own put was lost, and tries the next one otherwise. What is replaced is deleted.
"""

import contextlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from strands.types.exceptions import SessionException

from .server_managers import TIMEOUT_S, Change, ServerManager

PIECE = 300_000
"""In bytes: what one item holds of a body."""

Ref = tuple[str, int]
"""Where a body is: its id, and the number of its pieces."""

_SESSION = boto3.Session("none", "none", region_name="us-east-1")
_CONFIG = Config(connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 1})


class DynamoManager(ServerManager):
    """Reads consistently, and writes in one conditional put a change."""

    failures = (BotoCoreError, ClientError)

    def __init__(self, session_id: str, table_name: str, dynamodb_endpoint: str) -> None:
        super().__init__(session_id)
        self._table, self._endpoint = table_name, dynamodb_endpoint
        self._client: Any = None
        self._next: dict[str, int] = {}
        self._refs: dict[tuple[str, str], Ref] = {}

    def connect(self) -> None:
        if self._client is not None:
            return
        self._client = _SESSION.client("dynamodb", endpoint_url=self._endpoint, config=_CONFIG)
        with contextlib.suppress(self._client.exceptions.ResourceInUseException):
            self._client.create_table(
                TableName=self._table,
                AttributeDefinitions=[
                    {"AttributeName": "place", "AttributeType": "S"},
                    {"AttributeName": "number", "AttributeType": "N"},
                ],
                KeySchema=[
                    {"AttributeName": "place", "KeyType": "HASH"},
                    {"AttributeName": "number", "KeyType": "RANGE"},
                ],
                BillingMode="PAY_PER_REQUEST",
            )
        self._client.get_waiter("table_exists").wait(TableName=self._table)

    def may_be_sent_again(self, error: Exception) -> bool:
        if isinstance(error, ClientError):
            return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500)
        return True

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    # -- reading -------------------------------------------------------------------------------------------

    def load(self, agent_id: str) -> tuple[bytes, list[bytes]] | None:
        for _ in range(10):
            state, order = None, list[tuple[str, Ref]]()
            for item in self._log(agent_id):
                for kind, tracking_id, id, pieces in json.loads(item["changes"]["S"]):
                    state = self._follow(order, (id, pieces), kind, tracking_id, state)
            if state is None:
                return None
            bodies = self._fetched([state, *(ref for _, ref in order)])
            if bodies is not None:
                self._refs |= {(agent_id, tracking_id): ref for tracking_id, ref in order if tracking_id}
                return bodies[0], bodies[1:]
        raise SessionException(f"session {self.session_id!r} changes faster than it can be read, or a body is missing")

    def _follow(
        self, order: list[tuple[str, Ref]], ref: Ref, kind: str, tracking_id: str, state: Ref | None
    ) -> Ref | None:
        """Follow a change, and return where the state is after it."""
        if kind == "state":
            return ref
        if kind == "append" and not (order and tracking_id and order[-1][0] == tracking_id):
            order.append((tracking_id, ref))
            return state
        for place, (other, _) in enumerate(order):
            if other == tracking_id:
                order[place] = (other, ref)
        return state

    def _log(self, agent_id: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="place = :place",
            ExpressionAttributeValues={":place": {"S": self._place(agent_id)}},
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                self._next[agent_id] = int(item["number"]["N"]) + 1
                yield item

    def _fetched(self, refs: list[Ref]) -> list[bytes] | None:
        """Return bodies, or None where one is not there: it may have been replaced by somebody meanwhile."""
        wanted = [(id, number) for id, pieces in refs for number in range(pieces)]
        found: dict[tuple[str, int], bytes] = {}
        for start in range(0, len(wanted), 50):
            keys = [_key(*one) for one in wanted[start : start + 50]]
            while keys:
                asked = {self._table: {"Keys": keys, "ConsistentRead": True}}
                answer = self._client.batch_get_item(RequestItems=asked)
                for item in answer["Responses"][self._table]:
                    found[item["place"]["S"], int(item["number"]["N"])] = bytes(item["body"]["B"])
                keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        if len(found) < len(set(wanted)):
            return None
        return [b"".join(found[id, number] for number in range(pieces)) for id, pieces in refs]

    # -- writing -------------------------------------------------------------------------------------------

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        refs = []
        for number, change in enumerate(changes):
            pieces = [change.body[at : at + PIECE] for at in range(0, len(change.body), PIECE)]
            refs.append((f"body {id} {number}", len(pieces)))
            for place, piece in enumerate(pieces):
                self._client.put_item(TableName=self._table, Item={**_key(refs[-1][0], place), "body": {"B": piece}})
        told = json.dumps([(one.kind, one.tracking_id, *ref) for one, ref in zip(changes, refs, strict=True)])
        self._put(agent_id, id, told)
        for change, ref in zip(changes, refs, strict=True):
            name = "\0state" if change.kind == "state" else change.tracking_id
            old = self._refs.get((agent_id, name)) if name else None
            if name:
                self._refs[agent_id, name] = ref
            for place in range(old[1] if old is not None and old != ref else 0):
                assert old is not None
                self._client.delete_item(TableName=self._table, Key=_key(old[0], place))

    def _put(self, agent_id: str, id: str, told: str) -> None:
        for number in itertools.count(self._next.get(agent_id, 0)):
            key = _key(self._place(agent_id), number)
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item={**key, "change": {"S": id}, "changes": {"S": told}},
                    ConditionExpression="attribute_not_exists(place)",
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                there = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
                if there["Item"]["change"]["S"] != id:
                    continue
            self._next[agent_id] = number + 1
            return

    def _place(self, agent_id: str) -> str:
        return json.dumps([self.session_id, agent_id])


def _key(place: str, number: int) -> dict[str, Any]:
    return {"place": {"S": place}, "number": {"N": str(number)}}
