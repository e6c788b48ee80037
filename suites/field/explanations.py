"""Explanations: where in a package's code a violation comes from, each found by reading it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

from .errors import FieldError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "explanations.toml"

ALL = "*"
"""Stands for every requirement that is not explained otherwise: where one mechanism breaks everything."""

_SCHEMA = Path(__file__).with_name("explanations_schema.json")


@dataclass(frozen=True)
class Explanation:
    """Why backends violate requirements.

    Attributes:
        backends: Their names in the catalogue.
        ids: The requirements; :data:`ALL` for whatever is not explained otherwise.
        where: The file, as the package has it.
        why: The mechanism, in a sentence or two.
        whose: "sdk" where it is the doing of the SDK's class that the backend is built on, which the run did not tell.
    """

    backends: tuple[str, ...]
    ids: tuple[str, ...]
    where: str
    why: str
    whose: str = ""


def read_explanations(folder: Path) -> dict[tuple[str, str], Explanation]:
    """Return the explanations of a field's folder, by backend and requirement. Without a file there is none.

    Raises:
        FieldError: The file cannot be read, or explains something twice.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FieldError(f"cannot read {path}: {error}") from error
    wrong = best_match(Draft202012Validator(json.loads(_SCHEMA.read_text(encoding="utf-8"))).iter_errors(data))
    if wrong is not None:
        raise FieldError(f"{path}: {wrong.json_path.removeprefix('$.')}: {wrong.message}")
    found: dict[tuple[str, str], Explanation] = {}
    for one in data["explanation"]:
        explanation = Explanation(
            tuple(one["backends"]), tuple(one["ids"]), one["where"], one["why"], one.get("whose", "")
        )
        for key in ((backend, id) for backend in explanation.backends for id in explanation.ids):
            if key in found:
                raise FieldError(f"{path}: {key[1]} of {key[0]} is explained twice")
            found[key] = explanation
    return found
