"""Standings: what the field knows of a backend, as its pages show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from session_conformance.harness.verdicts import GROUPS, Outcome, Result

from .catalogue import Entry
from .costs import costs
from .explanations import ALL, Explanation
from .results import FieldResult

_BASE = "RepositorySessionManager"
"""The SDK's class that managers are built on."""

STALE_AFTER = 2
"""A result is stale when the SDK has had more minor releases than this since the one that it was judged with."""


@dataclass(frozen=True)
class Cell:
    """What came of a group of requirements for one release, counted.

    Attributes:
        own: How many are violated by the backend's own doing.
        inherited: How many are violated as the SDK's base class violates them.
        met: How many are met.
        unclear: How many could not be judged.
    """

    own: int
    inherited: int
    met: int
    unclear: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the group applies or was judged."""
        return not (self.own or self.inherited or self.met or self.unclear)


@dataclass(frozen=True)
class Release:
    """One release of a backend, and what was found of it.

    Attributes:
        version: The release.
        result: What was found.
        of_the_sdk: What it violates by the doing of the SDK's class that it is built on, as somebody has found in the
            code where the run did not tell.
    """

    version: str
    result: FieldResult
    of_the_sdk: frozenset[str] = frozenset()

    @cached_property
    def results(self) -> list[Result]:
        """What came of each requirement."""
        found = self.result.judged.verdict.results if self.result.judged is not None else []
        return [
            replace(one, inherited=one.inherited or _BASE)
            if one.id in self.of_the_sdk and one.outcome == Outcome.VIOLATED.value
            else one
            for one in found
        ]

    @cached_property
    def own(self) -> list[Result]:
        """What it violates by its own doing, MUST before SHOULD."""
        found = [one for one in self._having(Outcome.VIOLATED) if not one.inherited]
        return sorted(found, key=lambda one: one.level != "MUST")

    @cached_property
    def inherited(self) -> list[Result]:
        """What it violates as the SDK's base class does."""
        return [one for one in self._having(Outcome.VIOLATED) if one.inherited]

    @cached_property
    def met(self) -> list[Result]:
        """What it meets."""
        return self._having(Outcome.MET)

    @cached_property
    def away(self) -> dict[str, list[str]]:
        """What does not apply: the ids by reason."""
        reasons: dict[str, list[str]] = {}
        for one in self._having(Outcome.NOT_APPLICABLE):
            reasons.setdefault(one.reason, []).append(one.id)
        return reasons

    @cached_property
    def unclear(self) -> list[Result]:
        """What could not be judged."""
        return self._having(Outcome.BROKEN)

    @property
    def so_far(self) -> str:
        """How little a part of the requirements tells, in words; "" where all were judged."""
        whole = self.result.report.requirements if self.result.report is not None else None
        return f", as far as {len(self.results)} of {whole} requirements tell" if whole != len(self.results) else ""

    @property
    def is_partial(self) -> bool:
        """Whether the run was cut short before all that was asked for was judged."""
        return self.result.cut_short

    @property
    def costs(self) -> list[str]:
        """What its own violations cost its user."""
        return costs(one.id for one in self.own)

    @property
    def inherited_costs(self) -> list[str]:
        """What the violations of the SDK's base class cost its user."""
        return costs(one.id for one in self.inherited)

    def cell(self, group: str) -> Cell:
        """Return what came of a group."""
        return Cell(
            *(sum(one.group == group for one in found) for found in (self.own, self.inherited, self.met, self.unclear))
        )

    def of(self, id: str) -> Result | None:
        """Return what came of a requirement, or None where it was not judged."""
        return next((one for one in self.results if one.id == id), None)

    def _having(self, outcome: Outcome) -> list[Result]:
        return [one for one in self.results if one.outcome == outcome.value]


@dataclass(frozen=True)
class Change:
    """What came out otherwise in one release than in the next older one, of what both were judged by.

    Attributes:
        newer: The one.
        older: The other.
    """

    newer: Release
    older: Release

    @cached_property
    def both(self) -> list[tuple[Result, Result]]:
        """What came of each requirement that both were judged by: in the older, and in the newer."""
        after = {one.id: one for one in self.newer.results}
        return [(before, after[before.id]) for before in self.older.results if before.id in after]

    @property
    def differing(self) -> list[tuple[Result, Result]]:
        """Those that came out otherwise, and not only by what applies."""
        aside = {*self.met_anew, *self.no_longer_met}
        return [each for each in self.both if each[0].outcome != each[1].outcome and each[0].id not in aside]

    @property
    def met_anew(self) -> list[str]:
        """What is met in the newer, and did not apply to the older."""
        return self._from_to(Outcome.NOT_APPLICABLE, Outcome.MET)

    @property
    def no_longer_met(self) -> list[str]:
        """What does not apply to the newer, and was met in the older."""
        return self._from_to(Outcome.MET, Outcome.NOT_APPLICABLE)

    def _from_to(self, before: Outcome, after: Outcome) -> list[str]:
        return [old.id for old, new in self.both if (old.outcome, new.outcome) == (before.value, after.value)]


