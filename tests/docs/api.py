"""Makes docs/api.md from the docstrings of what is public: ``python tests/docs/api.py > docs/api.md``."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[2]
PACKAGE = "session_conformance"
FOLDERS = ("harness", "fixtures", "suites", "reference_impl")
WIDTH = 110

HEAD = """# What is public

Every name that you can rely on, with its signature. You import it from the package or room that is named above it;
other modules are nobody's business but the project's. The four packages are described in full; rooms hold what suites
and reports of your own may need besides, each name with one sentence, and everything else in its docstring.

The page is made from the docstrings (`python tests/docs/api.py > docs/api.md`) and a test compares the two: a change of
what is public is a decision.
"""


def load() -> griffe.Module:
    """Read the four packages' source, as they are called when they are installed."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, PACKAGE)
        place.mkdir()
        for name in FOLDERS:
            (place / name).symlink_to(ROOT / name, target_is_directory=True)
        found = griffe.load(PACKAGE, search_paths=[folder], docstring_parser="google", allow_inspection=False)
        assert isinstance(found, griffe.Module)
        for top in FOLDERS:
            _parse(found[top])
        return found


def _parse(thing: griffe.Object | griffe.Alias) -> None:
    """Parse every docstring while its source can be read."""
    if thing.is_alias:
        return
    if thing.docstring is not None:
        thing.docstring.parsed  # noqa: B018  (it is kept)
    for member in thing.members.values():
        _parse(member)


def doors(package: griffe.Module) -> Iterator[griffe.Module]:
    """Yield the packages and rooms that name what is public, each before its rooms."""
    for name in FOLDERS:
        pending = [package[name]]
        while pending:
            here = pending.pop(0)
            if here.exports:
                yield here
            pending += [one for _, one in sorted(here.modules.items()) if one.is_init_module and one.name[0] != "_"]


def public_names(package: griffe.Module) -> dict[str, list[str]]:
    """Return what each package and room says is public."""
    return {door.path: sorted(str(name) for name in door.exports or []) for door in doors(package)}


def as_markdown(package: griffe.Module) -> str:
    """Return docs/api.md."""
    shown: dict[str, str] = {}
    parts = [HEAD]
    for door in doors(package):
        parts.append(f"## `{door.path}`\n\n{_text(door.docstring)}\n")
        elsewhere: dict[str, list[str]] = {}
        for name in sorted(str(one) for one in door.exports or []):
            try:
                found = door[name]
                target = found.final_target if found.is_alias else found
            except griffe.AliasResolutionError:
                elsewhere.setdefault("strands", []).append(f"`{name}`")
                continue
            if target.path in shown:
                elsewhere.setdefault(shown[target.path], []).append(f"`{name}`")
                continue
            shown[target.path] = door.path
            parts.append("\n".join(_entry(name, target)) if door.name in FOLDERS else _line(name, target))
        for place, names in elsewhere.items():
            where = "From the SDK" if place == "strands" else f"Described under `{place}`"
            parts.append(f"\n{where}: {', '.join(names)}.\n")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def _line(name: str, thing: griffe.Object) -> str:
    declared = " ".join(_declaration(name, thing).split())
    declared = declared.replace("( ", "(").replace(", )", ")").removeprefix("def ")
    said = _in_line(thing.docstring.value.partition("\n\n")[0]) if thing.docstring is not None else ""
    return f"- `{declared}`" + (f": {said}" if said else "")


def _entry(name: str, thing: griffe.Object) -> Iterator[str]:
    yield f"### `{name}`\n"
    yield f"```py\n{_declaration(name, thing)}\n```\n"
    yield f"{_sections(thing)}\n"
    if isinstance(thing, griffe.Class) and not _is_suite(thing):  # docs/requirements.md has the checks of suites
        for member in thing.members.values():
            if member.name.startswith("_") or member.is_alias or member.docstring is None:
                continue
            if isinstance(member, griffe.Function):
                yield f"`{_call(member.name, member)}`: {_sections(member)}\n"
            elif "property" in member.labels:
                kind = f": {member.annotation}" if isinstance(member, griffe.Attribute) and member.annotation else ""
                yield f"`{member.name}{kind}`: {_text(member.docstring)}\n"


