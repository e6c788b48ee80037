"""Every sentence has a test: which requirements judge a sentence of the documentation, or why none can.

``sentences.json`` maps each sentence of the founding document, of the docstrings of the SDK's session managers,
repositories and storages at one release, and of its pages on sessions, snapshots, storage and hooks, each at one commit
of its repository, as far as they are about Python. A docstring's sentence, and a page's, is known by where it stands
and how it begins.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("sentences.json")


@dataclass(frozen=True)
class Sentence:
    """A sentence and what judges it.

    Attributes:
        document: What it was read in, with the release or the commit.
        where: The section, or the class or method.
        sentence: The sentence, or how it begins.
        requirements: The ids of the requirements that judge it.
        why: Why none does, or what is to be said beside.
    """

    document: str
    where: str
    sentence: str
    requirements: tuple[str, ...]
    why: str


def mapped_sentences() -> list[Sentence]:
    """Return every sentence that is mapped, in the order of the documents."""
    return [
        Sentence(one["document"], one["where"], one["sentence"], tuple(one["requirements"]), one["why"])
        for one in json.loads(_FILE.read_text(encoding="utf-8"))
    ]


def as_trace(found: list[Sentence]) -> str:
    """Return sentences as people read them: by document, each with its requirements or the reason."""
    lines: list[str] = []
    document = ""
    for one in found:
        if one.document != document:
            document = one.document
            counts = Counter(bool(other.requirements) for other in found if other.document == document)
            lines += ["", f"{document}: {counts[True]} sentences judged, {counts[False]} not"]
        judged = ", ".join(one.requirements) or "not judged"
        about = f" ({one.why})" if one.why else ""
        lines.append(f"  {one.where}: {one.sentence} -> {judged}{about}")
    return "\n".join(lines).strip()
