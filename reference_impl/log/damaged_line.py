"""Damaged commit lines: the whole changes in them, and whose messages the others are. Bytes only, no I/O."""

from __future__ import annotations

import re
import zlib

_PART = re.compile(rb"([0-9a-f]{8}):([0-9a-f]{8})(?=[ \"])")
_PARTS = re.compile(rb"((?: [0-9a-f]{8}:[0-9a-f]{8})+)...", re.DOTALL)  # and behind them three bytes: `",[`
_AGENT = re.compile(rb'"agent_id":"([^"\\\0]{1,100})"')
_TRACKING_ID = re.compile(rb'"tracking_id":"([^"\\\0]{1,100})"')


def changes_in(line: bytes, where: str) -> tuple[list[bytes], list[str]]:
    """Return the bodies of commits with the whole changes in a damaged line, and what is not whole, in words.

    Args:
        line: The line, or what is left of it.
        where: Where it is, for the words.
    """
    parts = _PARTS.search(line)
    if parts is None:
        return [], [f"{len(line)} bytes {where} are no whole commit{_named(line)}"]
    found: list[bytes] = []
    lost: list[str] = []
    position = parts.end()
    for part in _PART.finditer(parts.group(1) + b" "):
        length, checksum = (int(text, 16) for text in part.groups())
        change = line[position : position + length]
        if len(change) == length and zlib.crc32(change) == checksum:
            found.append(b"[" + change + b"]")
        else:
            lost.append(f"a change of {length} bytes {where} is damaged{_named(change)}")
        position += length + 1
    return found, lost


def _named(data: bytes) -> str:
    """Say whose message some damaged bytes are, as far as they can be read; nothing of what it says."""
    names = [
        f"{kind} {match.group(1).decode(errors='replace')!r}"
        for kind, pattern in (("agent", _AGENT), ("tracking id", _TRACKING_ID))
        if (match := pattern.search(data)) is not None
    ]
    return f" ({', '.join(names)})" if names else ""
