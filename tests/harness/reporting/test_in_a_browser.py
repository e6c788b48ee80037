"""The report's page in a real browser: accessible, by keyboard, on a phone, in the dark, on paper, without scripts."""

import os
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness.reporting import as_html, compare, comparison_as_html

from tests.harness.reporting import invented

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[browser]'")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")

CHROMIUM = next(
    (
        path
        for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    "",
)
pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="there is no Chromium here: apt-get install chromium-headless-shell"
)

UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true })"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if os.getuid() == 0 else [])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    text = as_html(invented.report(), [invented.report()])
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path.as_uri()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    width: int, scheme: str, browser: Any, report: str, tmp_path: Path
) -> None:
    """All is unfolded. On a phone nothing scrolls, not even the boxes that may: what is off the screen is not read."""
    compared = tmp_path / "compared.html"
    compared.write_text(comparison_as_html(compare([("a", invented.report()), ("b", invented.report())])), "utf-8",
                        "backslashreplace")  # fmt: skip
    for address in (report, *([compared.as_uri()] if width == 1280 else [])):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        page.goto(address)
        page.evaluate(UNFOLD)
        wide = "[...document.querySelectorAll('.wide')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(wide) == 0
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (int(re.findall(r"\d+", color)[0]) < 50) == (scheme == "dark")
        found = axe.Axe().run(page)
        assert [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []
        context.close()


def test_the_keyboard_goes_through_it_from_the_top_to_the_bottom(browser: Any, report: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(report)
    where = """[document.activeElement.tagName, (document.activeElement.closest(".card") || document.activeElement)
        .getBoundingClientRect().top + scrollY]"""
    stops = []
    for _ in range(200):
        page.keyboard.press("Tab")
        tag, top = page.evaluate(where)
        if tag == "BODY":
            break
        stops.append((tag, top))
    tops = [top for _, top in stops]
    assert all(later >= earlier - 10 for earlier, later in pairwise(tops)), stops
    tags = {tag for tag, _ in stops}
    assert {"A", "INPUT", "SELECT", "SUMMARY"} <= tags
    page.locator("details.violation summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.violation[open]").count() == 1
    page.close()


def test_a_link_to_a_violation_opens_it_and_no_other(browser: Any, report: str) -> None:
    page = browser.new_page()
    page.goto(f"{report}#violation-bad-ORD-01")
    opened = page.locator("details.violation[open]")
    assert opened.count() == 1
    assert "ORD-01" in opened.locator("summary").inner_text()
    page.close()


def test_requirements_are_searched_and_sorted_by_a_script_that_is_not_needed(browser: Any, report: str) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.goto(report)
    rows = page.locator("table.requirements tbody tr:visible")
    assert rows.count() == 8
    page.locator("input[type=search]").fill("ord-01")
    assert rows.all_inner_texts()[0].startswith("ORD-01")
    assert page.get_by_role("status").inner_text() == "1 of 8 requirements"
    assert page.locator("details.violation:visible").count() == 1
    page.locator("input[type=search]").fill("")
    page.locator("select").select_option("most violated first")
    assert [text.split()[0] for text in rows.all_inner_texts()][-2:] == ["S3A-09", "XYZ-01"]
    assert errors == []
    without = browser.new_context(java_script_enabled=False).new_page()
    without.goto(report)
    assert without.locator("input[type=search]").count() == 0
    assert without.locator("table.requirements tbody tr:visible").count() == 8
    without.locator("#only-violated").check()
    assert without.locator("table.requirements tbody tr:visible").count() == 5
    without.context.close()
    page.close()


def test_on_paper_it_is_a_summary_with_the_evidence_that_was_unfolded(browser: Any, report: str) -> None:
    page = browser.new_page()
    page.goto(report)
    page.emulate_media(media="print")
    assert not page.locator("details.violation").first.is_visible()
    assert page.locator("#groups table").is_visible()
    assert len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(format="A4"))) <= 2
    page.locator("details.violation").first.evaluate("one => { one.open = true }")
    assert page.locator("details.violation:visible").count() == 1
    page.locator("#print-all").evaluate("one => { one.checked = true }")
    assert page.locator("details.violation:visible").count() == 4
    page.close()
