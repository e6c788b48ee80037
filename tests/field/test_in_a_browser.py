"""The field's pages in a real browser: no violation of axe-core, and nothing wider than a phone, light and dark."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest

FIELD = Path(__file__).parents[2] / "docs" / "field"

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# The page as a frame of a width. What its policy forbids, scripts, is what looks at it here.
LOOK = """<!DOCTYPE html><html lang="en"><title>look</title><body>
<iframe width="{width}" height="900" srcdoc="{page}"></iframe><pre id="found"></pre>
<script>
addEventListener("load", async () => {{
  const frame = document.querySelector("iframe"), inside = frame.contentDocument
  const script = inside.createElement("script")
  script.textContent = {axe}
  inside.head.append(script)
  const found = await frame.contentWindow.axe.run(inside, {{resultTypes: ["violations"]}})
  document.getElementById("found").textContent = JSON.stringify({{
    dark: frame.contentWindow.matchMedia("(prefers-color-scheme: dark)").matches,
    overflow: inside.documentElement.scrollWidth - inside.documentElement.clientWidth,
    violations: found.violations.map(one => one.id + ": " + one.nodes.map(node => node.target.join(" ")).slice(0, 3)),
    passes: found.passes.length,
  }})
}})
</script></body></html>"""


def axe() -> str:
    given = os.environ.get("AXE_JS")
    if given:
        return Path(given).read_text(encoding="utf-8")
    spec = importlib.util.find_spec("axe_core_python")
    if spec is None or spec.origin is None:
        pytest.skip("axe-core is not here: pip install axe-core-python, or name its file in AXE_JS")
    return (Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["wide-light", "phone-dark"])
@pytest.mark.parametrize("kind", ["index", "backend", "requirement", "run"])
def test_axe_core_finds_nothing_and_a_phone_is_wide_enough(kind: str, width: int, dark: bool, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser is here: none of {', '.join(BROWSERS)} is on the PATH")
    page = {
        "index": FIELD / "index.html",
        "run": FIELD / "run.html",
        "backend": max((FIELD / "backends").glob("*.html"), key=lambda one: one.stat().st_size),
        "requirement": FIELD / "requirements" / "CNT-01.html",
    }[kind]
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    style = (FIELD / "style.css").read_text(encoding="utf-8")
    html = re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{style}</style>", html)
    look = LOOK.format(width=width, page=escape(html), axe=json.dumps(axe()).replace("</", "<\\/"))
    (tmp_path / "look.html").write_text(look, encoding="utf-8")
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    words += [f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--virtual-time-budget=60000", "--dump-dom"]
    shown = subprocess.run(
        [*words, (tmp_path / "look.html").as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    found = re.search(r'<pre id="found">(.*?)</pre>', shown.stdout, re.DOTALL)
    assert found is not None
    assert found[1], "the page was not looked at"
    result = json.loads(unescape(found[1]))
    assert result["passes"] > 5
    assert result["dark"] is dark
    assert result["violations"] == []
    assert result["overflow"] <= 0
