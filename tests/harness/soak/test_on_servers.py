"""A soak of a backend on a server: cut connections and a server that is killed cost a correct manager nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from session_conformance.harness import BackendSpec, Workspace
from session_conformance.harness.services import NoService, Places, Services
from session_conformance.harness.soak import Soak, SoakSettings, _nemesis, soak
from session_conformance.suites.command import main


@pytest.fixture
def services() -> Iterator[Services]:
    found = Services({})
    yield found
    found.stop()


def soaked(target: str, services: Services, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Soak:
    monkeypatch.setattr(_nemesis, "_ONE_IN", 6)
    monkeypatch.setattr(_nemesis, "_KILL_AFTER", 3)
    try:
        places = Places(services, "soaked", {}, {"redis"})
    except NoService as reason:
        pytest.skip(str(reason))
    settings = SoakSettings(seed=3, lives=6, processes=2, sessions=2)
    return soak(BackendSpec("soaked", target).resolve(), Workspace(folder, places), settings)


def test_a_server_that_runs_already_is_used_and_left_empty(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not killed, and faults are made of exchanges with it."""
    try:
        server = services["redis"]
    except NoService as reason:
        pytest.skip(str(reason))
    where = f"redis=redis://{server.address.host}:{server.address.port}"
    target = "tests.conforming.server_managers:RedisManager"
    code = main(["soak", target, "--service", where, "--lives=2", "--processes=1", "--sessions=1", "--seed=1"])
    assert code == 0, capsys.readouterr()
    assert server.is_running
    assert "0 lost, 0 doubled" in capsys.readouterr().out
    with redis.Redis(host=server.address.host, port=server.address.port) as client:
        assert client.info("keyspace") == {}


def test_a_correct_manager_loses_nothing(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = soaked("tests.conforming.server_managers:RedisManager", services, tmp_path, monkeypatch)
    assert not found.anomalies, "\n".join(map(str, found.anomalies))
    assert found.acknowledged
    assert found.wire_faults
    assert found.restarts
    assert "faults on the wire, servers killed 2 times" in str(found)
