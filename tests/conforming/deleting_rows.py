"""A correct session manager that deletes rows: what it deletes lies in the file of all other sessions."""

from .sqlite_manager import SqliteManager


class DeletingRowsManager(SqliteManager):
    """A row a message in SQLite, which writes over what was deleted."""

    def delete_session(self, session_id: str) -> None:
        with self._database() as database:
            database.execute("BEGIN IMMEDIATE")
            for table in ("messages", "agents"):
                database.execute(f"DELETE FROM {table} WHERE session = ?", (session_id,))
