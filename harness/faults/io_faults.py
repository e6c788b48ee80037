"""I/O faults: which system calls are made to fail, with which errors, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class FaultyCalls:
    """Calls of one kind, and the errors that file systems give for them.

    Attributes:
        what: What the calls do, in words.
        calls: Their names, as strace takes them.
        errors: The names of the errors, as errno(3) has them.
    """

    what: str
    calls: str
    errors: tuple[str, ...]


KINDS = (
    FaultyCalls("writing", "write,pwrite64,writev,pwritev,pwritev2", ("ENOSPC", "EIO", "EDQUOT")),
    FaultyCalls("syncing", "fsync,fdatasync", ("EIO", "ENOSPC")),
    FaultyCalls("opening", "open,openat,creat", ("EMFILE", "EROFS", "EIO")),
    FaultyCalls("naming", "rename,renameat,renameat2,link,linkat,mkdir,mkdirat,ftruncate", ("ENOSPC", "EROFS", "EIO")),
)
"""A full disk, a used-up quota, a broken disk, too many open files, a file system that was mounted read-only."""


_OTHER_STEPS = ((9, 5), (7, 9))
"""The first sync that fails, and in which steps others follow: with them it is the last of two, of three or of five."""


@dataclass(frozen=True)
class FaultPlan:
    """Faults for one run.

    Attributes:
        what: What fails, in words.
        inject: The fault as strace's ``-e inject=`` takes it.
        syncs: Whether it is syncs that fail.
    """

    what: str
    inject: str
    syncs: bool = False


def plans(stride: int = 4) -> Iterator[FaultPlan]:
    """Yield plans: together they make each call of each thread fail once.

    Each plan makes every ``stride``-th call of a kind fail, beginning with another one. An error ends what is being
    stored: where that takes just so many syncs, it is the same of them that fails each time, and where opening a
    session does, nothing comes to be stored at all. So there are two more plans of syncs, which begin later and go on
    in other steps.
    """
    for number, kind in enumerate(KINDS):
        ways = [(first, stride) for first in range(1, stride + 1)]
        if "sync" in kind.calls:
            ways += _OTHER_STEPS
        for first, step in ways:
            error = kind.errors[(number + first) % len(kind.errors)]
            yield FaultPlan(
                f"{kind.what} fails with {error}, each {step}th time from time {first} on",
                f"{kind.calls}:error={error}:when={first}+{step}",
                "sync" in kind.calls,
            )
