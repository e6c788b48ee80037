"""Durability: how much of a conversation a manager promises to have stored when its process is killed."""

from __future__ import annotations

from enum import Enum


class Durability(Enum):
    """A manager's promise, from the strongest to the weakest. The value is its name on the command line.

    A manager that saves less often on purpose keeps a weaker promise, and is judged by that one: requirements that are
    about each message do not apply, and what a kill costs is measured and told.
    """

    MESSAGE = "message"
    """Each message is stored before anybody else hears of it: a kill costs none that was acknowledged."""

    TURN = "turn"
    """What was said by the end of a turn is stored then: an ``Agent``'s invocation, a ``BidiAgent``'s response."""

    STOP = "stop"
    """What was said by the time an agent comes to rest is stored then: it has stopped, or its invocation has ended."""

    @property
    def words(self) -> str:
        """The promise, as a sentence about the manager."""
        return {
            Durability.MESSAGE: "a kill loses nothing that was acknowledged",
            Durability.TURN: "a kill loses nothing of a turn that had ended",
            Durability.STOP: "a kill loses nothing of what there was when the agent last came to rest",
        }[self]

    def keeps(self, other: Durability) -> bool:
        """Whether a manager that promises this promises the other as well."""
        order = list(Durability)
        return order.index(self) <= order.index(other)


def durability_of(text: str) -> Durability:
    """Return the promise of this name.

    Raises:
        ValueError: There is none; the text says which there are.
    """
    try:
        return Durability(text)
    except ValueError:
        expected = ", ".join(one.value for one in Durability)
        raise ValueError(f"{text!r} is no durability: expected one of {expected}") from None
