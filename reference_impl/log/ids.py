"""Ids and the names of their folders: safe on every file system, and never the same for two ids."""

from __future__ import annotations

import hashlib
import re

_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9_.@+-]{0,98}[a-z0-9_@+-])?")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # what Windows takes for devices


def check_id(id: str, kind: str) -> str:
    """Return ``id`` if it can name a session or an agent.

    Args:
        id: The id.
        kind: What it names, for the error.

    Raises:
        ValueError: It is empty, blank, ``.`` or ``..``, or has a path separator, a NUL or a lone surrogate.
    """
    if not isinstance(id, str):
        raise ValueError(f"{kind}_id={id!r} | id must be a text, got {type(id).__name__}")
    if not id.strip() or id in (".", ".."):
        raise ValueError(f"{kind}_id={id!r} | id cannot be empty, blank, '.' or '..'")
    for character, name in (("/", "path separators"), ("\\", "path separators"), ("\0", "NUL characters")):
        if character in id:
            raise ValueError(f"{kind}_id={id!r} | id cannot contain {name}")
    try:
        id.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{kind}_id={id!r} | id cannot contain lone surrogates") from error
    return id


def folder_name(session_id: str) -> str:
    """Return the folder name of a session.

    An id of lower-case letters, digits and ``_.@+-`` is its own name. Any other is a readable part and a hash, since
    file systems fold case (macOS, Windows), normalise Unicode (macOS), cut long names and reserve some.
    """
    if _PLAIN.fullmatch(session_id) and not _RESERVED.fullmatch(session_id):
        return f"journal_{session_id}"
    readable = re.sub(r"[^a-z0-9]+", "-", session_id.lower()).strip("-")[:40]
    return f"journal_{readable}~{hashlib.sha256(session_id.encode()).hexdigest()[:24]}"
