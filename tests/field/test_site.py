"""The site: the committed pages are those that the committed results give, and say what they must."""

import re
from pathlib import Path

import pytest
from session_conformance.harness.reporting import write
from session_conformance.harness.verdicts import GROUPS
from session_conformance.suites.command import main
from session_conformance.suites.field import FieldError, chosen, keep, kept, pages_of, read_catalogue
from session_conformance.suites.field.costs import BY_GROUP, cost_of

from .conftest import result_of

FIELD = Path(__file__).parents[2] / "docs" / "field"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return pages_of(FIELD)


def test_the_committed_pages_are_those_that_the_committed_results_give(pages: dict[str, str]) -> None:
    drawn = {name: text for name, text in pages.items() if not name.startswith("badges/")}
    committed = {path.relative_to(FIELD).as_posix(): path for path in FIELD.glob("**/*.html")}
    assert {name for name in drawn if name.endswith(".html")} == set(committed), "run: session-conformance field build"
    differ = [name for name, text in drawn.items() if (FIELD / name).read_text(encoding="utf-8") != text]
    assert differ == [], "run: session-conformance field build"


ABSOLUTE = re.compile(r"--basetemp=/|/site-packages/|/tmp/|/root/|/home/|/dev/shm/")
"""What only a folder of some machine begins with."""


def test_what_is_committed_names_no_folder_of_a_machine(pages: dict[str, str]) -> None:
    data = {path.as_posix(): path.read_text(encoding="utf-8") for path in FIELD.glob("results/*/*.json")}
    assert [name for name, text in {**pages, **data}.items() if ABSOLUTE.search(text)] == []


def test_where_an_environment_lay_is_not_kept(folder: Path) -> None:
    [(entry, version)] = chosen(read_catalogue(folder), ["good==2.0"])
    trace = 'File "/somewhere/an environment-2/lib/python3.11/site-packages/good/store.py", line 3\n  File "own.py"'
    trace += '\n  File "/somewhere/lib/python3.11/concurrent/futures/thread.py", line 58'
    trace += "\nInvalid JSON in file /dev/shm/session-conformance-91lk_r1-crash/0/4/session_s/session.json: cut"
    keep(result_of(entry, version, "violated", found="it is lost", evidence=trace), folder)
    [kept_result] = [one for one in kept(folder)[entry.name, version].judged.verdict.results if one.id == "CNT-01"]
    expected = 'File "good/store.py", line 3\n  File "own.py"\n  File "concurrent/futures/thread.py", line 58'
    expected += "\nInvalid JSON in file 0/4/session_s/session.json: cut"
    assert kept_result.evidence == expected


