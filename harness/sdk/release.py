"""Which release of the SDK is installed, which dialect it speaks, and whether it can be used at all."""

from __future__ import annotations

import re
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

PACKAGE = "strands-agents"

OLDEST_SUPPORTED = (1, 48)
"""The first release with ``HookOrder`` and with tracking ids of messages."""


class Dialect(Enum):
    """How a release lets a voice agent be written. The value says which releases do, for reports."""

    STABLE = "strands.bidi, since 1.57.2"
    EXPERIMENTAL = "strands.experimental.bidi, until 1.57.1"


def _installed() -> str | None:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return None


SDK_VERSION: str = _installed() or "none"
"""The installed release of ``strands-agents``."""


def numbers(release: str) -> tuple[int, ...]:
    """Return the numbers that a release begins with: ``1.57.2.dev3`` is (1, 57, 2)."""
    found = re.match(r"\d+(\.\d+)*", release)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def unusable_sdk(installed: str | None = SDK_VERSION) -> str | None:
    """Return in one line why the installed SDK cannot be used and what to do, or None where it can.

    Args:
        installed: Its release; "none" or None where there is none.
    """
    wanted = f"{PACKAGE} {'.'.join(map(str, OLDEST_SUPPORTED))} or newer"
    remedy = f"pip install '{PACKAGE}>={'.'.join(map(str, OLDEST_SUPPORTED))},<2'"
    if installed in (None, "none"):
        return f"{wanted} is needed, and none is installed: {remedy}"
    if numbers(str(installed)) < OLDEST_SUPPORTED:
        return f"{wanted} is needed, and {installed} is installed: {remedy}"
    return None


def insist() -> None:
    """Go on only with an SDK that can be used.

    Raises:
        ImportError: It cannot; the text is that of :func:`unusable_sdk`.
    """
    why = unusable_sdk()
    if why is not None:
        raise ImportError(why)


def dialect() -> Dialect:
    """Return the dialect of the installed SDK."""
    return Dialect.STABLE if find_spec("strands.bidi") is not None else Dialect.EXPERIMENTAL
