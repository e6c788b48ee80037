"""Frames of what was raised are told of where nothing can be looked for any more, too."""

import errno
import importlib.util
import sysconfig

import pytest
from session_conformance.harness.timeline import Failed, frames


def test_a_failure_is_told_of_while_no_file_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_files(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    for where, name in ((importlib.util, "find_spec"), (frames, "find_spec"), (sysconfig, "get_path")):
        monkeypatch.setattr(where, name, no_files)
    try:
        no_files()
    except OSError as error:
        told = Failed.by("agent.send()", error)
    assert told.frames[0].startswith(f'File "{__file__}"')
