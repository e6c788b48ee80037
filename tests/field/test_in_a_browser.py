"""The field's pages in a real browser: no violation of axe-core, and nothing wider than a phone, light and dark."""

import importlib.util
import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest

FIELD = Path(__file__).parents[2] / "docs" / "field"

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Pages as frames of a width. What their policy forbids, scripts, is what looks at them here.
LOOK = """<!DOCTYPE html><html lang="en"><title>look</title><body>
{frames}<pre id="found"></pre>
<script>
const axe = {axe}
addEventListener("load", async () => {{
  const all = {{}}
  for (const frame of document.querySelectorAll("iframe")) {{
    const inside = frame.contentDocument
    const script = inside.createElement("script")
    script.textContent = axe
    inside.head.append(script)
    const found = await frame.contentWindow.axe.run(inside, {{resultTypes: ["violations"]}})
    all[frame.title] = {{
      dark: frame.contentWindow.matchMedia("(prefers-color-scheme: dark)").matches,
      overflow: Math.max(0, inside.documentElement.scrollWidth - inside.documentElement.clientWidth),
      cut: [...inside.querySelectorAll("table.matrix")].some(one => one.offsetWidth > one.parentNode.clientWidth),
      violations: found.violations.map(one => one.id + ": " + one.nodes.map(node => node.target.join(" ")).slice(0, 3)),
      passes: found.passes.length > 5,
    }}
  }}
  document.getElementById("found").textContent = JSON.stringify(all)
}})
</script></body></html>"""

FRAME = '<iframe title="{title}" width="{width}" height="900" srcdoc="{page}"></iframe>'


def axe() -> str:
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("axe-core is not installed: pip install '.[browser]'")
    return (Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def framed(page: Path, width: int) -> str:
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    style = (FIELD / "style.css").read_text(encoding="utf-8")
    html = re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{style}</style>", html)
    return FRAME.format(title=page.stem, width=width, page=escape(html))


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["wide-light", "phone-dark"])
def test_axe_core_finds_nothing_and_a_phone_is_wide_enough(width: int, dark: bool, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser is here: none of {', '.join(BROWSERS)} is on the PATH")
    greatest = max((FIELD / "backends").glob("*.html"), key=lambda one: one.stat().st_size)
    pages = [FIELD / "index.html", FIELD / "run.html", greatest, FIELD / "requirements" / "CNT-01.html"]
    frames = "\n".join(framed(page, width) for page in pages)
    look = LOOK.format(frames=frames, axe=json.dumps(axe()).replace("</", "<\\/"))
    (tmp_path / "look.html").write_text(look, encoding="utf-8")
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    words += [f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--virtual-time-budget=60000", "--dump-dom"]
    shown = subprocess.run(
        [*words, (tmp_path / "look.html").as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    found = re.search(r'<pre id="found">(.*?)</pre>', shown.stdout, re.DOTALL)
    assert found is not None
    assert found[1], "the pages were not looked at"
    right = {"dark": dark, "overflow": 0, "violations": [], "passes": True}
    seen = json.loads(unescape(found[1]))
    cut = {page for page, one in seen.items() if one.pop("cut")}
    assert seen == {page.stem: right for page in pages}
    assert not cut or width < 1280, "a matrix is wider than the screen: its last groups are out of sight"
