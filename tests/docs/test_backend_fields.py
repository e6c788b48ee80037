"""Each field of a backend is on the page of the API, with what it is for."""

import dataclasses
from pathlib import Path

from session_conformance.harness import Backend

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_each_field_of_a_backend_is_on_the_page() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("### `Backend`\n")[2].partition("\n### ")[0]
    described = {line.partition("`")[2].partition("`")[0] for line in section.splitlines() if line.startswith("- `")}
    assert {field.name for field in dataclasses.fields(Backend)} <= described
