"""strands-dynamodb-storage: its user makes the table."""

from contextlib import suppress

from session_conformance.harness import Workspace
from session_conformance.harness.services import boto_session
from strands_dynamodb_storage import DynamoDBStorage


def open_storage(workspace: Workspace) -> DynamoDBStorage:
    """Open a storage, in a table that is made now if it is not there."""
    client = boto_session().client("dynamodb", endpoint_url=workspace.values["dynamodb_endpoint"])
    with suppress(client.exceptions.ResourceInUseException):
        client.create_table(
            TableName=workspace.unique,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
    return DynamoDBStorage(workspace.unique, client=client)
