"""Moments: a listing says of each object when it was written, counted by writes."""

from datetime import timedelta

import pytest
from session_conformance.harness.s3.moments import Moments

LISTING = (
    b"<ListBucketResult><Contents><Key>a%20b</Key><LastModified>2020-01-01T00:00:00.000Z</LastModified></Contents>"
    b"<Contents><Key>c</Key><ETag>x</ETag><LastModified>2020-01-01T00:00:00.000Z</LastModified></Contents>"
    b"<Contents><Key>other</Key><LastModified>2020-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>"
)


@pytest.mark.parametrize(("apart", "later"), [(timedelta(), "10:00:00"), (timedelta(minutes=1), "10:02:00")])
def test_what_is_written_again_is_the_latest(apart: timedelta, later: str) -> None:
    moments = Moments(apart)
    for key in ("a b", "c", "a b"):
        moments.note_write(key)
    told = moments.in_listing(LISTING).decode()
    assert f"<Key>a%20b</Key><LastModified>2026-11-23T{later}.000Z<" in told
    assert "<Key>other</Key><LastModified>2020-01-01T00:00:00.000Z<" in told  # written before anybody counted
    assert told.count("2026-11-23") == 2
