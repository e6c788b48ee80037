"""What is kept is told from what a database engine has freed, and not yet used for something else."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from session_conformance.harness.backends import Workspace, kept

WORD = b"xylograph"


def _database(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA secure_delete = OFF")
        for statement in statements:
            with database:
                database.execute(statement)


CREATED = ("CREATE TABLE messages (body)", f"INSERT INTO messages VALUES ('{WORD.decode()}')")


def test_the_rows_of_a_database_are_kept(tmp_path: Path) -> None:
    _database(tmp_path / "a.db", *CREATED, "CREATE TABLE others (body)", "INSERT INTO others VALUES (x'00ff'), (17)")
    assert kept(Workspace(tmp_path).stored()) == {
        "a.db, table messages": WORD,
        "a.db, table others": b"\x00\xff\n17",
    }


def test_a_deleted_row_is_not_kept_though_its_bytes_are_there(tmp_path: Path) -> None:
    _database(tmp_path / "a.db", *CREATED, "DELETE FROM messages")
    stored = Workspace(tmp_path).stored()
    assert WORD in stored["a.db"]
    assert kept(stored) == {"a.db, table messages": b""}


def test_rows_that_are_in_the_log_alone_are_kept(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        for statement in CREATED:
            with database:
                database.execute(statement)
        stored = Workspace(tmp_path).stored()
    assert sorted(stored) == ["a.db", "a.db-shm", "a.db-wal"]
    assert WORD not in stored["a.db"]
    assert kept(stored) == {"a.db, table messages": WORD}


def test_a_search_index_is_its_owners(tmp_path: Path) -> None:
    try:
        _database(tmp_path / "a.db", "CREATE VIRTUAL TABLE found USING fts5(body)", "INSERT INTO found VALUES ('word')")
    except sqlite3.OperationalError as error:
        pytest.skip(str(error))
    assert kept(Workspace(tmp_path).stored()) == {}


def test_what_is_no_database_though_it_says_so_is_a_file() -> None:
    data = b"SQLite format 3\0" + WORD
    assert kept({"a.db": data, "sub/a.txt": WORD}) == {"a.db": data, "sub/a.txt": WORD}


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param({"data.mdb": bytes(16) + bytes.fromhex("dec0efbe") + WORD}, id="LMDB"),
        pytest.param({"a.duckdb": bytes(8) + b"DUCK" + WORD, "a.duckdb.wal": WORD}, id="DuckDB"),
        pytest.param({"db/CURRENT": b"MANIFEST-000004\n", "db/000005.ldb": WORD, "db/LOG": WORD}, id="LevelDB"),
        pytest.param({"a.dbm": (0x13579ACF).to_bytes(4, "little") + WORD}, id="GNU dbm"),
        pytest.param({"a.db": bytes(12) + (0x00061561).to_bytes(4, "little") + WORD}, id="Berkeley DB"),
    ],
)
def test_files_of_other_engines_say_nothing(stored: dict[str, bytes]) -> None:
    assert kept({**stored, "notes.txt": WORD}) == {"notes.txt": WORD}


def test_a_log_that_is_no_engines_is_kept() -> None:
    stored = {"000005.log": WORD, "CURRENT": b"yes", "db/000005.ldb": WORD, "a.wal": WORD}
    assert kept(stored) == stored
