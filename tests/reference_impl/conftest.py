"""For the tests of the reference managers: an S3 endpoint, started once a run."""

from collections.abc import Iterator

import botocore.session  # noqa: F401  what is loaded already is what keeps its data files
import pytest
from session_conformance.fixtures import endpoint_of_run
from session_conformance.harness.s3 import S3Endpoint, data_files_kept


@pytest.fixture(autouse=True, scope="session")
def _data_files_parsed_once() -> Iterator[None]:
    """Let the SDK's managers on S3, each with a session of botocore's own, parse 10 MB of data files once in all."""
    with data_files_kept():
        yield


@pytest.fixture
def s3(pytestconfig: pytest.Config) -> S3Endpoint:
    return endpoint_of_run(pytestconfig)


@pytest.fixture
def bucket(s3: S3Endpoint) -> str:
    return s3.new_bucket()