def test_each_page_is_small_and_needs_nothing_from_elsewhere(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        assert len(text.encode()) <= 300_000, name
        if name.endswith(".html"):
            assert "<script" not in text
            assert re.findall(r'<link rel="stylesheet" href="([^"]*)"', text) in (["style.css"], ["../style.css"])
            assert "src=" not in text.replace("default-src", "").replace("style-src", "") or "<img" not in text


def test_each_link_inside_the_site_leads_somewhere(pages: dict[str, str]) -> None:
    ids = {name: set(re.findall(r'\bid="([^"]+)"', text)) for name, text in pages.items()}
    for name, text in pages.items():
        for target in re.findall(r'href="([^"]+)"', text) if name.endswith(".html") else ():
            if target.startswith("https://"):
                continue
            file, _, anchor = target.partition("#")
            parts = [*name.split("/")[:-1], *file.split("/")] if file else name.split("/")
            while ".." in parts:
                at = parts.index("..")
                del parts[at - 1 : at + 1]
            path = "/".join(parts)
            assert path in pages, (name, target)
            assert not anchor or anchor in ids[path], (name, target)


def test_at_least_fifteen_backends_that_nobody_here_wrote_have_a_verdict() -> None:
    entries, found = read_catalogue(FIELD), kept(FIELD)
    judged = {one.backend for one in found.values() if one.judged is not None}
    assert sum(entries[name].by == "community" for name in judged) >= 15


def test_every_group_costs_something_in_words() -> None:
    assert set(BY_GROUP) == set(GROUPS)
    assert cost_of("ORD-02") == "forgets what the assistant said after a restart"


def test_own_violations_stand_apart_from_those_of_the_sdks_base_class(folder: Path) -> None:
    entry = read_catalogue(folder)["good"]
    keep(result_of(entry, "2.0", "violated", found="<b>&amp;\0"), folder)
    page = pages_of(folder)["backends/good.html"]
    assert "1 violated by its own doing." in page.replace("\n", " ")
    assert "Not yet explained from its code." in page
    assert "&lt;b&gt;&amp;amp;\\x00" in page
    keep(result_of(entry, "2.0", "violated", inherited="RepositorySessionManager"), folder)
    page = pages_of(folder)["backends/good.html"]
    assert "1 violated as the SDK&#39;s base class violates them." in page
    assert 'class="violation"' not in page


def test_an_explanation_stands_beside_its_violation(folder: Path) -> None:
    entry = read_catalogue(folder)["good"]
    keep(result_of(entry, "2.0", "violated"), folder)
    (folder / "explanations.toml").write_text(
        '[[explanation]]\nbackends = ["good"]\nids = ["CNT-01"]\nwhere = "good/store.py"\nwhy = "It cuts text."\n',
        encoding="utf-8",
    )
    page = pages_of(folder)["backends/good.html"]
    assert "It cuts text. (<code>good/store.py</code>)" in page
    assert "Not yet explained" not in page


def test_what_was_found_in_the_code_to_be_the_sdks_doing_is_not_the_backends_own(folder: Path) -> None:
    entry = read_catalogue(folder)["good"]
    keep(result_of(entry, "2.0", "violated"), folder)
    (folder / "explanations.toml").write_text(
        '[[explanation]]\nbackends = ["good"]\nids = ["CNT-01"]\nwhere = "strands/base.py"\nwhy = "It cuts text."\n'
        'whose = "sdk"\n',
        encoding="utf-8",
    )
    page = pages_of(folder)["backends/good.html"]
    assert "1 violated as the SDK&#39;s base class violates them." in page
    assert 'class="violation"' not in page
    assert "It cuts text. (<code>strands/base.py</code>)" in page


def test_what_came_out_otherwise_in_the_release_before_is_told(folder: Path) -> None:
    [(entry, newer), (_, older)] = chosen(read_catalogue(folder), ["good"])
    keep(result_of(entry, newer), folder)
    keep(result_of(entry, older, "violated", found="it is lost"), folder)
    page = " ".join(pages_of(folder)["backends/good.html"].split())
    assert "2.0 after 1.0:" in page
    assert "CNT-01</a> (MUST) was violated, is met: It keeps text. 1.0: it is lost." in page
    assert "LIF-01</a>" not in page[page.index("2.0 after 1.0:") : page.index("it is lost")]

    keep(result_of(entry, older, "not applicable"), folder)
    page = " ".join(pages_of(folder)["backends/good.html"].split())
    assert re.search(r"met, where it did not apply before: <a [^>]*>CNT-01</a></li>", page)

    keep(result_of(entry, older), folder)
    page = " ".join(pages_of(folder)["backends/good.html"].split())
    assert "2.0 after 1.0: the same in all 2 requirements that both were judged by." in page


def test_a_release_that_is_not_judged_says_why_and_is_not_asked_for(folder: Path) -> None:
    [(entry, newer), _] = chosen(read_catalogue(folder), ["good"])
    keep(result_of(entry, newer), folder)
    catalogue = folder / "backends.toml"
    one = 'versions = ["2.0", "1.0"]'
    text = catalogue.read_text(encoding="utf-8")
    why = "it cannot be imported"
    catalogue.write_text(text.replace(one, f'{one}\nnot-judged-releases = {{ "1.0" = "{why}" }}'), encoding="utf-8")
    assert f"not judged: {why}" in pages_of(folder)["backends/good.html"]
    assert [version for _, version in chosen(read_catalogue(folder), ["good"])] == ["2.0"]

    catalogue.write_text(text.replace(one, f'{one}\nnot-judged-releases = {{ "3.0" = "{why}" }}'), encoding="utf-8")
    with pytest.raises(FieldError, match=r"backends.good: not-judged-releases names 3.0"):
        read_catalogue(folder)


def test_a_result_older_than_two_minor_releases_of_the_sdk_is_stale(folder: Path) -> None:
    entries = read_catalogue(folder)
    keep(result_of(entries["broken"], "0.1", sdk="1.62.0"), folder)
    keep(result_of(entries["good"], "2.0", sdk="1.60.3"), folder)
    assert "stale: judged" not in pages_of(folder)["index.html"]
    keep(result_of(entries["good"], "2.0", sdk="1.59.0"), folder)
    assert "stale: judged with SDK 1.59.0" in pages_of(folder)["index.html"]


def test_a_report_of_ones_own_stands_beside_the_fields_and_changes_no_page_of_its(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for entry, version in chosen(read_catalogue(folder), ["good==2.0"]):
        found = result_of(entry, version)
        keep(found, folder)
        assert found.report is not None
        write(found.report, tmp_path / "mine.json")
    monkeypatch.chdir(tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(["field", "build", "--folder", str(folder), "--with", "mine.json"]) == 0
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    page = (tmp_path / "field-with-mine" / "index.html").read_text(encoding="utf-8")
    assert "good (yours)" in page
    assert "opened from mine.json" in page


def test_a_report_that_is_submitted_says_so(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = result_of(read_catalogue(folder)["good"], "2.0")
    assert found.report is not None
    write(found.report, tmp_path / "theirs.json")
    assert main(["field", "keep", str(tmp_path / "theirs.json"), "good==2.0", "--folder", str(folder)]) == 0
    assert "submitted" in pages_of(folder)["backends/good.html"]
    assert main(["field", "keep", str(tmp_path / "theirs.json"), "good==9.9", "--folder", str(folder)]) == 4
    assert "has no release 9.9 of good" in capsys.readouterr().err
