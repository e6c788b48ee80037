"""A soak of a backend on a server: cut connections and a server that is killed cost a correct manager nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from session_conformance.harness import BackendSpec, Workspace
from session_conformance.harness.services import NoService, Places, Services
from session_conformance.harness.soak import Soak, SoakSettings, _nemesis, soak


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


def test_a_correct_manager_loses_nothing(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = soaked("tests.conforming.server_managers:RedisManager", services, tmp_path, monkeypatch)
    assert not found.anomalies, "\n".join(map(str, found.anomalies))
    assert found.acknowledged
    assert found.wire_faults
    assert found.restarts
    assert "faults on the wire, servers killed 2 times" in str(found)
