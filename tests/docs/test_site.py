"""The documentation as a site: it builds without a warning, has every page, and asks the network for nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_every_page_is_in_the_index_and_in_the_site(site: Path) -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        if page.name != "index.md":
            assert f"]({page.name})" in index, f"docs/index.md does not lead to {page.name}"
            assert f"- {page.name}" in navigation, f"mkdocs.yml does not list {page.name}"
            assert (site / page.stem / "index.html").is_file()


def test_it_asks_the_network_for_nothing(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|img|iframe)[^>]+src=\"(\w+:)?//", page.read_text(encoding="utf-8"))
        styles = re.findall(r"<link[^>]+rel=\"stylesheet\"[^>]+href=\"(\w+:)?//", page.read_text(encoding="utf-8"))
        assert not loaded + styles, page


def test_the_readme_is_one_page() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
