"""strands-postgresql-session-manager on PostgreSQL: its user makes the tables."""

from functools import cache

from session_conformance.harness import Workspace
from sqlalchemy import Engine
from sqlmodel import SQLModel, create_engine
from strands_postgresql_session_manager import PostgresSessionManager


@cache
def engine(address: str) -> Engine:
    """Return the engine of a database, whose tables are made now."""
    made = create_engine(f"postgresql+psycopg2://{address}")
    SQLModel.metadata.create_all(made)
    return made


def open_session(session_id: str, workspace: Workspace) -> PostgresSessionManager:
    """Open a session."""
    return PostgresSessionManager(session_id, engine=engine(workspace.values["postgres_address"]))
