"""What lies in a workspace's bucket."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any


def stored_objects(values: Mapping[str, str]) -> dict[str, bytes]:
    """Return the contents of every object in a bucket, by key.

    Args:
        values: ``bucket``, ``endpoint_url`` and ``region_name``, as a workspace has them.
    """
    client = _client(values["endpoint_url"], values["region_name"])
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=values["bucket"])
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    return {key: client.get_object(Bucket=values["bucket"], Key=key)["Body"].read() for key in keys}


@functools.cache
def _client(endpoint_url: str, region_name: str) -> Any:
    import boto3

    return boto3.Session(region_name=region_name).client("s3", endpoint_url=endpoint_url)
