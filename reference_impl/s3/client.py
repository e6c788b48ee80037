"""Clients for S3: made as the SDK makes them, with retries, and shared by the managers of a process, not of two."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any
from weakref import WeakKeyDictionary

import boto3
from botocore.config import Config

ATTEMPTS = 5
"""How often a request is sent before it has failed: the first time and four retries, with growing pauses."""

_MOST_SHARED = 8
"""How many clients are kept for managers that give no session of their own."""

_lock = threading.RLock()  # the handler of a signal may open a session while this thread holds it
_by_surroundings: OrderedDict[Hashable, Any] = OrderedDict()
_by_session: WeakKeyDictionary[Any, dict[Hashable, Any]] = WeakKeyDictionary()


class OwnClient:
    """A client with which this process sends, and no other.

    A child that is forked has its parent's connections. Were both to send on one of them, each would take answers to
    the other's requests for its own, and S3 would store the body of the one under the key of the other.

    Args:
        client: A boto3 client for S3.
        make: Makes another one like it, in a child; by default, the same one is told to close its connections there.
    """

    def __init__(self, client: Any, make: Callable[[], Any] | None = None) -> None:
        self._make = make
        self._is_of = (client, os.getpid())

    @property
    def client(self) -> Any:
        """The client. One that an application sets takes effect at the next request."""
        client, process = self._is_of
        if process != os.getpid():
            if self._make is not None:
                client = self._make()
            elif hasattr(client, "close"):
                client.close()  # it opens others at its next request
            self._is_of = (client, os.getpid())
        return client

    @client.setter
    def client(self, client: Any) -> None:
        self._make = None
        self._is_of = (client, os.getpid())


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


def _begin_anew() -> None:
    """In a child that was forked, no thread of its parent's makes a client any more."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_begin_anew)
