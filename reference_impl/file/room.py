"""Room for the next commit: cleared of what writes that failed have left there, and reserved ahead."""

from __future__ import annotations

import contextlib
import os

from .journal import TRAILER, Scan, capacity_for, reserve
from .posix import sync, sync_all, write_at
from .torn import WITHDRAWN, capacity_of


def make_room(descriptor: int, known: Scan, length: int) -> None:
    """Make room behind the last commit for a line of a length in bytes; afterwards ``known`` says what is there.

    Others may have begun to grow the file, or to write to it, and failed. What that leaves is no commit, so nothing
    tells of it but the place itself: it is looked at before each line.

    Args:
        descriptor: Of the journal, locked and up to date.
        known: What of it is known.
        length: How long the line is.

    Raises:
        OSError: Something could not be written. What is there still reads as it did.
        Damage: The end of the file was cut off.
    """
    if known.torn or not _is_free(descriptor, known, length):
        _clear(descriptor, known)
    if known.end + length + len(TRAILER) > known.capacity:
        _grow(descriptor, known, known.end + length)


def _is_free(descriptor: int, known: Scan, length: int) -> bool:
    room = known.capacity - len(TRAILER) - known.end
    if length > room and os.fstat(descriptor).st_size != known.capacity:
        return False  # somebody began to grow it
    return not os.pread(descriptor, min(length, room), known.end).strip(b"\0")


def _clear(descriptor: int, known: Scan) -> None:
    """Clear all of the reserved space, for good, before anything is put there.

    A second crash would otherwise leave a mixture of the two, which nobody could tell from damage. All of it, since
    after a failed sync the disk may have what the system no longer shows. The mark of what is withdrawn stays in the
    first bytes, for whoever comes if this fails; the next commit covers it.
    """
    tail = os.pread(descriptor, os.fstat(descriptor).st_size - known.end, known.end)
    known.capacity = capacity_of(tail, known.end)
    room = known.capacity - len(TRAILER) - known.end
    used = len(tail[:room].rstrip(b"\0"))
    if not used and not known.torn:
        return
    if TRAILER in tail[:used]:
        # Whoever grew the file did not come to clear its older trailer. So the newer one may not be durable: it is
        # written again, since what a sync failed to write the next sync does not write.
        write_at(descriptor, TRAILER, known.capacity - len(TRAILER))
        sync_all(descriptor)
    known.torn = max(used, known.torn, len(WITHDRAWN))
    cleared = WITHDRAWN.ljust(room, b"\0")
    try:
        write_at(descriptor, cleared, known.end)
        sync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            write_at(descriptor, cleared, known.end)
        raise


def _grow(descriptor: int, known: Scan, used: int) -> None:
    capacity = capacity_for(used)
    write_at(descriptor, reserve(known.capacity, capacity), known.capacity)
    sync(descriptor)
    # The older trailer goes only when the new space is there to stay: there is one at any time.
    write_at(descriptor, bytes(len(TRAILER)), known.capacity - len(TRAILER))
    sync(descriptor)
    known.capacity = capacity
