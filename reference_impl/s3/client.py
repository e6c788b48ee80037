"""Clients for S3: made as the SDK makes them, with retries, and shared between the managers of a process."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any
from weakref import WeakKeyDictionary

import boto3
from botocore.config import Config

ATTEMPTS = 5
"""How often a request is sent before it has failed: the first time and four retries, with growing pauses."""

_MOST_SHARED = 8
"""How many clients are kept for managers that give no session of their own."""

_lock = threading.Lock()
_by_surroundings: OrderedDict[Hashable, Any] = OrderedDict()
_by_session: WeakKeyDictionary[Any, dict[Hashable, Any]] = WeakKeyDictionary()


def client_for(
    boto_session: boto3.Session | None,
    boto_client_config: Config | None,
    region_name: str | None,
    endpoint_url: str | None,
) -> Any:
    """Return a client for S3 that retries what may pass.

    To make one takes a tenth of a second, and it opens connections of its own. So managers that give the same session,
    or none, share one. Nobody shares a client that was made from a configuration: that may say anything.

    Args:
        boto_session: A session to make the client from.
        boto_client_config: Configuration of the client; it has precedence over the manager's own.
        region_name: The region, where no session is given: the SDK does not look at it where one is.
        endpoint_url: The endpoint of an S3-compatible store.
    """
    if boto_client_config is not None:
        return _client(boto_session or boto3.Session(region_name=region_name), boto_client_config, endpoint_url)
    with _lock:
        if boto_session is None:
            # a process that was forked has connections of its own; who puts another class in the session's place, in a
            # test for example, means it
            key = (region_name, endpoint_url, os.getpid(), boto3.Session, _surroundings())
            if key not in _by_surroundings:
                _by_surroundings[key] = _client(boto3.Session(region_name=region_name), None, endpoint_url)
            _by_surroundings.move_to_end(key)
            while len(_by_surroundings) > _MOST_SHARED:
                _by_surroundings.popitem(last=False)
            return _by_surroundings[key]
        try:
            shared = _by_session.setdefault(boto_session, {})
        except TypeError:  # a stand-in that has no hash, or that nothing can refer to weakly
            return _client(boto_session, None, endpoint_url)
        here = (endpoint_url, os.getpid(), _surroundings())
        if here not in shared:
            shared[here] = _client(boto_session, None, endpoint_url)
        return shared[here]


def _surroundings() -> int:
    """Return a number that changes with what the environment says of credentials, endpoints and proxies."""
    told = [(name, value) for name, value in os.environ.items() if name.startswith("AWS_") or "PROXY" in name.upper()]
    return hash(tuple(sorted(told)))


def _client(session: Any, config: Config | None, endpoint_url: str | None) -> Any:
    own = Config(
        user_agent_extra=" ".join(filter(None, [getattr(config, "user_agent_extra", None), "strands-agents"])),
    )
    defaults = Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS}, max_pool_connections=16)
    merged = (defaults.merge(config) if config is not None else defaults).merge(own)
    return session.client(service_name="s3", config=merged, endpoint_url=endpoint_url)
