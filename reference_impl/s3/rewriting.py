"""Rewriting: a history put in place of all commits, and objects emptied that hold what must go."""

from __future__ import annotations

from collections.abc import Collection

from . import sizes
from .life import Life
from .place import HEADER, commit_name
from .segments import all_segments, dated_segments


def empty_commits(life: Life, number: int, base: int, known: int, touched: Collection[int] | None) -> set[int]:
    """Empty the objects of commits that hold what must go.

    Args:
        life: The life.
        number: The number of the rewriting's own commit.
        base: The number of the first commit that the rewriting before it does not stand for; 0 if there was none.
        known: How many commits that rewriting has.
        touched: Which of the commits that were read must go, counted from 0; all of them if None.

    Returns:
        The numbers of the commits that must go.

    Raises:
        SessionException: An object cannot be stored, or they cannot be listed.
    """
    gone = set(range(number)) if touched is None else {base + n - known for n in touched if n >= known}
    holders = {holder for commit in gone for holder in _holders(commit, number)}
    if base and (touched is None or any(index < known for index in touched)):
        # Which of the commits that an earlier rewriting stands for must go, nobody knows any more: all do. And a run
        # goes on behind a folded history, and repeats what that one stands for.
        gone |= set(range(base))
        holders -= {commit_name(commit) for commit in range(base)}
        holders |= set(_holders(base - 1, number))
        holders |= {commit_name(number) for number, size in life.commits(-1) if number < base and size > len(HEADER)}
    life.empty(holders | _coming(life, number))
    return gone


def _holders(commit: int, stop: int) -> list[str]:
    """Return the keys of the commits' objects, before ``stop``, that may hold a commit."""
    return [commit_name(number) for number in range(max(commit, 1), min((commit // sizes.RUN + 1) * sizes.RUN, stop))]


def _coming(life: Life, stop: int) -> set[str]:
    """Return the names of the commits' objects, before ``stop``, that S3 may yet store.

    Where a folding has removed the object meanwhile, nothing stands in the way of the first write, so that an empty
    object must. That write may hold what must go under whichever number: one that was another's is tried under a later
    one. Once a rewriting is stored, nobody needs any of them.
    """
    prefix, coming = life.key("c/"), life.objects.on_their_way
    names = {key.removeprefix(prefix) for key in list(coming) if key.startswith(prefix)}
    names = {name for name in names if int(name) < stop}
    for name in names:
        coming.pop(prefix + name, None)  # from now on an empty object is there, for longer than S3 takes
    return {f"c/{name}" for name in names}


def empty_what_may_come(life: Life) -> None:
    """Empty the objects that S3 may yet store, as far as others have rewritten what they hold.

    Raises:
        SessionException: An object cannot be stored, or they cannot be listed.
    """
    if life.objects.on_their_way:
        stop = max((segment.last for segment, _ in dated_segments(life) if segment.is_rewriting), default=0)
        life.empty(_coming(life, stop))


def empty_segments(life: Life, kept: str, number: int, gone: Collection[int]) -> None:
    """Empty the segments that hold commits that must go, once a rewriting is stored.

    Others may write a segment at this moment, from what they have in memory, or another rewriting from what they
    read before this one. Everyone stores first and lists then: so one of two sees what the other stored. What
    begins at or before a rewriting's number is needed no more, also where it reaches beyond it.

    Args:
        life: The life.
        kept: The name of the rewriting.
        number: The number of its own commit.
        gone: The numbers of the commits that must go.

    Raises:
        SessionException: An object cannot be stored, or they cannot be listed.
    """
    segments = all_segments(life)
    earliest = min(gone, default=number)
    for segment in segments:
        if segment.key == kept:
            needless = any(other.rewritten and other.last > number for other in segments)  # what it says is older
        elif segment.rewritten:
            needless = earliest <= segment.last < number
        else:
            needless = segment.first <= number and any(segment.first <= n <= segment.last for n in gone)
        if needless:
            life.empty([segment.key])
