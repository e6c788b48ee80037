"""What lies in a bucket, while somebody else tidies it up."""

from typing import Any

import pytest
from session_conformance.fixtures import endpoint_of_run
from session_conformance.harness.s3 import contents


def test_what_goes_between_the_listing_and_the_reading_is_left_out(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = endpoint_of_run(pytestconfig)
    values = endpoint.values(endpoint.new_bucket())
    for name, value in endpoint.environment().items():
        monkeypatch.setenv(name, value)
    contents._client.cache_clear()
    client = contents._client(values["endpoint_url"], values["region_name"])
    for key in ("folded", "stays"):
        client.put_object(Bucket=values["bucket"], Key=key, Body=key.encode())
    read = client.get_object

    def tidied_up(**asked: Any) -> Any:
        client.delete_object(Bucket=values["bucket"], Key="folded")
        return read(**asked)

    monkeypatch.setattr(client, "get_object", tidied_up)
    assert contents.stored_objects(values) == {"stays": b"stays"}
