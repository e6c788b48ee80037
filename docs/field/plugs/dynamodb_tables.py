"""The session manager and the storage for DynamoDB of one author: both make their table, and share a boto session."""

from typing import Any

from session_conformance.harness import Workspace
from session_conformance.harness.services import boto_session


def open_session(session_id: str, workspace: Workspace) -> Any:
    """Open a session."""
    from strands_session_dynamodb import DynamoDBSessionManager

    endpoint = workspace.values["dynamodb_endpoint"]
    return DynamoDBSessionManager(session_id, workspace.unique, boto_session=boto_session(), endpoint_url=endpoint)


def open_storage(workspace: Workspace) -> Any:
    """Open a storage."""
    from strands_dynamodb_storage import DynamoDBStorage

    endpoint = workspace.values["dynamodb_endpoint"]
    return DynamoDBStorage(workspace.unique, boto_session=boto_session(), endpoint_url=endpoint)
