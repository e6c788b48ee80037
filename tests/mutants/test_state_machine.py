"""The state machine alone, without any hand-written scenario, finds mutants of five other groups."""

from pathlib import Path

import pytest
from session_conformance.fixtures.properties.profiles import PROFILES, SEED
from session_conformance.harness import Script, Violation
from session_conformance.harness.scripts import as_python
from session_conformance.suites.sta import Player, search

from .judge import backend_of
from .test_mutants import CAUGHT

GROUPS = ("ORD", "UPD", "RPL", "TOL", "IDS")


def _two_of(group: str) -> list[type]:
    """Return the first two mutants that stand in the list of a group, whatever they are and whoever finds them."""
    listed = [mutant for id, mutants in CAUGHT.items() if id.startswith(group) for mutant, _ in mutants]
    return list(dict.fromkeys(listed))[:2]


MUTANTS = [mutant for group in GROUPS for mutant in _two_of(group)]


def find(mutant: type, config: pytest.Config) -> tuple[Script, Violation] | None:
    """Return the shortest script that shows what is broken, or None where none was found."""
    player = Player(backend_of(mutant), config)
    profile = PROFILES["ci"]
    try:
        search(player, scripts=profile.scripts, actions=profile.actions, from_seed=SEED)
    except Violation:
        return player.failed
    return None


@pytest.mark.long
def test_it_finds_eight_of_ten(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    found = {mutant.__name__: find(mutant, pytestconfig) for mutant in MUTANTS}
    assert len(found) == 10
    missed = [name for name, shown in found.items() if shown is None]
    assert len(missed) <= 2, f"missed: {missed}"
    for name, shown in found.items():
        if shown is not None:
            assert len(shown[0].steps) <= 6, f"{name} is shown by a long script:\n{as_python(shown[0])}"
