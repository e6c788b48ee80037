"""botocore's data files, parsed once: a manager that makes a session of its own has them parsed anew each time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .endpoint import REGION

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


def parse_data_files() -> None:
    """Parse what a client of S3 needs, so that processes that are forked from this one need not, where they keep it."""
    import boto3

    with data_files_kept(), suppress(Exception):  # an odd configuration of the user's is for the backend to meet
        boto3.Session(region_name=REGION).client("s3")


def _shared(create: Callable[[str | None], Any], place: str | None) -> Any:
    if place not in _loaders:
        _loaders[place] = create(place)
    return _loaders[place]
