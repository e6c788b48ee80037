"""Correct managers on real servers meet what there is to ask of storage behind a network, and leave nothing behind."""

import json

import psutil
import pytest
from session_conformance.harness.services import NoService, Services

ASKED = "NET or ORD-09 or AGT-24 or CON-04 or LIF-02 or LIF-13 or ORD-01"
AS_MUTANTS_DO_NOT = "NET-10 or ORD-09 or AGT-24 or CON-04 or LIF-02 or LIF-13 or ORD-01"
"""What is asked of the manager on PostgreSQL, which the tests of mutants hold to each of NET."""


OF_A_STREAM = "(UPD and not UPD-06) or CON-01 or NET-02 or LIF-02 or MAG-01"


@pytest.mark.parametrize(
    ("service", "target", "asked"),
    [
        ("postgres", "tests.conforming.server_managers:PostgresManager", AS_MUTANTS_DO_NOT),
        ("redis", "tests.conforming.server_managers:RedisManager", ASKED),
        ("redis", "tests.conforming.server_managers:RedisTeams", "MAG"),
        ("redis", "tests.conforming.deleting_redis:DeletingRedisManager", "CLN-01 or CLN-04 or CON-02"),
        ("redis", "tests.conforming.stream_manager:RedisStreamManager", OF_A_STREAM),
    ],
)
def test_a_correct_manager_on_a_server_meets_what_is_asked_of_it(
    service: str, target: str, asked: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
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
        f"--session-manager={target}", "--conformance-fail-on=should", "--conformance-report=report.json", "-k", asked
    )
    [backend] = json.loads((pytester.path / "report.json").read_text())["backends"]
    others = {result["id"]: result["outcome"] for result in backend["results"] if result["outcome"] != "met"}
    about_files_replicas_and_expiry = {"LIF-13", "NET-06", "NET-11"} & {result["id"] for result in backend["results"]}
    assert others == dict.fromkeys(about_files_replicas_and_expiry, "not applicable"), run.stdout.str()
    assert run.ret == 0
    left = [p for p in psutil.process_iter() if _environment(p).get(_MARK) == str(pytester.path)]
    _, alive = psutil.wait_procs(left, timeout=30)  # what ends by itself when the run is gone
    assert alive == []


_MARK = "STARTED_IN_A_RUN_OF"


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}
