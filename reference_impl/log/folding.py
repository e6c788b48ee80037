"""Folding: the fewest commits that add up to what many do."""

from __future__ import annotations

from .codec import decode, encode
from .commit_lines import ID_LENGTH, commits_of, latest
from .history import SessionHistory, commits_noted


def folded(array: bytes | bytearray) -> list[bytes]:
    """Return the bodies of the fewest commits that add up to the same history.

    Each commit is parsed by itself, so that other threads have their turn in between.

    Args:
        array: The JSON array of the commits (:func:`.commit_lines.commits_in`).

    Raises:
        ValueError, KeyError, TypeError: A commit cannot be read.
    """
    history, ids = SessionHistory(), []
    for label, body in commits_of(array):
        ids.append(label[:ID_LENGTH])
        history.apply(decode(body))
    history.apply_one(commits_noted(latest(ids)))
    return [encode([change]) for change in history.changes()]
