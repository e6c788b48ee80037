"""Forks: what a child that is forked must not go on with, since it is the parent's."""

from __future__ import annotations

import contextlib
import os
import weakref
from typing import Protocol


class Inherited(Protocol):
    """What a child has a copy of."""

    def leave_to_parent(self) -> None:
        """Begin anew, in the child: what was open, locked or in line stays the parent's."""


_inherited: weakref.WeakSet[Inherited] = weakref.WeakSet()


def begin_anew_in_children(one: Inherited) -> None:
    """Have children leave something to their parent, for as long as it lives."""
    _inherited.add(one)


def _leave_to_parents() -> None:
    for one in list(_inherited):
        with contextlib.suppress(OSError):
            one.leave_to_parent()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_leave_to_parents)
