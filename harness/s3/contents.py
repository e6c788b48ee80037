"""What lies in a workspace's bucket."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from typing import Any


def stored_objects(values: Mapping[str, str]) -> dict[str, bytes]:
    """Return the contents of every object in a bucket, by key.

    An object that goes while they are read is left out: a manager may tidy up beside its writers.

    Args:
        values: ``bucket``, ``endpoint_url`` and ``region_name``, as a workspace has them.
    """
    client = _client(values["endpoint_url"], values["region_name"])
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=values["bucket"])
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    found: dict[str, bytes] = {}
    for key in keys:
        with contextlib.suppress(client.exceptions.NoSuchKey):
            found[key] = client.get_object(Bucket=values["bucket"], Key=key)["Body"].read()
    return found


@functools.cache
def _client(endpoint_url: str, region_name: str) -> Any:
    import boto3

    return boto3.Session(region_name=region_name).client("s3", endpoint_url=endpoint_url)
