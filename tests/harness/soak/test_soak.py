"""A soak finds each kind of fault in real processes, and none in correct managers."""

from pathlib import Path

import pytest
from session_conformance.harness import BackendSpec, Workspace
from session_conformance.harness.soak import Soak, SoakSettings, life, soak

SEED = 20261126


def soaked(target: str, folder: Path, lives: int) -> Soak:
    settings = SoakSettings(seed=SEED, lives=lives, processes=2, sessions=2)
    return soak(BackendSpec("soaked", target).resolve(), Workspace(folder), settings)


@pytest.mark.parametrize(
    ("mutant", "kind", "lives"),
    [
        ("Losing", "lost", 8),
        ("Doubling", "doubled", 8),
        ("MixingUp", "mixed up", 16),
        ("Disordering", "out of order", 8),
        ("Leaking", "leaked after a deletion", 40),
        ("Unredacting", "leaked after a redaction", 16),
        ("Tearing", "damaged", 60),
    ],
)
def test_a_fault_is_found(mutant: str, kind: str, lives: int, tmp_path: Path) -> None:
    found = soaked(f"tests.harness.soak.broken:{mutant}", tmp_path, lives)
    assert found.counts[kind], f"{found}\n{found.anomalies}"
    shown = next(one for one in found.anomalies if one.kind == kind)
    assert shown.stretch, "nothing shows it"


@pytest.mark.parametrize(
    "target", ["session_conformance.reference_impl:FileSessionManager", "tests.harness.soak.broken:Deleting"]
)
def test_a_correct_manager_has_no_anomaly(target: str, tmp_path: Path) -> None:
    log = tmp_path / "history.jsonl"
    (tmp_path / "data").mkdir()
    settings = SoakSettings(seed=SEED, lives=40, processes=2, sessions=2)
    found = soak(BackendSpec("soaked", target).resolve(), Workspace(tmp_path / "data"), settings, log=log)
    assert not found.anomalies, "\n".join(map(str, found.anomalies))
    assert found.acknowledged > 20
    assert found.kills > 5
    assert len(log.read_text().splitlines()) == len(found.history.records)


def test_the_plan_follows_from_the_seed() -> None:
    plan = [life(SEED, number, sessions=3) for number in range(200)]
    assert plan == [life(SEED, number, sessions=3) for number in range(200)]
    assert plan != [life(SEED + 1, number, sessions=3) for number in range(200)]
    assert {operation for one in plan for operation in one.operations} >= {
        "append",
        "redact",
        "delete",
        "repair",
        "read",
    }


def test_a_soak_needs_an_end_and_a_name(tmp_path: Path) -> None:
    backend = BackendSpec("soaked", "session_conformance.reference_impl:FileSessionManager").resolve()
    with pytest.raises(ValueError, match="give minutes or lives"):
        soak(backend, Workspace(tmp_path), SoakSettings(seed=1))