def _declaration(name: str, thing: griffe.Object) -> str:
    if isinstance(thing, griffe.Class):
        bases = ", ".join(str(base) for base in thing.bases)
        if any(str(base).endswith("Enum") for base in thing.bases):
            values = [member.name for member in thing.members.values() if member.name.isupper()]
            return f"{name}: " + " | ".join(values)
        if bases and not any(str(base) == "Protocol" for base in thing.bases):
            name_of_class = f"class {name}({bases})"
        else:
            name_of_class = f"class {name}"
        made = "__init__" in thing.members or "dataclass" in thing.labels
        return _call(name, thing) if made else name_of_class
    if isinstance(thing, griffe.Function):
        return ("async def " if "async" in thing.labels else "def ") + _call(name, thing)
    assert isinstance(thing, griffe.Attribute), f"{thing.path} is a {thing.kind.value}"
    return name + (f": {thing.annotation}" if thing.annotation is not None else "")


def _call(name: str, thing: griffe.Class | griffe.Function) -> str:
    shown: list[str] = []
    keyword_only = False
    for one in thing.parameters:
        if one.name in ("self", "cls"):
            continue
        star = {"variadic positional": "*", "variadic keyword": "**"}.get(one.kind.value if one.kind else "", "")
        if one.kind is griffe.ParameterKind.keyword_only and not keyword_only and not any(s[0] == "*" for s in shown):
            shown.append("*")
            keyword_only = True
        kind = f": {one.annotation}" if one.annotation is not None else ""
        default = "" if one.default is None or star else (" = " if kind else "=") + str(one.default)
        shown.append(f"{star}{one.name}{kind}{default}")
    returns = f" -> {thing.returns}" if isinstance(thing, griffe.Function) and thing.returns is not None else ""
    return _wrapped(f"{name}(", shown, f"){returns}")


def _wrapped(head: str, items: list[str], tail: str) -> str:
    line = f"{head}{', '.join(items)}{tail}"
    if len(line) <= WIDTH:
        return line
    return head + "".join(f"\n    {item}," for item in items) + f"\n{tail}"


def _is_suite(thing: griffe.Class) -> bool:
    return any(str(base) == "ConformanceSuite" for base in thing.bases)


def _sections(thing: griffe.Object) -> str:
    if thing.docstring is None:
        return ""
    parts: list[str] = []
    for section in thing.docstring.parsed:
        if section.kind is griffe.DocstringSectionKind.text:
            parts.append(_plain(section.value))
        elif section.kind in (griffe.DocstringSectionKind.parameters, griffe.DocstringSectionKind.attributes):
            parts.append("\n".join(f"- `{one.name}`: {_in_line(one.description)}" for one in section.value))
        elif section.kind is griffe.DocstringSectionKind.raises:
            lines = (f"- raises `{one.annotation}`: {_in_line(one.description)}" for one in section.value)
            parts.append("\n".join(lines))
        elif section.kind in (griffe.DocstringSectionKind.returns, griffe.DocstringSectionKind.yields):
            parts.append("\n".join(f"- {section.kind.value}: {_in_line(one.description)}" for one in section.value))
        else:
            parts.append(_in_line(str(section.value)))
    return "\n\n".join(parts)


def _text(docstring: griffe.Docstring | None) -> str:
    return _plain(docstring.value) if docstring is not None else ""


def _plain(text: str) -> str:
    """Return reStructuredText's few forms that the docstrings use as Markdown."""
    text = re.sub(r":\w+:`~?\.*(?:[\w.]*\.)?(\w+)`", r"`\1`", text)
    text = re.sub(r"``(.+?)``", r"`\1`", text)
    return re.sub(r"(?<=\S)::$", ":", text, flags=re.MULTILINE).strip()


def _in_line(text: str) -> str:
    return _plain(" ".join(text.split()))


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(as_markdown(load()))
