"""What requests to S3 cost at list prices."""

from __future__ import annotations

from collections import Counter

USD_A_THOUSAND = {"PUT, COPY, POST, LIST": 0.005, "GET, SELECT and others": 0.0004}
"""S3 Standard in us-east-1 (https://aws.amazon.com/s3/pricing/, "Requests & data retrievals"). Deletes are free."""

_FREE = {"DeleteObject", "DeleteObjects"}
_CHEAP = {"GetObject", "HeadObject", "HeadBucket"}


def usd(counts: Counter[str]) -> float:
    """Return what requests cost in US dollars.

    Args:
        counts: How many there were of each operation.
    """
    dear, cheap = USD_A_THOUSAND.values()
    return sum(
        count * (0.0 if operation in _FREE else cheap if operation in _CHEAP else dear) / 1000
        for operation, count in counts.items()
    )
