"""Conditional writes at moto's server: of those that arrive at once one is carried out, as S3 promises."""

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from session_conformance.harness.s3 import Request, S3Endpoint
from session_conformance.harness.s3.endpoint import moto


@pytest.fixture
def threads_in_turn() -> Iterator[ThreadPoolExecutor]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield pool
    sys.setswitchinterval(usual)


def test_of_writers_at_once_one_is_first(threads_in_turn: ThreadPoolExecutor) -> None:
    endpoint, carry_out = S3Endpoint(), moto("s3")
    try:
        bucket = endpoint.new_bucket()
        by_somebody = "AWS4-HMAC-SHA256 Credential=me/20261126/us-east-1/s3/aws4_request, SignedHeaders=, Signature="
        headers = [("Host", "127.0.0.1"), ("Authorization", by_somebody), ("If-None-Match", "*")]

        def written(key: str) -> int:
            return carry_out(Request("PUT", f"/{bucket}/{key}", headers, b"mine")).status

        for number in range(20):
            answers = Counter(threads_in_turn.map(written, [f"key-{number}"] * 4))
            assert answers == {200: 1, 412: 3}
    finally:
        endpoint.stop()
