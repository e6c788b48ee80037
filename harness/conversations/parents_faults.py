"""Faults that a process asks its parent for: what cuts off servers, or denies requests, is at work in the parent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from ._stage import StorageFault

_BEGIN, _END, _DONE = "begin", "end", "done"


@contextlib.contextmanager
def making_faults(fault: StorageFault) -> Iterator[Connection]:
    """Let another process have a fault begin and end, by what is yielded. One that it leaves behind ends, too.

    Args:
        fault: What lets nothing be stored; it is entered in a thread of its own.
    """
    ours, theirs = Pipe()
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(_serve, ours, fault)
        try:
            yield theirs
        finally:
            theirs.close()  # the other process has its own, until it ends
            made.result()


def _serve(ours: Connection, fault: StorageFault) -> None:
    with ours, contextlib.ExitStack() as faults, contextlib.suppress(EOFError, OSError):
        while True:
            if ours.recv() == _BEGIN:
                faults.enter_context(fault())
            else:
                faults.close()
            ours.send(_DONE)


def fault_of_parent(connection: Connection) -> StorageFault:
    """Return what lets the parent make the fault, in the process that was given what :func:`making_faults` yields."""

    @contextlib.contextmanager
    def fault() -> Iterator[None]:
        connection.send(_BEGIN)
        connection.recv()
        try:
            yield
        finally:
            connection.send(_END)
            connection.recv()

    return fault


__all__ = ["fault_of_parent", "making_faults"]