@dataclass(frozen=True)
class Standing:
    """A backend with its releases, the newest first.

    Attributes:
        entry: What the catalogue says of it.
        releases: Those that have a result.
        explanations: By requirement, where its violations come from.
        is_stale: Whether the newest of them was judged with a release of the SDK that is too old.
        origin_note: Where the results come from, where they are none of the field's.
    """

    entry: Entry
    releases: tuple[Release, ...]
    explanations: Mapping[str, Explanation]
    is_stale: bool = False
    origin_note: str = ""

    @property
    def newest(self) -> Release | None:
        """The newest release of which something was found, or None."""
        return next((one for one in self.releases if one.results), None)

    @property
    def changes(self) -> list[Change]:
        """What changed from each release to the next, the newest first."""
        found = [one for one in self.releases if one.results]
        return [Change(newer, older) for newer, older in pairwise(found)]

    def why(self, id: str) -> Explanation | None:
        """Return where a violation comes from, or None where that is not explained yet."""
        return self.explanations.get(id) or self.explanations.get(ALL)

    @property
    def unexplained(self) -> list[str]:
        """What the newest release violates by its own doing, and nobody has explained yet."""
        return [] if self.newest is None else [one.id for one in self.newest.own if self.why(one.id) is None]

    @property
    def newest_of_each(self) -> Release:
        """The newest release of which something was found, where there is one."""
        found = self.newest
        assert found is not None
        return found

    @property
    def verdict(self) -> str:
        """What the newest release's results come to, in words."""
        found = self.newest
        if found is None:
            return "not judged"
        parts = []
        must = [one for one in found.own if one.level == "MUST"]
        should = len(found.own) - len(must)
        if must:
            parts.append(f"{len(must)} violated by its own doing")
        if should:
            parts.append(f"{should} recommended ones violated by its own doing")
        if found.inherited:
            parts.append(f"{len(found.inherited)} violated as the SDK's base class violates them")
        if found.unclear:
            parts.append(f"{len(found.unclear)} could not be judged")
        return f"{', '.join(parts) or 'meets all that applies to it'}{found.so_far}"

    @property
    def reproduce(self) -> str:
        """The commands that judge its newest release, as one types them in a folder with the files that it needs."""
        found = self.newest_of_each
        entry = self.entry
        needs = [*entry.needs, *([] if entry.by == "here" else [entry.requirement(found.version)])]
        options = [
            word for word in _words(found.result) if word.startswith(("--conformance-level", "--conformance-pr"))
        ]
        return "\n".join(
            [
                " ".join(["pip install", "'strands-session-conformance[s3,servers]'", *(f"'{one}'" for one in needs)]),
                " ".join(["pytest", f"{entry.option}={entry.name}", *options]),
            ]
        )


def standings(
    entries: Iterable[Entry],
    results: Mapping[tuple[str, str], FieldResult],
    explanations: Mapping[tuple[str, str], Explanation],
) -> list[Standing]:
    """Return the standings of backends, in the catalogue's order."""
    newest = max((_minor(one.sdk) for one in results.values()), default=(0, 0))
    found = []
    for entry in entries:
        why = {id: one for (backend, id), one in explanations.items() if backend == entry.name}
        of_the_sdk = frozenset(id for id, one in why.items() if one.whose == "sdk")
        releases = tuple(
            Release(version, results[entry.name, version], of_the_sdk)
            for version in entry.versions
            if (entry.name, version) in results
        )
        first = next((one for one in releases if one.results), None)
        stale = first is not None and _is_stale(_minor(first.result.sdk), newest)
        found.append(Standing(entry, releases, why, stale))
    return found


def groups_of(found: Sequence[Standing]) -> dict[str, str]:
    """Return the groups that something was judged of, and what each is about."""
    judged = {one.group for each in found for release in each.releases for one in release.results}
    return {group: about for group, about in GROUPS.items() if group in judged}


def _minor(version: str) -> tuple[int, int]:
    parts = [int(part) for part in version.split(".")[:2] if part.isdecimal()]
    return (parts[0], parts[1]) if len(parts) == 2 else (0, 0)


def _is_stale(judged: tuple[int, int], newest: tuple[int, int]) -> bool:
    return judged[0] < newest[0] or judged[1] + STALE_AFTER < newest[1]


def _words(result: FieldResult) -> list[str]:
    return result.report.command.split() if result.report is not None else []
