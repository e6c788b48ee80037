"""Open files: how many this process may have at once, which some systems limit to fewer than many sessions need."""

from __future__ import annotations

import sys

if sys.platform != "win32":
    import resource

_MANY = 4096


def allow_many_open_files() -> None:
    """Let this process, and those that it starts, have as many open files as a hundred sessions at once may need.

    macOS gives a process 256 of them unless it asks for more, which a service that holds many sessions does. What the
    system's hard limit does not allow stays forbidden (getrlimit(2)).
    """
    if sys.platform == "win32":  # which has no such limits
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MANY if hard == resource.RLIM_INFINITY else min(_MANY, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
