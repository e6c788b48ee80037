"""Backends that are given a bucket are judged on an S3 endpoint on loopback, or on one that the user names."""

import json
import socket

import pytest
from session_conformance.harness.s3 import S3Endpoint
from session_conformance.suites.catalog import all_requirements


def test_a_manager_that_takes_a_bucket_needs_nothing_else(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    run = pytester.runpytest_subprocess(
        "--session-manager=reference-s3", "-k", "LIF-03 or S3A-09", "-n1", "--conformance-report=r.json"
    )
    run.assert_outcomes(passed=2)
    run.stdout.fnmatch_lines(["S3A-09 measured: 1.0? requests a message (*", "reference-s3 conforms, as far as 2 of*"])
    [backend] = json.loads((pytester.path / "r.json").read_text())["backends"]
    assert "S3" in backend["capabilities"]
    assert [result["id"] for result in backend["results"] if "USD a year" in result["measured"]] == ["S3A-09"]


def test_an_endpoint_of_the_users_is_judged_on_and_left_clean(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = S3Endpoint()
    before = theirs.client.list_buckets()["Buckets"]  # moto's server has one store a process
    for name, value in theirs.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    run = pytester.runpytest_subprocess(
        "--session-manager=reference-s3", f"--s3-endpoint={theirs.url}", "-k", "LIF-02 or S3A-05 or S3A-08"
    )
    run.assert_outcomes(passed=3)
    assert theirs.client.list_buckets()["Buckets"] == before
    theirs.stop()


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("localhost:9000", "'localhost:9000' is no S3 endpoint: expected a URL such as http://127.0.0.1:9000"),
        ("http://127.0.0.1:{free}", "nothing answers at the S3 endpoint http://127.0.0.1:*: Connection refused"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_one_line(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, endpoint: str, message: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = endpoint.format(free=taken.getsockname()[1])
        run = pytester.runpytest_subprocess("--session-manager=reference-s3", f"--s3-endpoint={endpoint}")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in run.errlines if line.strip()]
    assert len(errors) == 1, errors
    run.stderr.fnmatch_lines([f"ERROR: --session-manager: {message}"])


def test_the_s3_requirements_do_not_apply_to_files(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("--session-manager=reference-file", "-k", "S3A", "-rs")
    run.assert_outcomes(skipped=sum(one.group == "S3A" for one in all_requirements()))
    run.stdout.fnmatch_lines(["*needs s3: it keeps its data in an S3 bucket that it is given*"])


def test_a_manager_with_a_prefix_and_no_bucket_is_given_neither(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        mine="""
        from strands.session import FileSessionManager

        class Manager(FileSessionManager):
            def __init__(self, session_id, storage_dir, prefix="mine", endpoint_url="redis://"):
                assert (prefix, endpoint_url) == ("mine", "redis://")
                super().__init__(session_id, storage_dir=storage_dir)
        """
    )
    pytester.syspathinsert()
    run = pytester.runpytest_subprocess("--session-manager=mine:Manager", "-k", "LIF-01", "-p", "no:cacheprovider")
    run.assert_outcomes(passed=1)
