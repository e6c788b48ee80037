"""S3 endpoints behind the seam: moto's server in this process, or any other that speaks S3."""

from __future__ import annotations

import http.client
import importlib.util
import io
import itertools
import os
import secrets
import socket
import sys
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from .messages import Answer, Request
from .repeated import RepeatedReads
from .seam import Seam

REGION = "us-east-1"


class NoEndpoint(Exception):
    """There is no S3 endpoint to judge a backend with. The text is one line that says what to do."""


class NoVersioning(NoEndpoint):
    """The endpoint keeps no versions of objects."""


class S3Endpoint:
    """A running endpoint, the seam in front of it, and buckets made there.

    Attributes:
        seam: What counts requests and lets them fail.
        url: Where backends find it.

    Args:
        upstream: The URL of an S3-compatible endpoint; None for moto's server.

    Raises:
        NoEndpoint: moto is not installed, or the endpoint does not answer.
    """

    def __init__(self, upstream: str | None = None) -> None:
        self.seam = Seam(RepeatedReads(moto("s3")) if upstream is None else _remote(upstream))
        self.url = self.seam.start()
        self._is_remote = upstream is not None
        self._numbers = itertools.count(1)
        self._run = secrets.token_hex(4)
        self._made: list[str] = []
        self._client: Any = None
        self._credentials: Any = None
        self._left: list[str] = []
        if self._is_remote:
            self.seam.sign = self._signed

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which a backend that builds its own client finds the endpoint."""
        given = {"AWS_ENDPOINT_URL_S3": self.url}
        defaults = {"AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
        if not self._is_remote:
            given |= {"AWS_ACCESS_KEY_ID": "conformance", "AWS_SECRET_ACCESS_KEY": "conformance"}
            defaults |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        return {**{name: os.environ.get(name, value) for name, value in defaults.items()}, **given}

    @property
    def client(self) -> Any:
        """A boto3 client for the harness itself."""
        if self._client is None:
            import boto3

            with environment(self.environment()):
                session = boto3.Session(region_name=REGION)
                self._credentials = session.get_credentials()
                self._client = session.client("s3", endpoint_url=self.url)
        return self._client

    def values(self, bucket: str) -> dict[str, str]:
        """Return what a workspace has for a backend that is given a bucket."""
        return {"bucket": bucket, "prefix": "", "endpoint_url": self.url, "region_name": REGION}

    def new_bucket(self, name: str = "", *, versioned: bool = False) -> str:
        """Make a bucket that belongs to one test, and return its name.

        Args:
            name: Its name; by default one that no other has.
            versioned: Whether it keeps the versions of its objects.

        Raises:
            NoEndpoint: It cannot be made.
            NoVersioning: It cannot keep versions.
        """
        name = name or f"conformance-{self._run}-{next(self._numbers)}"
        try:
            self.client.create_bucket(Bucket=name)
        except Exception as error:
            raise NoEndpoint(f"cannot make a bucket at the S3 endpoint: {error}") from error
        self._made.append(name)
        if versioned:
            try:
                self.client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            except Exception as error:
                raise NoVersioning(f"the S3 endpoint offers no versioning of buckets: {error}") from error
        return name

    def remove_bucket(self, bucket: str) -> None:
        """Remove a bucket that was made here, with all that is in it. See :meth:`clear` for one that cannot be."""
        self._made.remove(bucket)
        if self._is_remote:
            self._remove(bucket)
        else:
            _forget(bucket)

    def stop(self) -> None:
        """Remove the buckets that were made at an endpoint that is not this process's, and serve no more."""
        self.clear()
        self.seam.stop()

    def clear(self) -> list[str]:
        """Remove the buckets that were made at an endpoint that is not this process's.

        Returns:
            Those that cannot be removed, each with the reason: they are no fault of what was judged.
        """
        if self._is_remote:
            while self._made:
                self._remove(self._made.pop())
        return self._left

    def _remove(self, bucket: str) -> None:
        try:
            self._empty(bucket)
            self.client.delete_bucket(Bucket=bucket)
        except Exception as error:
            self._left.append(f"{bucket} ({' '.join(str(error).split())})")

    def _signed(self, request: Request) -> Request:
        """Return a request that was changed on its way, signed anew with the harness's own credentials."""
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest

        host = next(value for name, value in request.headers if name.lower() == "host")
        unsigned = AWSRequest(
            request.method, f"http://{host}{request.target}", headers={"Host": host}, data=request.body
        )
        region = self.client.meta.region_name
        S3SigV4Auth(self._credentials, "s3", region).add_auth(unsigned)
        return replace(request, headers=[*unsigned.headers.items()])

    def _empty(self, bucket: str) -> None:
        try:
            self._empty_of_versions(bucket)
        except Exception:  # a server without versions has no list of them
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for item in page.get("Contents", ()):
                    self.client.delete_object(Bucket=bucket, Key=item["Key"])

    def _empty_of_versions(self, bucket: str) -> None:
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=bucket)
        for page in pages:
            for item in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
                self.client.delete_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def moto(service: str) -> Any:
    """Return what carries out requests on moto's server: its WSGI application, called without a socket between.

    One request at a time: moto looks whether there is an object, and writes it later, so that of two conditional writes
    at once both may be told that they were the first.

    Args:
        service: ``s3`` or ``dynamodb``.

    Raises:
        NoEndpoint: moto is not installed, or not with what the service needs.
    """
    if importlib.util.find_spec("moto") is None:
        raise NoEndpoint("moto is not installed: pip install 'strands-session-conformance[s3]', or give --s3-endpoint")
    try:
        from moto.moto_server.werkzeug_app import create_backend_app
    except ImportError as error:
        raise NoEndpoint(
            f"moto's server cannot be used ({error}): pip install 'strands-session-conformance[s3]'"
        ) from error
    application, in_turn = create_backend_app(service), threading.Lock()  # type: ignore[arg-type]

    def carry_out(request: Request) -> Answer:
        path, _, query = request.target.partition("?")
        status: list[Any] = []

        def start_response(line: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            status[:] = [int(line.split()[0]), headers]

        with in_turn:
            body = b"".join(application(_wsgi(request, path, query), start_response))
        return Answer(status[0], status[1], body)

    return carry_out


def _forget(bucket: str) -> None:
    """Take a bucket out of moto's memory at once; its own API would take a request for each object."""
    from moto.s3.models import s3_backends

    for account in list(s3_backends.values()):
        for backend in list(account.values()):
            backend.buckets.pop(bucket, None)


def _wsgi(request: Request, path: str, query: str) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": urllib.parse.unquote(path, "latin-1"),
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(request.body)),
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING", "EXPECT"):
            environ[f"HTTP_{key}"] = value
    return environ


def _remote(url: str) -> Any:
    """Return what carries out requests at another endpoint. ``Host`` is kept, since requests are signed with it."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NoEndpoint(f"{url!r} is no S3 endpoint: expected a URL such as http://127.0.0.1:9000")
    try:
        socket.create_connection((parts.hostname, parts.port or _PORTS[parts.scheme]), _ANSWER_LIMIT_S).close()
    except OSError as error:
        raise NoEndpoint(f"nothing answers at the S3 endpoint {url}: {error.strerror or error}") from error
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection

    def carry_out(request: Request) -> Answer:
        connection = kind(parts.netloc, timeout=60)
        try:
            headers = {name: value for name, value in request.headers if name.lower() not in _OF_THE_CONNECTION}
            connection.request(request.method, request.target, request.body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        except (OSError, http.client.HTTPException) as error:
            return Answer(502, [], f"{url} does not answer: {error}".encode())
        finally:
            connection.close()

    return carry_out


_PORTS = {"http": 80, "https": 443}
_ANSWER_LIMIT_S = 10.0
_OF_THE_CONNECTION = ("connection", "expect", "content-length", "transfer-encoding")
