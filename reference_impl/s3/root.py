"""The root of a session in S3: one object that says which life of the session its id stands for.

A session can be deleted and started again under its id, while a manager that has the first one open knows nothing of
it. So everything but the root lies below a name that was made up when the session was created, its life, and the root
names that life::

    strands-session-root 1 <life>
    <commit line>

The line is that of commit 0, the session's own record, without messages: a root is written once, with
``If-None-Match: *``, and is never overwritten. A deletion removes it before anything else, and what a manager of an
earlier life still writes lies where nobody who opens the session looks.
"""

from __future__ import annotations

import re
import uuid
import zlib
from contextlib import suppress
from dataclasses import dataclass

from ..log.commit_lines import commit_line, whole_commit
from .objects import NotThere, Page, S3Objects
from .place import REST, is_end, is_ours

ROOT = "root"
"""Its key, behind the session's prefix."""

_FIRST_LINE = re.compile(rb"strands-session-root 1 ([0-9a-f]{32})\n")
_LIFE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Root:
    """What a root says.

    Attributes:
        life: The name of this life of the session.
        body: The body of commit 0.
    """

    life: str
    body: bytes

    def data(self) -> bytes:
        """Return the object's bytes; the line's checksum covers the life, too."""
        first_line = b"strands-session-root 1 %b\n" % self.life.encode()
        return first_line + commit_line(0, self.body, zlib.crc32(first_line))


class DamagedRoot(Exception):
    """The object is no whole root."""


def new_life() -> str:
    """Return a name that no life of any session has."""
    return uuid.uuid4().hex


def life_in(key: str) -> str:
    """Return the life that a key, without its session's prefix, belongs to; empty for the root and what is not ours."""
    life, slash, _ = key.partition("/")
    return life if slash and _LIFE.fullmatch(life) else ""


def life_of(page: Page, prefix: str) -> str:
    """Return the only life of a session of which objects are listed, a commit among them; empty where there is none.

    What earlier lives have left behind their last commits counts for nothing.

    Args:
        page: The first objects of the session.
        prefix: The session's prefix, with a slash at its end.
    """
    found = [(item.key.removeprefix(prefix), item.size) for item in page.items]
    names = [name for name, size in found if name != ROOT and not is_end(name, size)]
    lives = {life_in(name) for name in names}
    if len(lives) != 1:
        return ""
    (life,) = lives
    below = [name.removeprefix(f"{life}/") for name in names]
    return life if life and all(map(is_ours, below)) and any(name != REST for name in below) else ""


def read_root(objects: S3Objects, prefix: str) -> Root | None:
    """Return a session's root, or None where there is none: then there is no such session.

    Args:
        objects: The bucket.
        prefix: The session's prefix, with a slash at its end.

    Raises:
        DamagedRoot: It is not what was stored.
        SessionException: It cannot be read.
    """
    try:
        return root_in(objects.get(prefix + ROOT).data)
    except NotThere:
        return None
    except DamagedRoot:  # on its way, perhaps
        with suppress(NotThere):
            return root_in(objects.get(prefix + ROOT).data)
        return None


def root_in(data: bytes) -> Root:
    """Return the root that an object's bytes are.

    Raises:
        DamagedRoot: They are none.
    """
    match = _FIRST_LINE.match(data)
    commit = whole_commit(data, match.end()) if match is not None else None
    if (
        match is None
        or commit is None
        or (commit.number, commit.before, commit.stop) != (0, zlib.crc32(match.group()), len(data))
    ):
        raise DamagedRoot
    return Root(match.group(1).decode(), commit.body)
