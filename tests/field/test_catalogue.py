"""The catalogue: what it may say, and which releases a name stands for."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from session_conformance.suites.field import FieldError, chosen, read_catalogue, read_explanations

FIELD = Path(__file__).parents[2] / "docs" / "field"


def test_the_projects_own_catalogue_is_valid_and_its_plugs_define_what_it_names() -> None:
    entries = read_catalogue(FIELD)
    assert sum(one.is_judged and one.by == "community" for one in entries.values()) >= 15
    for entry in entries.values():
        if entry.plug is not None:
            tree = ast.parse(entry.plug.read_text(encoding="utf-8"))
            names = {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)}
            names |= {target.id for one in tree.body if isinstance(one, ast.Assign) for target in one.targets}  # type: ignore[attr-defined]
            assert entry.target.partition(":")[2] in names, entry.name


def test_each_explanation_is_about_a_backend_of_the_catalogue() -> None:
    assert {backend for backend, _ in read_explanations(FIELD)} <= set(read_catalogue(FIELD))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('kind = "storage"', "is not one of"),
        ('target = "good:Manager"', "it has no target"),
        ('versions = ["2.0", "1.0"]', "it has no versions"),
    ],
)
def test_what_an_entry_may_not_say_is_one_line_that_names_it(folder: Path, wrong: str, said: str) -> None:
    broken = {
        'kind = "storage"': 'kind = "cupboard"',
        'target = "good:Manager"': "",
        'versions = ["2.0", "1.0"]': "versions = []",
    }
    path = folder / "backends.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(wrong, broken[wrong], 1), encoding="utf-8")
    with pytest.raises(FieldError, match=said) as error:
        read_catalogue(folder)
    assert "backends." in str(error.value)


def test_the_newest_release_of_each_comes_first(folder: Path) -> None:
    found = [(entry.name, version) for entry, version in chosen(read_catalogue(folder), [])]
    assert found == [("good", "2.0"), ("broken", "0.1"), ("good", "1.0")]


def test_names_choose_backends_and_releases(folder: Path) -> None:
    entries = read_catalogue(folder)
    assert [version for _, version in chosen(entries, ["good==1.0"])] == ["1.0"]
    with pytest.raises(FieldError, match="no backend 'best': it has good, broken, away"):
        chosen(entries, ["best"])
    with pytest.raises(FieldError, match="away is not judged: its server is not to be had"):
        chosen(entries, ["away"])


def test_an_entry_is_written_as_its_user_configures_it(folder: Path) -> None:
    entries = read_catalogue(folder)
    assert entries["good"].configuration == (
        '[backends.good]\ntarget = "good:Manager"\narguments = { path = "{workdir}" }\n'
    )
    assert entries["broken"].configuration == '[storages.broken]\ntarget = "broken:Storage"\n'
    by_turn = replace(entries["broken"], durability="turn").configuration
    assert by_turn == '[storages.broken]\ntarget = "broken:Storage"\ndurability = "turn"\n'
