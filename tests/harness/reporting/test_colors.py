"""Colors: every text can be read on its ground, in light and in dark and on paper (WCAG 2.1, 1.4.3: 4.5 to 1)."""

import re
from pathlib import Path

import pytest
from session_conformance.harness import reporting

STYLE = (Path(reporting.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
BLOCKS = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
THEMES = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in BLOCKS]
ON = {
    "page": ["text", "muted", "link", "met", "bad", "known", "s0"],
    "raised": ["text", "muted", "link", "met", "bad"],
    "bad-page": ["bad", "text", "s0"],
    "known-page": ["known"],
}


def luminance(color: str) -> float:
    """Return the relative luminance of a color, as WCAG defines it."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_there_are_three_themes() -> None:
    assert len(THEMES) == 3
    assert THEMES[0].keys() == THEMES[1].keys() == THEMES[2].keys()


@pytest.mark.parametrize("theme", THEMES, ids=("light", "dark", "paper"))
def test_texts_can_be_read(theme: dict[str, str]) -> None:
    for ground, texts in ON.items():
        for text in texts:
            lighter, darker = sorted((luminance(theme[ground]), luminance(theme[text])), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, f"{text} on {ground}"


@pytest.mark.parametrize("theme", THEMES, ids=("light", "dark", "paper"))
def test_lines_can_be_seen(theme: dict[str, str]) -> None:
    for number in range(6):  # WCAG 2.1, 1.4.11: 3 to 1
        lighter, darker = sorted((luminance(theme["page"]), luminance(theme[f"s{number}"])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 3
