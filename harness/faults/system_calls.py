"""System calls: strace's lines, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MARK_FILE = "/dev/null"
"""A process sets mark N by seeking to N in this file: a call that strace shows and that nothing else makes."""


class Untraceable(Exception):
    """A process used files in a way that the tracer's lines do not show in full. The text says how."""


LINE = re.compile(r"(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)(.*)")

_CUT = "<unfinished ...>"  # looked for first: lines are as long as what was written

_UNFINISHED = re.compile(rf"(\d+)\s+(.*?)\s*{re.escape(_CUT)}$")

_RESUMED = re.compile(r"(\d+)\s+<\.\.\. \w+ resumed>(.*)$")

DESCRIPTOR = re.compile(r"(\d+|AT_FDCWD)(?:<([^>]*)>)?")

SPLIT = re.compile(r", (?![^\[]*\])")  # strings are hexadecimal, so no comma or bracket of theirs is in the way

_BUFFER = re.compile(r'iov_base=("[^"]*"(?:\.\.\.)?)')


def whole(lines: Iterable[str]) -> Iterator[str]:
    """Join calls that strace cut in two since another thread's came between: they count where they ended.

    A close counts where it began. Its descriptor is free before it ends, and another thread's file may have it by then.
    """
    begun: dict[str, str] = {}
    for line in lines:
        if line.endswith(_CUT) and (unfinished := _UNFINISHED.match(line)):
            thread, call = unfinished.groups()
            if call.startswith("close("):
                yield f"{thread} {call}) = 0"
            else:
                begun[thread] = call
        elif (resumed := _RESUMED.match(line)) and resumed.group(1) in begun:
            yield f"{resumed.group(1)} {begun.pop(resumed.group(1))}{resumed.group(2)}"
        else:
            yield line


def number(text: str) -> int:
    """Return the number of a descriptor, or -1 where a call names none."""
    match = DESCRIPTOR.match(text)
    return int(match.group(1)) if match and match.group(1).isdigit() else -1


def decode(text: str) -> str:
    """Return the path that a hexadecimal string stands for."""
    return _from_hex(text).decode(errors="surrogateescape")


def _from_hex(text: str) -> bytes:
    if text.endswith("..."):
        raise Untraceable("it writes more at once than the tracer shows")
    return bytes.fromhex(text.strip('"').replace("\\x", ""))


def buffers(text: str) -> bytes:
    """Return the bytes of a buffer, or of the list of buffers that ``writev`` takes."""
    return b"".join(map(_from_hex, _BUFFER.findall(text))) if text.startswith("[") else _from_hex(text)
