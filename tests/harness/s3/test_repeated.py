"""Reads that are asked again are answered as the store would, and without it while nothing was written."""

import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_conformance.harness.s3 import Answer, Request
from session_conformance.harness.s3.repeated import BUCKETS, LARGEST, RepeatedReads

KEYS = ("a", "a/b", "a/b c", "b", "")
PREFIXES = ("", "a", "a/", "b")


class Store:
    """Objects by path; it says in each answer how many requests it has carried out."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked = 0

    def __call__(self, request: Request) -> Answer:
        self.asked += 1
        if request.operation == "PutObject":
            self.objects[request.path] = request.body
        elif request.operation == "DeleteObject":
            self.objects.pop(request.path, None)
        elif request.operation == "DeleteObjects":
            self.objects.clear()
        elif request.operation == "ListObjectsV2":
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.target).query)
            start = f"/{request.bucket}/{query.get('prefix', [''])[0]}"
            return Answer(200, (), "\n".join(path for path in sorted(self.objects) if path.startswith(start)).encode())
        elif request.path in self.objects:
            return Answer(200, (), self.objects[request.path])
        else:
            return Answer(404, (), b"")
        return Answer(200, (), b"")


def asking(method: str, target: str, body: bytes = b"", **headers: str) -> Request:
    return Request(method, target, tuple(headers.items()), body)


def get(key: str) -> Request:
    return asking("GET", f"/bucket/{urllib.parse.quote(key)}")


def put(key: str, body: bytes) -> Request:
    return asking("PUT", f"/bucket/{urllib.parse.quote(key)}", body)


def listing(prefix: str) -> Request:
    return asking("GET", f"/bucket?list-type=2&prefix={urllib.parse.quote_plus(prefix)}")


REQUESTS = st.one_of(
    st.builds(get, st.sampled_from(KEYS[:4])),
    st.builds(put, st.sampled_from(KEYS[:4]), st.sampled_from([b"1", b"2"])),
    st.builds(listing, st.sampled_from(PREFIXES)),
    st.builds(lambda key: asking("DELETE", f"/bucket/{urllib.parse.quote(key)}"), st.sampled_from(KEYS[:4])),
    st.just(asking("POST", "/bucket?delete")),
)


@given(st.lists(REQUESTS, max_size=30))
def test_every_answer_is_the_stores(requests: list[Request]) -> None:
    plain, kept = Store(), RepeatedReads(Store())
    for request in requests:
        assert kept(request) == plain(request)


@pytest.mark.parametrize(
    ("read", "change", "asks_again"),
    [
        (get("a"), get("a"), False),
        (get("a"), put("b", b"2"), False),
        (get("a"), put("a", b"2"), True),
        (listing("a/"), put("b", b"2"), False),
        (listing("a/"), put("a/c d", b"2"), True),
        (listing(""), put("b", b"2"), True),
        (get("a"), asking("POST", "/bucket?delete"), True),
        (get("a"), asking("POST", "/bucket/b?uploads"), True),
        (get("a"), asking("PUT", "/other/a"), False),
    ],
)
def test_a_read_is_asked_again_once_a_change_may_be_seen(read: Request, change: Request, asks_again: bool) -> None:
    store = Store()
    kept = RepeatedReads(store)
    kept(read)
    kept(change)
    before = store.asked
    kept(read)
    assert store.asked - before == asks_again


def test_requests_that_ask_for_something_else_are_not_taken_for_the_same() -> None:
    store = Store()
    kept = RepeatedReads(store)
    kept(asking("GET", "/bucket/a", Authorization="one"))
    kept(asking("GET", "/bucket/a", Authorization="two"))
    assert store.asked == 1
    kept(asking("GET", "/bucket/a", Range="bytes=0-1"))
    kept(asking("HEAD", "/bucket/a"))
    assert store.asked == 3


def test_little_is_kept() -> None:
    store = Store()
    kept = RepeatedReads(store)
    store.objects["/bucket/large"] = b"x" * (LARGEST + 1)
    for _ in range(2):
        kept(get("large"))
    assert store.asked == 2
    kept(get("a"))
    for number in range(BUCKETS):
        kept(asking("GET", f"/{number}/a"))
    before = store.asked
    kept(get("a"))
    assert store.asked == before + 1
