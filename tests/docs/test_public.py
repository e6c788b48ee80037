"""What is public: docs/api.md says it, and nothing that users are shown imports anything else."""

import ast
import difflib
import re
from pathlib import Path

import griffe
import pytest
from session_conformance.suites.command import starter

from . import api

PAGES = [api.ROOT / "README.md", api.ROOT / "CONTRIBUTING.md", *sorted((api.ROOT / "docs").glob("*.md"))]
PYTHON = re.compile(r"^( *)```python\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def package() -> griffe.Module:
    return api.load()


def test_the_page_is_up_to_date(package: griffe.Module) -> None:
    kept = (api.ROOT / "docs" / "api.md").read_text(encoding="utf-8").splitlines()
    changed = list(difflib.unified_diff(kept, api.as_markdown(package).splitlines(), "docs/api.md", "docstrings", n=0))
    assert not changed, "\n".join(
        ["what is public has changed: if that is meant, python tests/docs/api.py > docs/api.md", *changed[:40]]
    )


def imported(code: str) -> list[tuple[str, str]]:
    """Return what Python code imports of this project: modules, each with a name, or with none."""
    tree = ast.parse(re.sub(r"^( *)\.\.\.", r"\1pass", code, flags=re.MULTILINE))
    found: list[tuple[str, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(api.PACKAGE):
            found += [(node.module, name.name) for name in node.names]
        elif isinstance(node, ast.Import):
            found += [(name.name, "") for name in node.names if name.name.startswith(api.PACKAGE)]
    return found


def deep_imports(code: str, public: dict[str, list[str]]) -> list[str]:
    """Return the imports of code that are not of public names."""
    return [
        f"from {module} import {name}" if name else f"import {module}"
        for module, name in imported(code)
        if module not in public or (name and name not in public[module])
    ]


def snippets() -> list[object]:
    """Return the Python that users are shown: in pages, and in the files that ``init`` writes."""
    found = []
    for page in PAGES:
        for number, (indent, code) in enumerate(PYTHON.findall(page.read_text(encoding="utf-8"))):
            code = "\n".join(line.removeprefix(indent) for line in code.splitlines())
            if api.PACKAGE in code:
                found.append(pytest.param(code, id=f"{page.name}-{number}"))
    found.append(pytest.param(starter.BACKEND, id="init-backend"))
    found.append(pytest.param(starter.TESTS.template.replace("$name", "mine"), id="init-tests"))
    return found


@pytest.mark.parametrize("code", snippets())
def test_what_users_are_shown_imports_public_names_alone(code: str, package: griffe.Module) -> None:
    assert deep_imports(code, api.public_names(package)) == []


def test_a_deep_import_is_noticed(package: griffe.Module) -> None:
    code = (
        "from session_conformance.harness.timeline.events import Stored\nfrom session_conformance.harness import Script"
    )
    assert deep_imports(code, api.public_names(package)) == [
        "from session_conformance.harness.timeline.events import Stored"
    ]
    code = "from session_conformance.harness.timeline import Nobody"
    assert deep_imports(code, api.public_names(package)) == [code]


def test_no_module_is_called_as_what_its_room_exports(package: griffe.Module) -> None:
    """The import system would put the module where the name is expected, as soon as anybody imports it."""
    for door, names in api.public_names(package).items():
        here = Path(api.ROOT, *door.split(".")[1:])
        files = {path.stem for path in here.glob("*.py")} | {path.name for path in here.iterdir() if path.is_dir()}
        assert not files & set(names), f"{door}: {files & set(names)}"
