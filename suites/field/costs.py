"""What a violation costs the user of a backend, in words."""

from __future__ import annotations

from collections.abc import Iterable

BY_GROUP = {
    "LIF": "does not bring a conversation back as it was",
    "ORD": "hooks hear of messages that are not stored yet",
    "UPD": "keeps an older text where a message was replaced or redacted",
    "RPL": "a voice agent goes on after a reconnect with an incomplete conversation",
    "TOL": "tool calls and their results do not come back in pairs",
    "CNT": "some content is refused, or comes back changed",
    "IDS": "sessions or agents with ids that look alike share messages",
    "COR": "returns damaged data as if it were true, or fails with an error that does not say so",
    "DUR": "loses messages that it had acknowledged, in a crash or on a full disk",
    "CON": "two writers overwrite each other, or the event loop stands still while storage is slow",
    "CLN": "deleting a session deletes too much or too little",
    "S3A": "fails on S3 where permissions, conditions or retries matter",
    "NET": "loses or doubles messages when the server is away or an answer is lost",
    "AGT": "the text agent comes back without a part of its state",
    "MAG": "graphs and swarms come back without a part of their state",
    "STA": "some conversation was found that does not come back",
    "REP": "code that calls the repository API gets something else than the SDK's contract promises",
    "SNP": "code that calls the storage API gets something else than the SDK's contract promises",
}
"""By group of requirements."""

BY_ID = {
    "LIF-02": "forgets what the assistant said after a restart",
    "LIF-03": "forgets what the assistant said after a restart",
    "ORD-02": "forgets what the assistant said after a restart",
    "UPD-01": "forgets what the assistant said after a restart",
    "CNT-01": "refuses or changes some text",
    "CNT-02": "refuses some images, audio or documents, or changes them",
    "CNT-05": "numbers come back changed",
    "CNT-07": "some generated content comes back changed",
    "AGT-13": "some content is refused, or comes back changed",
    "CON-04": "the event loop stands still while storage is slow",
    "CON-01": "two writers overwrite each other's messages",
    "CON-05": "where two processes write at the same moment, messages are lost or one of them fails",
    "NET-03": "the first message after a restart of the server is lost",
    "NET-04": "acknowledges messages while the server is away, and loses them",
    "COR-01": "damaged data raises errors that are none of the SDK's",
    "COR-02": "returns damaged data as if it were true",
    "COR-04": "where one session is damaged, others raise errors that are none of the SDK's",
    "DUR-04": "what a crash leaves behind stays for good",
    "DUR-06": "a read that fails for a moment raises errors that are none of the SDK's",
    "IDS-01": "an unusual id is neither kept apart from others nor clearly refused",
    "IDS-04": "an unusual id is neither kept apart from others nor clearly refused",
    "NET-06": "takes a read that is served late for the truth, or fails by it",
    "REP-02": "an update of what is not there is silently taken, or a session is begun twice",
    "REP-03": "listing a part of the messages gives others than were asked for",
    "REP-05": "takes a message id that is no integer, and so may answer for another message",
    "SNP-04": "listing keys by prefix gives others than were asked for",
}
"""By requirement, where that says more than its group."""


_WEIGHTIEST = ("LIF", "DUR", "CON", "NET", "COR", "IDS", "CLN", "UPD", "RPL", "CNT", "TOL", "AGT", "MAG", "STA", "ORD")
"""Groups: what costs users conversations comes before what costs programmers an hour, and before all others."""


def weightiest_first(ids: Iterable[str]) -> list[str]:
    """Return requirements, those first whose violation costs users the most; as they were given within a group."""
    return sorted(ids, key=lambda id: (*_WEIGHTIEST, id[:3]).index(id[:3]))


def cost_of(id: str) -> str:
    """Return what the violation of a requirement costs; "" for a group that is not known."""
    return BY_ID.get(id) or BY_GROUP.get(id[:3], "")


def costs(ids: Iterable[str]) -> list[str]:
    """Return what violations cost, each cost once."""
    return [cost for cost in dict.fromkeys(map(cost_of, ids)) if cost]
