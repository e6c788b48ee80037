"""Calls that concern files, in this process and of Python code: something can be done ahead of them."""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

BeforeCall = Callable[..., object]
"""Given the name of a call and its arguments; what it raises is what the call raises."""

WRITING = ("open", "mkdir", "write", "pwrite", "rename", "replace", "link", "symlink", "truncate", "ftruncate")
"""The calls by which something comes to be stored. Opening counts where it is for writing."""

READING = ("open for reading", "stat", "listdir", "scandir")
"""The calls by which something is found to be stored, or not to be."""

SYNCING = ("fsync", "fdatasync")

REMOVING = ("unlink", "remove", "rmdir", "rename", "replace")
"""The calls by which a session may be deleted."""

_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@contextlib.contextmanager
def before_file_calls(names: tuple[str, ...], act: BeforeCall) -> Iterator[None]:
    """Call a function before each call of some functions of ``os``, and of ``open`` for writing, in whatever thread.

    Calls that C libraries make (as SQLite does) are not reached, and neither are functions that a module has taken out
    of ``os`` when it was imported.

    Args:
        names: The functions, as :data:`WRITING`, :data:`SYNCING` or :data:`REMOVING` name them.
        act: What is done, unless it is what it does itself that calls.
    """
    acting = threading.local()

    def ahead(name: str, *args: Any) -> None:
        if not getattr(acting, "now", False):
            acting.now = True
            try:
                act(name, *args)
            finally:
                acting.now = False

    with contextlib.ExitStack() as patched:
        for name in names:
            if hasattr(os, name):
                patched.enter_context(_patched(os, name, ahead, _opens_for_writing if name == "open" else _always))
        if "open" in names:
            for module in (builtins, io):
                patched.enter_context(_patched(module, "open", ahead, _has_writing_mode))
        if "open for reading" in names:
            patched.enter_context(_patched(os, "open", ahead, _opens_for_reading))
            for module in (builtins, io):
                patched.enter_context(_patched(module, "open", ahead, _has_reading_mode))
        yield


@contextlib.contextmanager
def _patched(module: Any, name: str, ahead: Callable[..., None], concerns: Callable[..., bool]) -> Iterator[None]:
    original = getattr(module, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        if concerns(*args, **kwargs):
            ahead(name, *args)
        return original(*args, **kwargs)

    setattr(module, name, call)
    try:
        yield
    finally:
        setattr(module, name, original)


def _always(*_: Any, **__: Any) -> bool:
    return True


def _opens_for_writing(_: Any, flags: int = 0, *__: Any, **___: Any) -> bool:
    return bool(flags & _WRITE_FLAGS)


def _opens_for_reading(*args: Any, **kwargs: Any) -> bool:
    return not _opens_for_writing(*args, **kwargs)


def _has_reading_mode(*args: Any, **kwargs: Any) -> bool:
    return not _has_writing_mode(*args, **kwargs)


def _has_writing_mode(_: Any, mode: str = "r", *__: Any, **___: Any) -> bool:
    return bool(set(str(mode)) & set("wax+"))


__all__ = ["READING", "REMOVING", "SYNCING", "WRITING", "BeforeCall", "before_file_calls"]
