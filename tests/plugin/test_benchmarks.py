"""Benchmarks: with which options they run, what they measure, and that pytest-benchmark compares them."""

import json
from typing import Any

import pytest

FEW = "--conformance-benchmark-sizes=0,20"
REFERENCE = "--session-manager=reference-file"


@pytest.fixture(autouse=True)
def _not_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runs of these tests be runs of their own, also where a worker of pytest-xdist starts them."""
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)


def measured(pytester: pytest.Pytester) -> dict[str, list[dict[str, Any]]]:
    backends = json.loads((pytester.path / "r.json").read_text())["backends"]
    return {backend["name"]: backend["benchmarks"] for backend in backends}


WITH_SIZES = {(name, size) for name in ("restore", "append", "update") for size in (0, 20)}
ALL = WITH_SIZES | {("sessions-at-once", None), ("replay", None), ("restore-memory", 20), ("bytes-stored", None)}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("restore or bytes_stored", {("restore", 0), ("restore", 20), ("restore-memory", 20), ("bytes-stored", None)}),
        pytest.param("BENCH", ALL, marks=pytest.mark.long),
    ],
)
def test_backends_are_measured_side_by_side_and_not_judged(
    chosen: str, expected: set[tuple[str, int | None]], pytester: pytest.Pytester
) -> None:
    run = pytester.runpytest_subprocess(
        REFERENCE, "--session-manager=strands-file", "--benchmark-only", FEW, "--conformance-report=r.json",
        "-k", chosen,
    )  # fmt: skip
    assert run.ret == pytest.ExitCode.OK
    found = measured(pytester)
    assert set(found) == {"reference-file", "strands-file"}
    for measures in found.values():
        assert expected <= {(one["name"], one["size"]) for one in measures}
        for one in measures:
            assert one["min"] <= one["median"] <= one["max"], one
            if one["floor"] is not None:
                assert one["ratio"] == pytest.approx(one["median"] / one["floor"]), one
                assert one["floor_about"], one
    run.stdout.fnmatch_lines(["*measured, and how many times*", "load of the machine meanwhile: *"])
    run.stdout.no_fnmatch_line("*benchmark 'restore*")  # the tables of pytest-benchmark are behind -v
    run.stdout.fnmatch_lines(["restore: restore a history; floor: *"])
    run.stdout.no_fnmatch_line("*conform*met*")


def test_a_manager_that_asks_more_of_its_files_is_seen_to(pytester: pytest.Pytester) -> None:
    """What is counted does not depend on the machine: the SDK's manager rewrites the agent with each message."""
    run = pytester.runpytest_subprocess(
        REFERENCE, "--session-manager=strands-file", "--benchmark-only", "-k", "asked_of_storage", "-v",
        "--conformance-report=r.json",
    )  # fmt: skip
    run.stdout.fnmatch_lines(["*benchmark '*': 2 tests*"])
    calls = {name: [one["median"] for one in measures] for name, measures in measured(pytester).items()}
    if not calls["reference-file"]:
        pytest.skip("nothing can be traced here")
    assert calls["strands-file"] > calls["reference-file"]


def test_requests_are_counted_on_s3(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=reference-s3", "--benchmark-only", "-k", "asked_of_storage or loop_stall or append",
        "--conformance-benchmark-sizes=11", "--conformance-report=r.json",
    )  # fmt: skip
    assert run.ret == pytest.ExitCode.OK
    taken = {one["name"]: one for one in measured(pytester)["reference-s3"]}
    assert 1 <= taken["requests"]["median"] <= 1.1
    assert taken["append"]["floor_about"] == "one PUT of the same bytes"
    assert "loop-stall" in taken


def test_round_trips_are_counted_on_a_server(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.server_managers:RedisManager", "--benchmark-only",
        "-k", "asked_of_storage or loop_stall or append or restore", "--conformance-benchmark-sizes=11",
        "--conformance-report=r.json",
    )  # fmt: skip
    if "cannot be" in str(run.stderr):
        pytest.skip("there is no Redis")
    assert run.ret == pytest.ExitCode.OK
    [(_, measures)] = measured(pytester).items()
    taken = {one["name"]: one for one in measures}
    counted = {"round-trips", "round-trips-restore", "bytes-sent"}
    assert set(taken) == counted | {"append", "restore", "restore-memory"}
    assert taken["append"]["floor_about"] == "one round trip to the same server that stores the same bytes"
    assert taken["restore"]["floor_about"].startswith("one round trip to the same server that loads the history")
    assert 1 <= taken["round-trips"]["median"] <= 3
    assert taken["round-trips-restore"]["median"] >= 2  # it logs in, in as many as its client likes, and asks once
    assert taken["bytes-sent"]["median"] > taken["bytes-sent"]["floor"]


def test_both_judged_and_measured(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        REFERENCE, "--conformance-benchmarks", FEW, "-k", "LIF-01 or sessions_at_once", "--conformance-report=r.json"
    )
    run.assert_outcomes(passed=2)
    chosen = pytester.runpytest_subprocess(REFERENCE, "--conformance-benchmarks", "-m", "bench", "--co", "-q").outlines
    assert any("BENCH::append" in line for line in chosen)
    assert not any("LIF::" in line for line in chosen)
    assert [one["name"] for one in measured(pytester)["reference-file"]] == ["sessions-at-once"]


def test_nothing_is_measured_by_processes_that_run_beside_each_other(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        REFERENCE, "--conformance-benchmarks", FEW, "-k", "LIF-01 or append", "-n2", "-rs"
    )
    run.assert_outcomes(passed=1, skipped=2)
    run.stdout.fnmatch_lines(["*pytest-benchmark is off*"])


def test_a_run_that_judges_does_not_measure(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(REFERENCE, "--co", "-q")
    run.stdout.no_fnmatch_line("BENCH::*")
    run.stdout.fnmatch_lines(["LIF::LIF-01*"])


def test_sizes_that_are_none(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(REFERENCE, "--benchmark-only", "--conformance-benchmark-sizes=many")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*'many' is no list of numbers of messages (example: 0,100,1000)"])
