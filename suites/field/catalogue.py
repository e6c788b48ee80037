"""The catalogue: each backend with its package, the releases to judge, and how a user plugs it in."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]
from session_conformance.harness.backends import Interface

from .errors import FieldError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "backends.toml"
"""The catalogue's file in the field's folder."""

PLUGS = "plugs"
"""The folder, beside the catalogue, with the files that targets name."""

_SCHEMA = Path(__file__).with_name("catalogue_schema.json")

_OPTIONS = {
    Interface.MANAGER: ("--session-manager", "backends"),
    Interface.REPOSITORY: ("--session-repository", "repositories"),
    Interface.STORAGE: ("--session-storage", "storages"),
}


@dataclass(frozen=True)
class Entry:
    """A backend of the catalogue. The fields are those of ``catalogue_schema.json``, which describes them."""

    name: str
    title: str
    package: str
    versions: tuple[str, ...]
    kind: Interface
    by: str
    keeps: str
    links: tuple[str, ...]
    target: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    durability: str = ""
    plug: Path | None = None
    extras: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    also_called: tuple[str, ...] = ()
    python: str = "3.11"
    stand_in: str = ""
    not_judged: str = ""
    not_judged_releases: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether it is judged at all."""
        return not self.not_judged

    @property
    def option(self) -> str:
        """The option that judges it."""
        return _OPTIONS[self.kind][0]

    @property
    def configuration(self) -> str:
        """What ``session-conformance.toml`` says of it, as its user would write it."""
        lines = [f"[{_OPTIONS[self.kind][1]}.{self.name}]", f"target = {json.dumps(self.target)}"]
        if self.arguments:
            given = ", ".join(f"{name} = {json.dumps(value)}" for name, value in self.arguments.items())
            lines.append(f"arguments = {{ {given} }}")
        if self.durability:
            lines.append(f"durability = {json.dumps(self.durability)}")
        return "\n".join(lines) + "\n"

    def requirement(self, version: str) -> str:
        """Return what pip is asked for to have a release of it."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.package}{extras}=={version}"


def read_catalogue(folder: Path) -> dict[str, Entry]:
    """Return the entries of the catalogue in a folder, by name, in its order.

    Raises:
        FieldError: It cannot be read, or says what no entry may say; the text names the file and the entry.
    """
    path = folder / FILE_NAME
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FieldError(
            f"cannot read {path}: {error.strerror}; name the folder with the catalogue: --folder docs/field"
        ) from error
    except ValueError as error:
        raise FieldError(f"{path} is no TOML: {error}") from error
    wrong = best_match(Draft202012Validator(json.loads(_SCHEMA.read_text(encoding="utf-8"))).iter_errors(data))
    if wrong is not None:
        raise FieldError(f"{path}: {wrong.json_path.removeprefix('$.')}: {wrong.message}")
    entries = {name: _entry(name, about, folder) for name, about in data["backends"].items()}
    for entry in entries.values():
        why = _contradiction(entry)
        if why:
            raise FieldError(f"{path}: backends.{entry.name}: {why}")
    return entries


def chosen(entries: Mapping[str, Entry], names: Sequence[str]) -> list[tuple[Entry, str]]:
    """Return the releases that names ask for: ``NAME`` for all of a backend, ``NAME==VERSION`` for one, none for all.

    The newest release of each comes first, so that a run that is cut short has seen every backend.

    Raises:
        FieldError: A name is unknown, or is not judged.
    """
    found: dict[tuple[str, str], tuple[int, Entry]] = {}
    for asked in names or [entry.name for entry in entries.values() if entry.is_judged]:
        name, _, version = asked.partition("==")
        entry = entries.get(name)
        if entry is None:
            raise FieldError(f"the catalogue has no backend {name!r}: it has {', '.join(entries)}")
        if entry.not_judged:
            raise FieldError(f"{name} is not judged: {entry.not_judged}")
        versions = [one for one in entry.versions if one not in entry.not_judged_releases]
        for place, one in enumerate([version] if version else versions):
            found.setdefault((name, one), (place, entry))
    ordered = sorted(found.items(), key=lambda item: item[1][0])
    return [(entry, version) for (_, version), (_, entry) in ordered]


def _entry(name: str, about: Mapping[str, Any], folder: Path) -> Entry:
    given: dict[str, Any] = {
        key.replace("-", "_"): tuple(value) if isinstance(value, list) else value for key, value in about.items()
    }
    plug = folder / PLUGS / given["plug"] if "plug" in given else None
    return Entry(**{**given, "name": name, "kind": Interface(given["kind"]), "plug": plug})


def _contradiction(entry: Entry) -> str:
    if entry.not_judged:
        return ""
    if not entry.versions:
        return "it has no versions: name one, or say in not-judged why there is none"
    unknown = set(entry.not_judged_releases) - set(entry.versions)
    if unknown:
        return f"not-judged-releases names {', '.join(sorted(unknown))}, which versions does not"
    if not entry.target:
        return "it has no target: say how a user names it, or in not-judged why it is not judged"
    if entry.plug is not None and not entry.plug.is_file():
        return f"its plug {entry.plug} is no file"
    if entry.plug is not None and entry.target.partition(":")[0] != entry.plug.stem:
        return f"its target is {entry.target}, which is not of its plug {entry.plug.name}"
    return ""
