"""The table of the field in a README: it stands between two comments, and says what the results say."""

from dataclasses import replace
from pathlib import Path

import pytest
from session_conformance.suites.command import main
from session_conformance.suites.field import keep, read_catalogue
from session_conformance.suites.field.readme import BEGIN, END, table_of, with_table, write_table

from .conftest import result_of

FIELD = Path(__file__).parents[2] / "docs" / "field"


def rows_of(table: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:] if line[:1] == "|"
    ]


def test_the_committed_table_is_that_of_the_committed_results() -> None:
    readme = FIELD.parents[1] / "README.md"
    committed = readme.read_text(encoding="utf-8")
    assert with_table(committed, table_of(FIELD, readme.parent)) == committed, "run: session-conformance field build"


def test_a_row_tells_own_violations_from_those_of_the_sdk_and_what_they_cost(folder: Path) -> None:
    entries = read_catalogue(folder)
    keep(result_of(entries["good"], "2.0", "violated", inherited="RepositorySessionManager"), folder)
    keep(result_of(entries["good"], "1.0", "violated"), folder)
    keep(replace(result_of(entries["broken"], "0.1", "violated"), cut_short=True), folder)
    table = table_of(folder, folder.parent)
    assert rows_of(table) == [
        ["[Good](field/backends/good.html) 2.0", "files", "1", "0", "1", "nothing"],
        ["[Broken](field/backends/broken.html) 0.1", "files", "1, cut short", "1", "0", "refuses or changes some text"],
    ]
    assert table.endswith("\nNot judged: Away (its server is not to be had).\n")


def test_a_run_that_was_cut_short_does_not_say_that_nothing_is_wrong(folder: Path) -> None:
    keep(replace(result_of(read_catalogue(folder)["good"], "2.0"), cut_short=True), folder)
    assert rows_of(table_of(folder, folder))[0][-1] == "none was found so far"


def test_building_the_field_writes_the_table_where_the_readme_has_its_place(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(result_of(read_catalogue(folder)["good"], "2.0"), folder)
    monkeypatch.chdir(tmp_path)
    readme = tmp_path / "README.md"
    build = ["field", "build", "--folder", "field"]
    assert main(build) == 0
    assert not readme.exists()
    readme.write_text("# Mine\n", encoding="utf-8")
    assert main(build) == 0
    assert readme.read_text(encoding="utf-8") == "# Mine\n"
    assert main([*build, "--readme", "README.md"]) == 4
    assert BEGIN in capsys.readouterr().err
    readme.write_text(f"# Mine\n\n{BEGIN}\nold\n{END}\n\nThe end.\n", encoding="utf-8")
    assert main([*build, "-o", "elsewhere"]) == 0
    assert "old" in readme.read_text(encoding="utf-8")
    assert main(build) == 0
    written = readme.read_text(encoding="utf-8")
    assert written == f"# Mine\n\n{BEGIN}\n\n{table_of(folder, tmp_path)}{END}\n\nThe end.\n"
    write_table(folder, readme)
    assert readme.read_text(encoding="utf-8") == written
