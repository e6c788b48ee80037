"""The plan of a soak: who does what, and where it is killed, as a pure function of a seed and a number."""

from __future__ import annotations

import random
from dataclasses import dataclass

APPEND = "append"
STREAM = "stream"
REDACT = "redact"
DELETE = "delete"
CLEAN_UP = "clean_up"
REPAIR = "repair"
READ = "read"
OPEN = "open"
STOP = "stop"
WRITES_FAIL = "writes_fail"
SYNCS_FAIL = "syncs_fail"
STORAGE_WORKS = "storage_works"

TALKING = (APPEND, APPEND, APPEND, STREAM, STREAM, REDACT, READ)
"""What an agent that has a session open does next, each as often as it stands here."""

MOST_OPERATIONS = 24
"""How many operations a life has at most after it opened its session."""


@dataclass(frozen=True)
class Life:
    """What one process does from its start to its end.

    Attributes:
        number: Its place in the plan.
        session: The number of the session that it works on.
        operations: What it does, in order: names of this module.
        killed_at: The operation at which it is killed, counted from 0; None where it ends by itself.
        killed_after_us: How many microseconds after that operation was begun, or right after its answer if that comes
            sooner.
    """

    number: int
    session: int
    operations: tuple[str, ...]
    killed_at: int | None = None
    killed_after_us: int = 0


def life(seed: int, number: int, *, sessions: int) -> Life:
    """Return life ``number`` of the plan that a seed stands for.

    Args:
        seed: Any number.
        number: Which life, counted from 0.
        sessions: How many sessions there are.
    """
    chance = random.Random(f"{seed}/{number}")
    session = chance.randrange(sessions)
    kind = chance.random()
    if kind < 0.08:
        operations = [chance.choice((DELETE, DELETE, CLEAN_UP))]
        if chance.random() < 0.6:
            operations += [OPEN, APPEND, READ, STOP]
    elif kind < 0.2:
        operations = [REPAIR, READ]
    else:
        operations = [OPEN, *_talk(chance)]
        if chance.random() < 0.7:
            operations.append(STOP)
    killed_at = chance.randrange(len(operations)) if chance.random() < 0.5 else None
    return Life(number, session, tuple(operations), killed_at, round(10 ** chance.uniform(0, 4.3)))


def _talk(chance: random.Random) -> list[str]:
    operations: list[str] = []
    while len(operations) < chance.randint(2, MOST_OPERATIONS):
        if chance.random() < 0.06:
            failing = [
                chance.choice((WRITES_FAIL, SYNCS_FAIL)),
                *chance.choices((APPEND, STREAM), k=chance.randint(1, 3)),
            ]
            operations += [*failing, STORAGE_WORKS]
        else:
            operations.append(chance.choice(TALKING))
    return operations
