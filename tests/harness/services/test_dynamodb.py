"""DynamoDB's stand-in keeps DynamoDB's promises where moto alone does not."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from session_conformance.harness.services import Place

TABLE = "sessions"


@pytest.fixture
def client(new_place: Callable[[str], Place]) -> Iterator[Any]:
    import boto3

    place = new_place("dynamodb")
    session = boto3.Session("conformance", "conformance", region_name="us-east-1")
    client = session.client("dynamodb", endpoint_url=place.values["dynamodb_endpoint"])
    client.create_table(
        TableName=f"{TABLE}-{place.name}",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield client
    client.close()


def put(client: Any, id: str, word: str = "one") -> dict[str, Any]:
    [table] = client.list_tables()["TableNames"]
    item = {"id": {"S": id}, "word": {"S": word}}
    return {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(id)"}


def test_a_transaction_that_is_sent_again_is_carried_out_once(client: Any) -> None:
    """Its condition is met the first time alone."""
    first = put(client, "first")
    for _ in range(2):
        client.transact_write_items(TransactItems=[{"Put": first}], ClientRequestToken="token")
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
        client.transact_write_items(TransactItems=[{"Put": put(client, "second")}], ClientRequestToken="token")
    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(TransactItems=[{"Put": first}], ClientRequestToken="another")


def test_of_writes_at_once_with_a_condition_one_finds_it_met(client: Any) -> None:
    def write(word: str) -> bool:
        try:
            client.put_item(**put(client, "contended", word))
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, map(str, range(24)))).count(True) == 1
