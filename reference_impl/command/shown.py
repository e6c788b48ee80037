"""What is shown of ids and messages: they are others' words, and neither steer a terminal nor break off the command."""

from __future__ import annotations

import sys


def shown(text: str) -> str:
    """Return a text as one line that the terminal can show: what it cannot, and what would steer it, is escaped.

    Args:
        text: What somebody else wrote.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    line = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return line.encode(encoding, "backslashreplace").decode(encoding)
