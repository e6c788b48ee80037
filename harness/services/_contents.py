"""Contents: what a client is given of what is stored, as bytes that a text can be looked for in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def as_bytes(values: Any) -> bytes:
    """Return rows, collections and values as the bytes of their texts, and of what is bytes, one after another."""
    if isinstance(values, bytes | bytearray | memoryview):
        return bytes(values)
    if isinstance(values, str):
        return values.encode(errors="surrogatepass")
    if isinstance(values, dict):
        return as_bytes([part for item in values.items() for part in item])
    if isinstance(values, Iterable):
        return b"\n".join(map(as_bytes, values))
    return repr(values).encode()
