"""For the tests of the reference managers: an S3 endpoint, started once a run."""

import pytest
from session_conformance.fixtures import endpoint_of_run
from session_conformance.harness.s3 import S3Endpoint


@pytest.fixture
def s3(pytestconfig: pytest.Config) -> S3Endpoint:
    return endpoint_of_run(pytestconfig)


@pytest.fixture
def bucket(s3: S3Endpoint) -> str:
    return s3.new_bucket()
