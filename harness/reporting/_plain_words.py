"""Plain words: what each backend loses, and under what, for readers who know no requirement by its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..verdicts import GROUPS, Level, Result
from ._states import State, state_of
from .report import BackendReport

LOSSES: dict[str, str] = {
    "LIF": "what a session held is not all there, or not as it was, when it is opened again",
    "ORD": "hooks already act on a message that is not stored: a crash at that moment loses it",
    "UPD": "what replaces a message is lost: the streamed answer of a voice agent, or a redaction",
    "RPL": "after a reconnect or a restart, the model is not given the conversation as it was",
    "TOL": "tool calls and their results are lost, doubled or torn apart",
    "CNT": "some content, such as bytes or very large messages, does not come back as it was",
    "IDS": "sessions meet, or get out of their place, under ids that look alike or hold separators",
    "COR": "damaged storage is taken for the truth, or what is damaged cannot be told from what is not",
    "DUR": "messages that were acknowledged are gone after a kill, a power cut or a full disk",
    "CON": "two processes on one session lose each other's messages, or slow storage holds up the event loop",
    "CLN": "what was deleted stays or comes back, or a deletion takes what belongs to another session",
    "S3A": "on S3, failing requests, lost answers or denied permissions lose messages, or are not said",
    "NET": "where the connection to the server fails, messages are lost or doubled, or errors are not the SDK's",
    "AGT": "a text agent's history, state or summary is another one after a restart",
    "MAG": "a team of agents cannot go on where it was interrupted",
    "STA": "some conversation that was made up at random does not come back as it was",
    "REP": "the repository breaks its contract: copies, paging, ids that nobody has stored",
    "SNP": "snapshots, or the storage below them, break their contract: keys, listing, races",
}
"""What is lost where requirements of a group are violated, and under what: behind "with it, ...". """

MOST = 6
"""How many losses are told of a backend, those with the most violations first."""


@dataclass(frozen=True)
class Loss:
    """What a backend loses by what violates one group.

    Attributes:
        group: The group.
        text: What is lost, and under what.
        ids: The requirements that say so.
    """

    group: str
    text: str
    ids: list[str]


@dataclass(frozen=True)
class PlainWords:
    """What is told of a backend.

    Attributes:
        backend: Its name.
        sentence: What came of it.
        losses: What it loses.
        more: How many further groups have violations.
    """

    backend: str
    sentence: str
    losses: list[Loss]
    more: int = 0


def plain_words(backends: Sequence[BackendReport]) -> list[PlainWords]:
    """Return what each backend that was judged loses, and under what."""
    return [_of(backend) for backend in backends if backend.verdict.results]


def _of(backend: BackendReport) -> PlainWords:
    verdict = backend.verdict
    violated = [one for one in verdict.results if state_of(one) in (State.VIOLATED, State.KNOWN)]
    by_group: dict[str, list[Result]] = {}
    for result in sorted(violated, key=lambda one: (one.level != Level.MUST.value, bool(one.inherited))):
        by_group.setdefault(result.group, []).append(result)
    must = {group: sum(one.level == Level.MUST.value for one in found) for group, found in by_group.items()}
    groups = sorted(by_group, key=lambda group: (-must[group], -len(by_group[group]), [*GROUPS, group].index(group)))
    losses = [
        Loss(group, LOSSES.get(group, "a requirement of its own is violated"), [one.id for one in by_group[group]])
        for group in groups
    ]
    return PlainWords(backend.name, _sentence(backend, violated), losses[:MOST], len(losses[MOST:]))


def _sentence(backend: BackendReport, violated: Sequence[Result]) -> str:
    states = [state_of(one) for one in backend.verdict.results]
    met, broken = states.count(State.MET) + states.count(State.STALE), states.count(State.BROKEN)
    asked = len(states) - states.count(State.NOT_APPLICABLE)
    unknown = f"; {broken} could not be judged" if broken else ""
    if not violated:
        return f"Nothing was lost: of {asked} requirements that can be asked of it, {met} are met{unknown}"
    must = sum(one.level == Level.MUST.value for one in violated)
    inherited = sum(bool(one.inherited) for one in violated)
    whose = f", {inherited} of them by the SDK's class that it is built on" if inherited else ""
    kinds = "MUST and SHOULD" if 0 < must < len(violated) else "MUST" if must else "SHOULD"
    verb = "is" if len(violated) == 1 else "are"
    return f"Of {asked} requirements that can be asked of it, {len(violated)} ({kinds}) {verb} violated{whose}{unknown}"
