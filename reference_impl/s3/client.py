"""Clients for S3: made as the SDK makes them, with retries, and shared by the managers of a process, not of two.

The SDK's manager makes a client each time. So whoever shares one must not be able to tell: a client is shared while
what it was made from is the same, and an application that takes hold of its manager's client has one of its own.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
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
        make_alone: Makes one like it that nobody else has, where it is shared.
    """

    def __init__(
        self,
        client: Any,
        make: Callable[[], Any] | None = None,
        make_alone: Callable[[], Any] | None = None,
    ) -> None:
        self._make = make
        self._make_alone = make_alone
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
        self._make = self._make_alone = None
        self._is_of = (client, os.getpid())

    def alone(self) -> Any:
        """Return the client, and share it with nobody from now on: it may be closed, or get handlers of its own."""
        if self._make_alone is not None:
            self.client = self._make_alone()
        return self.client


def client_for(
    boto_session: boto3.Session | None,
    boto_client_config: Config | None,
    region_name: str | None,
    endpoint_url: str | None,
    *,
    shared: bool = True,
) -> Any:
    """Return a client for S3 that retries what may pass.

    To make one takes a tenth of a second, and it opens connections of its own. So managers that give the same session,
    or none, share one. Nobody shares a client that was made from a configuration: that may say anything. One that was
    made before the files or the session had other credentials is left to those that have it.

    Args:
        boto_session: A session to make the client from.
        boto_client_config: Configuration of the client; it has precedence over the manager's own.
        region_name: The region, where no session is given: the SDK does not look at it where one is.
        endpoint_url: The endpoint of an S3-compatible store.
        shared: Whether it may be one that others have, too.
    """
    if boto_client_config is not None or not shared:
        return _client(boto_session or boto3.Session(region_name=region_name), boto_client_config, endpoint_url)
    with _lock:
        if boto_session is None:
            # a process that was forked has connections of its own; who puts another class in the session's place, in a
            # test for example, means it
            key = (region_name, endpoint_url, os.getpid(), boto3.Session, _environment(), _files())
            if key not in _by_surroundings:
                _by_surroundings[key] = _client(boto3.Session(region_name=region_name), None, endpoint_url)
            _by_surroundings.move_to_end(key)
            while len(_by_surroundings) > _MOST_SHARED:
                _by_surroundings.popitem(last=False)
            return _by_surroundings[key]
        try:
            of_session = _by_session.setdefault(boto_session, {})
        except TypeError:  # a stand-in that has no hash, or that nothing can refer to weakly
            return _client(boto_session, None, endpoint_url)
        here = (endpoint_url, os.getpid(), _environment())  # it has read the files
        credentials, client = of_session.get(here, (None, None))
        if client is None or credentials is not _credentials(boto_session):
            client = _client(boto_session, None, endpoint_url)
            of_session[here] = (_credentials(boto_session), client)
        return client


def _credentials(session: Any) -> Any:
    """Return the credentials of a session, which its clients keep: an application may give it others."""
    return session.get_credentials() if hasattr(session, "get_credentials") else None


def _environment() -> int:
    """Return a number that changes with what the environment says of credentials, endpoints and proxies."""
    told = [(name, value) for name, value in os.environ.items() if name.startswith("AWS_") or "PROXY" in name.upper()]
    return hash(tuple(sorted(told)))


def _files() -> Hashable:
    """Return what changes with the files that botocore reads: credentials that are renewed are written there.

    They are not read: botocore reads them once, and one may be a pipe.
    """
    credentials = os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"
    config = os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
    return _state_of_file(credentials), _state_of_file(config)


def _state_of_file(path: str) -> Hashable:
    """Return what changes whenever a file does."""
    try:
        found = Path(os.path.expandvars(path)).expanduser().stat()
    except (OSError, ValueError, RuntimeError):  # there is none, or no home
        return path
    return path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


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
