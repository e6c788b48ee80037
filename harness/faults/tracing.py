"""Tracing: what a process does to files, seen from outside by strace, and faults that strace injects there."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ..conversations import Session, in_fresh_process

T = TypeVar("T")

CALLS = (
    "open,openat,creat,close,read,readv,write,pwrite64,writev,pwritev,pwritev2,lseek,fsync,fdatasync,sync,syncfs,"
    "rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,truncate,ftruncate,"
    "fallocate,dup,dup2,dup3,fcntl,copy_file_range,sendfile"
)
"""The system calls that change files, and those that are needed to follow descriptors and positions."""


class TracerMissing(Exception):
    """This machine has no tracer that works. The text says why."""


def traced(
    work: Callable[..., str],
    session: Session,
    *arguments: Any,
    inject: Sequence[str] = (),
    read: Callable[[Iterator[str]], T] = list,  # type: ignore[assignment]
) -> tuple[str, T]:
    """Run ``work(session, die, *arguments)`` in a new process under strace.

    The process is forked with everything loaded and only then traced, so that what is traced is the work alone.

    Args:
        work: A function of a module; see :func:`~session_conformance.harness.conversations.in_fresh_process`.
        session: The session.
        arguments: More arguments, which must be picklable.
        inject: Faults, each as strace's ``-e inject=`` takes it. A ``when`` counts the calls of each thread.
        read: Given strace's lines one by one; by default it keeps them. All that was written is in them.

    Returns:
        What the work returned, and what was read of strace's lines.

    Raises:
        TracerMissing: There is no strace, or it may not trace.
    """
    reason = unavailable()
    if reason is not None:
        raise TracerMissing(reason)
    with tempfile.TemporaryDirectory(prefix="session-conformance-trace-") as folder:
        log = Path(folder) / "trace"
        answer = in_fresh_process(work, session, *arguments, watched=lambda pid: _attached(pid, log, inject))
        with log.open(encoding="ascii", errors="replace") as lines:
            return answer, read(line.rstrip("\n") for line in lines)


@functools.cache
def unavailable() -> str | None:
    """Return why nothing can be traced on this machine, or None where it can."""
    strace = shutil.which("strace")
    if strace is None:
        return "strace is not installed"
    with tempfile.TemporaryDirectory(prefix="session-conformance-trace-") as folder:
        attempt = subprocess.run(
            [strace, "-f", "-o", str(Path(folder) / "trace"), "-e", "trace=openat", "--", "true"],
            capture_output=True,
            text=True,
            check=False,
        )
    if attempt.returncode != 0:
        return f"strace does not work here: {' '.join(attempt.stderr.split())}"
    return None


@contextmanager
def _attached(pid: int, log: Path, inject: Sequence[str]) -> Iterator[None]:
    faults = [word for fault in inject for word in ("-e", f"inject={fault}")]
    tracer = subprocess.Popen(
        [
            "strace",
            "-f",
            "-y",
            "-xx",
            "-s",
            str(2**28),
            "-o",
            str(log),
            "-e",
            f"trace={CALLS}",
            *faults,
            "-p",
            str(pid),
        ],
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert tracer.stderr is not None
    try:
        said = tracer.stderr.readline()  # "strace: Process 123 attached", or why it could not be
        if "attached" not in said:
            raise TracerMissing(f"strace does not work here: {said.strip()}")
        yield
    finally:
        tracer.stderr.close()
        tracer.wait()
