"""Matrices: what came of each kind of thing that was done, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Matrix:
    """A table of counts: a row for each kind of thing that was done, a column for each outcome.

    Attributes:
        title: What is counted, in words.
        rows: What the rows are: ``"damage"``, ``"moment"``, ...
        columns: The outcomes, in the order in which they are shown.
        bad: Those of them that violate the requirement.
        counts: By row, in the order in which they are shown, and by outcome, how often it was so.
        note: What else a reader must know, in words; or "".
    """

    title: str
    rows: str
    columns: Sequence[str]
    bad: Sequence[str] = ()
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    note: str = ""

    @classmethod
    def of(
        cls,
        title: str,
        rows: str,
        cases: Iterable[tuple[str, str]],
        *,
        columns: Sequence[str],
        bad: Sequence[str] = (),
        note: str = "",
    ) -> Matrix:
        """Count cases, each given as its row and its outcome.

        Raises:
            ValueError: An outcome has no column.
        """
        counts: dict[str, Counter[str]] = {}
        for row, outcome in cases:
            if outcome not in columns:
                raise ValueError(f"{outcome!r} is no column of {list(columns)}")
            counts.setdefault(row, Counter())[outcome] += 1
        return cls(title, rows, list(columns), list(bad), {row: dict(found) for row, found in counts.items()}, note)

    def to_dict(self) -> dict[str, Any]:
        """Return the matrix as plain data, from which ``Matrix(**data)`` makes it again."""
        return {
            "title": self.title,
            "rows": self.rows,
            "columns": list(self.columns),
            "bad": list(self.bad),
            "counts": {row: dict(found) for row, found in self.counts.items()},
            "note": self.note,
        }

    def total(self, column: str) -> int:
        """Return how often an outcome was seen, in all rows."""
        return sum(found.get(column, 0) for found in self.counts.values())
