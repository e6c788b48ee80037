"""Correct managers on real servers meet what there is to ask of storage behind a network, and leave nothing behind."""

import json

import psutil
import pytest
from session_conformance.harness.services import NoService, Services

ASKED = "NET or ORD-09 or AGT-24 or CON-04 or LIF-02 or LIF-13 or ORD-01"


@pytest.mark.parametrize(
    ("service", "target"),
    [
        ("postgres", "tests.conforming.server_managers:PostgresManager"),
        ("redis", "tests.conforming.server_managers:RedisManager"),
    ],
)
def test_a_correct_manager_on_a_server_meets_all_of_net(
    service: str, target: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = Services({})
    try:
        services[service]
    except NoService as reason:
        pytest.skip(str(reason))
    finally:
        services.stop()
    monkeypatch.setenv(_MARK, str(pytester.path))  # which all that this run starts inherits
    run = pytester.runpytest_subprocess(
        f"--session-manager={target}", "--conformance-fail-on=should", "--conformance-report=report.json", "-k", ASKED
    )
    [backend] = json.loads((pytester.path / "report.json").read_text())["backends"]
    others = {result["id"]: result["outcome"] for result in backend["results"] if result["outcome"] != "met"}
    assert others == dict.fromkeys(["LIF-13", "NET-06", "NET-11"], "not applicable"), (
        run.stdout.str()
    )  # files, replicas, expiry
    assert run.ret == 0
    left = [p.name() for p in psutil.process_iter() if _environment(p).get(_MARK) == str(pytester.path)]
    assert left == []


_MARK = "STARTED_IN_A_RUN_OF"


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}
