"""The map of sentences is whole: each has requirements that exist or a reason, and no docstring's is missing."""

import inspect
import re
from collections.abc import Iterator

import pytest
from session_conformance.harness.sdk import SDK_VERSION
from session_conformance.suites.catalog import all_requirements
from session_conformance.suites.command import main
from session_conformance.suites.sentences import Sentence, mapped_sentences
from strands.session import RepositorySessionManager, SessionManager, SessionRepository, SnapshotSessionManager
from strands.storage import Storage

READ_AT = "1.62.0"


def sentences_of(text: str) -> list[str]:
    prose = re.split(r"\n\s*(?:Args|Returns|Raises|Example|Attributes):", inspect.cleandoc(text))[0]
    return [one for one in re.split(r"(?<=[.!?]) (?=[A-Z`])", " ".join(prose.split())) if one]


def documented() -> Iterator[tuple[str, str]]:
    for kind in (SessionManager, SnapshotSessionManager, RepositorySessionManager, SessionRepository, Storage):
        place = f"{kind.__module__.rsplit('.', 1)[0]}.{kind.__name__}"
        docs = {place: kind.__doc__}
        for name, member in vars(kind).items():
            function = getattr(member, "__func__", member)
            if callable(function) and not name.startswith("_"):
                docs[f"{place}.{name}"] = function.__doc__
        for where, text in docs.items():
            for sentence in sentences_of(text or ""):
                yield where, sentence


@pytest.mark.parametrize("one", mapped_sentences(), ids=lambda one: f"{one.where}: {one.sentence[:30]}")
def test_each_sentence_has_requirements_that_exist_or_a_reason(one: Sentence) -> None:
    assert set(one.requirements) <= {requirement.id for requirement in all_requirements()}
    assert one.requirements or one.why


@pytest.mark.skipif(SDK_VERSION != READ_AT, reason=f"the docstrings were read at {READ_AT}")
def test_every_sentence_of_the_docstrings_is_mapped() -> None:
    mapped = {(one.where, one.sentence) for one in mapped_sentences() if one.document.startswith("strands-agents")}
    found = {(where, " ".join(sentence.split()[:7])) for where, sentence in documented()}
    assert found == mapped


def test_trace_prints_the_map(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace"]) == 0
    told = capsys.readouterr().out
    assert "founding document:" in told
    assert "Each message automatically saved" in told or "each message automatically saved" in told
    assert "LIF-02" in told
    for page in (
        "bidirectional session management",
        "session management",
        "snapshots",
        "storage",
        "bidirectional hooks",
        "hooks",
        "hook events",
    ):
        assert f"\n{page}, harness-sdk at " in told


def test_no_sentence_is_mapped_twice() -> None:
    places = [(one.document, one.where, one.sentence) for one in mapped_sentences()]
    assert len(places) == len(set(places))
