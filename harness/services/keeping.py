"""Keeping: the least that storing and loading bytes can take on a server, which a backend there is measured beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Keeping:
    """A client that is logged in and prepared, and keeps bytes by their names, in a place of its own.

    Attributes:
        store: Given a name and bytes, makes them durable, in one round trip.
        load: Given a name, returns its bytes, in one round trip; on DynamoDB in as many as its pages take.
        close: Ends the client.
    """

    store: Callable[[str, bytes], object]
    load: Callable[[str], bytes]
    close: Callable[[], object]


__all__ = ["Keeping"]
