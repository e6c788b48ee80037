"""The seam in front of S3 sees every request of any client, and does to it what it is told."""

import http.client
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from session_conformance.harness.s3 import (
    Answer,
    Fault,
    NoEndpoint,
    NoVersioning,
    Request,
    S3Endpoint,
    Seam,
    changes_made,
)
from session_conformance.harness.s3 import endpoint as s3_endpoint


class Store:
    """The smallest of stores: it keeps what is put, by path."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        if request.method == "PUT":
            self.kept[request.path] = request.body
        return Answer(200, [("ETag", '"tag"')], self.kept.get(request.path, b""))


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def seam(store: Store) -> Iterator[Seam]:
    seam = Seam(store)
    yield seam
    seam.stop()


@pytest.fixture
def ask(seam: Seam) -> Callable[..., tuple[int, bytes]]:
    address = urllib.parse.urlsplit(seam.start()).netloc

    def ask(method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(address, timeout=10)
        try:
            connection.request(method, target, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    return ask


@pytest.mark.parametrize(
    ("method", "target", "operation", "action"),
    [
        ("GET", "/b/a/key", "GetObject", "s3:GetObject"),
        ("GET", "/b/a/key?versionId=1", "GetObject", "s3:GetObject"),
        ("HEAD", "/b/key", "HeadObject", "s3:GetObject"),
        ("PUT", "/b/key", "PutObject", "s3:PutObject"),
        ("POST", "/b/key?uploads", "MultipartUpload", "s3:PutObject"),
        ("DELETE", "/b/key", "DeleteObject", "s3:DeleteObject"),
        ("POST", "/b?delete", "DeleteObjects", "s3:DeleteObject"),
        ("GET", "/b?list-type=2&prefix=x", "ListObjectsV2", "s3:ListBucket"),
        ("GET", "/b/?prefix=x", "ListObjects", "s3:ListBucket"),
        ("GET", "/b?versions", "ListObjectVersions", "s3:ListBucketVersions"),
        ("HEAD", "/b", "HeadBucket", "s3:ListBucket"),
        ("PUT", "/b", "CreateBucket", "s3:CreateBucket"),
        ("GET", "/b?location", "GetBucketLocation", "s3:GetBucketLocation"),
        ("PUT", "/b?versioning", "PutBucketVersioning", "s3:PutBucketVersioning"),
    ],
)
def test_operations_have_s3s_names(method: str, target: str, operation: str, action: str) -> None:
    request = Request(method, target, (), b"")
    assert (request.bucket, request.operation, request.action) == ("b", operation, action)


def test_requests_are_counted_by_bucket(seam: Seam, ask: Callable[..., tuple[int, bytes]]) -> None:
    with seam.recording("b") as record:
        ask("PUT", "/b/key", b"four")
        ask("GET", "/b/key")
        ask("GET", "/other/key")
    ask("GET", "/b/key")
    assert record.counts == {"PutObject": 1, "GetObject": 1}
    assert [(exchange.sent, exchange.received, exchange.status) for exchange in record.exchanges] == [
        (4, 4, 200), (0, 4, 200)
    ]  # fmt: skip


def test_changes_are_counted_where_nothing_speaks_against_it(seam: Seam, ask: Callable[..., tuple[int, bytes]]) -> None:
    url = seam.url
    ask("PUT", "/b/key", b"four")
    ask("GET", "/b/key")
    ask("PUT", "/other/key", b"four")
    assert changes_made(url, "b") == 1
    with seam.faults("b", lambda *_: None):
        assert changes_made(url, "b") is None, "what is read may not be what is stored"
    held = []
    with seam.holding("other", lambda _: held.append(changes_made(url, "other"))):
        ask("PUT", "/other/key", b"five")
    assert held == [None], "one is being carried out"
    assert (changes_made(url, "b"), changes_made(url, "other")) == (1, 2)
    assert changes_made("http://127.0.0.1:1", "b") is None, "nobody sees what is sent there"


@pytest.mark.parametrize(
    ("fault", "status", "carried_out"),
    [
        (Fault.SLOW_DOWN, 503, False),
        (Fault.INTERNAL_ERROR, 500, False),
        (Fault.DENIED, 403, False),
        (Fault.ERROR_AFTER, 500, True),
    ],
)
def test_faults_that_answer(
    seam: Seam, store: Store, ask: Callable[..., tuple[int, bytes]], fault: Fault, status: int, carried_out: bool
) -> None:
    with seam.faults("b", lambda number, _: fault if number == 1 else None):
        assert ask("PUT", "/b/key", b"first")[0] == 200
        assert ask("PUT", "/b/key", b"second")[0] == status
        assert store.kept["/b/key"] == (b"second" if carried_out else b"first")
        assert ask("PUT", "/b/key", b"third")[0] == 200
    assert ask("GET", "/b/key") == (200, b"third")


@pytest.mark.parametrize(("fault", "carried_out"), [(Fault.RESET_BEFORE, False), (Fault.RESET_AFTER, True)])
def test_resets(
    seam: Seam, store: Store, ask: Callable[..., tuple[int, bytes]], fault: Fault, carried_out: bool
) -> None:
    with seam.faults("b", lambda *_: fault), pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        ask("PUT", "/b/key", b"data")
    assert ("/b/key" in store.kept) is carried_out


def test_a_truncated_answer(seam: Seam, ask: Callable[..., tuple[int, bytes]]) -> None:
    ask("PUT", "/b/key", b"12345678")
    with seam.faults("b", lambda *_: Fault.TRUNCATED), pytest.raises(http.client.IncompleteRead) as cut:
        ask("GET", "/b/key")
    assert cut.value.partial == b"1234"


def test_small_listing_pages(seam: Seam, store: Store, ask: Callable[..., tuple[int, bytes]]) -> None:
    with seam.listing_pages_of("b", 7):
        ask("GET", "/b?list-type=2&max-keys=1000&prefix=x")
        ask("GET", "/b/key")
    assert [request.target for request in store.asked] == ["/b?list-type=2&prefix=x&max-keys=7", "/b/key"]


def test_a_held_request_waits(seam: Seam, store: Store, ask: Callable[..., tuple[int, bytes]]) -> None:
    held, free = threading.Event(), threading.Event()

    def wait(_: Request) -> None:
        held.set()
        assert free.wait(10)

    with seam.holding("b", wait):
        asking = threading.Thread(target=ask, args=("PUT", "/b/key", b"data"))
        asking.start()
        assert held.wait(10)
        assert store.asked == []
        free.set()
        asking.join(10)
    assert store.kept == {"/b/key": b"data"}


def test_chunked_bodies_arrive_whole(seam: Seam, store: Store) -> None:
    address = urllib.parse.urlsplit(seam.start())
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        connection.sendall(b"PUT /b/key HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        connection.sendall(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert store.kept == {"/b/key": b"abcde"}


@pytest.mark.parametrize(
    "sent",
    [b"Content-Length: 4\r\n\r\n", b"Content-Length: 4\r\n\r\nab", b"Transfer-Encoding: chunked\r\n\r\n4\r\nab"],
    ids=["no body", "a part of it", "a part of a chunk"],
)
def test_a_request_of_a_client_that_was_killed_while_it_sent_is_not_carried_out(
    seam: Seam, store: Store, sent: bytes
) -> None:
    address = urllib.parse.urlsplit(seam.start())
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as client:
        client.sendall(b"PUT /bucket/key HTTP/1.1\r\nHost: localhost\r\n" + sent)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b"", "the connection ends, without an answer"
    assert store.asked == []


def test_another_endpoint_is_judged_through_the_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = S3Endpoint()
    for name, value in behind.environment().items():
        monkeypatch.setenv(name, value)
    before = behind.client.list_buckets()["Buckets"]  # moto's server has one store a process
    endpoint = S3Endpoint(behind.url)
    bucket = endpoint.new_bucket(versioned=True)
    with endpoint.seam.recording(bucket) as record:
        endpoint.client.put_object(Bucket=bucket, Key="key with spaces/ü", Body=b"data")
        assert endpoint.client.get_object(Bucket=bucket, Key="key with spaces/ü")["Body"].read() == b"data"
    assert record.counts == {"PutObject": 1, "GetObject": 1}
    assert endpoint.environment()["AWS_ENDPOINT_URL_S3"] == endpoint.url
    endpoint.stop()  # and with it the buckets that were made there
    assert behind.client.list_buckets()["Buckets"] == before
    behind.stop()


def test_a_listing_that_is_cut_is_signed_as_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that looks at signatures refused the query that the seam had changed."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with socket.create_server(("127.0.0.1", 0)) as listening:  # which is never asked for anything
        endpoint = S3Endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}")
    arrived: list[Request] = []

    def carry_out(request: Request) -> Answer:
        arrived.append(request)
        return Answer(200, [], b"<ListBucketResult/>")

    monkeypatch.setattr(endpoint.seam, "_upstream", carry_out)
    with endpoint.seam.listing_pages_of("b", 7):
        endpoint.client.list_objects_v2(Bucket="b", Prefix="a b/")
    endpoint.seam.stop()
    [request] = arrived
    assert "max-keys=7" in request.target
    headers = {name.lower(): value for name, value in request.headers}
    url = f"http://{headers['host']}{request.target}"
    again = AWSRequest("GET", url, headers={"Host": headers["host"], "X-Amz-Date": headers["x-amz-date"]})
    again.context["timestamp"] = headers["x-amz-date"]
    again.headers["X-Amz-Content-SHA256"] = headers["x-amz-content-sha256"]
    signer = S3SigV4Auth(Credentials("key", "secret"), "s3", "us-east-1")
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert headers["authorization"].endswith(f"Signature={signature}")


def test_what_cannot_be_removed_or_versioned_is_said_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = S3Endpoint()
    for name, value in behind.environment().items():
        monkeypatch.setenv(name, value)
    endpoint = S3Endpoint(behind.url)
    bucket = endpoint.new_bucket()

    def refused(*_: object, **__: object) -> None:
        raise OSError("not offered")

    monkeypatch.setattr(endpoint.client, "put_bucket_versioning", refused)
    with pytest.raises(NoVersioning, match="offers no versioning of buckets: not offered"):
        endpoint.new_bucket(versioned=True)
    remove = endpoint.client.delete_bucket
    monkeypatch.setattr(endpoint.client, "delete_bucket", refused)
    endpoint.remove_bucket(bucket)
    monkeypatch.setattr(endpoint.client, "delete_bucket", remove)
    assert endpoint.clear() == [f"{bucket} (not offered)"]  # and the other one is removed
    remove(Bucket=bucket)
    endpoint.stop()
    behind.stop()


@pytest.mark.parametrize("url", ["localhost:9000", "ftp://somewhere", "http://"])
def test_an_endpoint_that_is_none(url: str) -> None:
    with pytest.raises(NoEndpoint, match="expected a URL such as"):
        S3Endpoint(url)


def test_an_endpoint_at_which_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NoEndpoint, match="nothing answers at the S3 endpoint"):
            S3Endpoint(f"http://127.0.0.1:{taken.getsockname()[1]}")


def test_an_endpoint_that_goes_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        endpoint = S3Endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}")
    try:
        with s3_endpoint.environment({"AWS_MAX_ATTEMPTS": "1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}):
            with pytest.raises(NoEndpoint, match="cannot make a bucket"):
                endpoint.new_bucket()
    finally:
        endpoint.seam.stop()


def test_moto_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_endpoint.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NoEndpoint, match=r"pip install 'strands-session-conformance\[s3\]'"):
        S3Endpoint()
