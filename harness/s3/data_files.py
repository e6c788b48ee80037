"""botocore's data files, parsed once: a manager that makes a session of its own has them parsed anew each time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_loaders: dict[str | None, Any] = {}


@contextmanager
def data_files_kept() -> Iterator[None]:
    """Let the sessions that botocore makes meanwhile share what was parsed of its data files.

    That takes four fifths of the time of a session and its first client, which many managers make each. They share
    nothing else. A process that has not imported botocore yet is left alone, and so are benchmarks: users parse, too.
    """
    session: Any = sys.modules.get("botocore.session")
    if session is None:
        yield
        return
    create = session.create_loader
    session.create_loader = lambda search_path_string=None: _shared(create, search_path_string)
    try:
        yield
    finally:
        session.create_loader = create


def _shared(create: Callable[[str | None], Any], place: str | None) -> Any:
    if place not in _loaders:
        _loaders[place] = create(place)
    return _loaders[place]
