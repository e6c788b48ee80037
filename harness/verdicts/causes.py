"""Causes: what usually stands behind violations, told once for all that share it, and what usually mends it.

A cause is read from what a check expected and found. It is advice and no verdict: where several faults meet, the first
rule that fits wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .verdict import Outcome, Result


@dataclass(frozen=True)
class Cause:
    """What stands behind violations.

    Attributes:
        name: What is wrong, in a few words.
        help: What usually mends it, in one line.
    """

    name: str
    help: str


_ORDER = (
    "registry.add_callback(MessageAddedEvent, ..., order=HookOrder.SDK_FIRST): hooks of one order run as they were"
    " registered, and an agent registers its session manager last"
)
_UPDATES = (
    "register for MessageUpdatedEvent as for MessageAddedEvent, with order=HookOrder.SDK_FIRST, and replace the stored"
    " message that has the event's tracking_id"
)

_CHECKSUM = "store a checksum with each record, and raise SessionException where it differs"

_NO_BYTES_LEFT = (
    "overwrite what is replaced or removed: secure_delete or VACUUM in SQLite, a new file that takes the old one's"
    " place, or a file a session; engines keep the old bytes in free pages, and logs in earlier lines"
)

_NOTHING_LEFT = (
    "remove each file, object, row or key of the session, of all its agents and teams; an index, or a file that"
    " sessions share, is written anew without it"
)

_ON_THE_LOOP = Cause(
    "storage is waited for on the event loop's thread",
    "make the callbacks coroutines, and do I/O with asyncio.to_thread() or an asynchronous client",
)

_OF_THE_SDK = r"(?:SessionException|StorageError|SnapshotException|ConcurrencyException)"

_RULES: tuple[tuple[str, str, Cause], ...] = (
    (
        r".*",
        r"did not end (within|before it took)",
        Cause(
            "something never ends",
            "give each wait a limit (a lock, a connection, an answer, a retry), and let close() end the threads and"
            " processes that a manager has begun: the evidence shows where it stands",
        ),
    ),
    (
        r"ORD-09|AGT-24|NET-04|STA-01",
        r"a hook was told of",
        Cause(
            "hooks are told of messages that are not stored",
            "store ahead of users' hooks, and let errors out: " + _ORDER,
        ),
    ),
    (
        r"ORD-0[135]|AGT-0[78]",
        r"was: nothing|is missing",
        Cause("messages are stored after users' hooks have run", _ORDER),
    ),
    (
        r"NET-08",
        r"is not; what is stored",
        Cause(
            "a connection that has ended is used again",
            "look at a connection before you use it (pool_pre_ping, health_check_interval), or take another and send"
            " again what had no answer",
        ),
    ),
    (
        r"NET-0[127]",
        r"is stored twice",
        Cause(
            "what is sent again is stored again",
            "give each change an id of its own, and let the server refuse one that it has (a unique key, ON CONFLICT, a"
            " condition, a token): then your client's retries do no harm either",
        ),
    ),
    (
        r"NET-05",
        r"came back with",
        Cause(
            "a read that failed is taken for a session that is not there",
            "begin a new session only where the server says that there is none, and let every other error out",
        ),
    ),
    (
        r"NET-06",
        r".*",
        Cause(
            "reads may be older than writes",
            "read with ConsistentRead=True, or from the primary, when you restore and before you write",
        ),
    ),
    (r"NET-07", r"stands still", _ON_THE_LOOP),
    (
        r"NET-09",
        r".*",
        Cause("round trips grow with the history", "read a history in one query, and write what has changed alone"),
    ),
    (
        r"NET-10",
        r".*",
        Cause("connections add up", "have one pool a process, or close what a manager opened when it is closed"),
    ),
    (
        r"NET-11",
        r".*",
        Cause(
            "parts of a session expire by themselves",
            "let all of a session expire at one moment (one time for all its keys or items, or renew all with each"
            " change), and leave out what is over when you read",
        ),
    ),
    (
        r"NET-12",
        r".*",
        Cause("errors and logs say how the server is reached", "name host and database, and never the URL as it is"),
    ),
    # Violations of NET list all that is stored, placeholders too.
    (r"(?!NET-).*", r"\[[^]]*\] pending #", Cause("what replaces a streamed message is not stored", _UPDATES)),
    (
        r"RPL-.*|UPD-.*|ORD-02|ORD-10",
        r"missing \[|messages: \[|was: nothing",
        Cause("what replaces a streamed message is not stored", _UPDATES),
    ),
    (
        r".*",
        r"JSON serializable|different at content.*bytes",
        Cause(
            "bytes do not survive the encoding",
            "encode bytes by a rule that no content can look like (the SDK's encode_bytes_values() has one), and decode"
            " them where you read",
        ),
    ),
    (
        r"COR-.*|DUR-0[13]|CLN-.*|NET-.*|S3A-.*|CON-.*",
        rf"^(?!.*(?:raised|raises) {_OF_THE_SDK})(?:(?!: {_OF_THE_SDK}).)*(?:raised|raises|: )\s*(?!{_OF_THE_SDK})"
        r"[A-Za-z_.]*(?:Error|Exception|Interface\w*)\b",
        Cause(
            "errors of the driver get through",
            "catch the driver's errors where you call it, and raise SessionException(...) from error, with the"
            " session's id and what to do",
        ),
    ),
    (
        r"CON-01|CON-05",
        r"stored 0 times|is not there",
        Cause(
            "writers overwrite each other",
            "let the store number messages or refuse a number that is taken (a unique key, If-None-Match, a"
            " conditional write), read what is new, and try the next",
        ),
    ),
    (
        r"DUR-0[123]",
        r"states|is not stored|failed, and then",
        Cause(
            "messages are acknowledged before they are durable, or written in place",
            "write beside, fsync file and folder, then rename; or append and fsync; return only then",
        ),
    ),
    (
        r"CLN-01",
        r"its text is still in",
        Cause("what was deleted stays", _NOTHING_LEFT),
    ),
    (
        r"COR-01",
        r"was ended by SIG",
        Cause(
            "damage ends the process",
            "look whether a file is as long as it says before you map it or hand it to an engine, or have the engine"
            " read it and not map it",
        ),
    ),
    (
        r"CLN-05",
        r".*",
        Cause(
            "what is refused is written first",
            "look whether the session is still there before you write what is said, or remove it where it is refused",
        ),
    ),
    (
        r"DUR-07",
        r".*",
        Cause(
            "what a write takes is not looked at",
            "call os.write() again with the rest until all is written, or write through a buffered file (open() without"
            " buffering=0), and raise what fails; write beside and rename",
        ),
    ),
    (
        r"COR-07",
        r".*",
        Cause(
            "what lies in another one's place is taken for it",
            "store with each object whose it is (session, agent, and which of its objects), under the checksum, and"
            " raise SessionException where that is not what you look for",
        ),
    ),
    (
        r"COR-(?!06).*",
        r"another history|not so|came back",
        Cause("damage is not noticed", _CHECKSUM),
    ),
    (
        r"CNT-06",
        r"a reader raised",
        Cause(
            "what was accepted cannot be restored",
            "look at a message before you store it, and refuse with ValueError what you could not restore",
        ),
    ),
    (
        r"CNT-06",
        r"nothing was raised",
        Cause(
            "what cannot be stored is stored as something else",
            "refuse with ValueError what your encoding has no form for: no default=str, no errors='replace', and"
            " allow_nan=False",
        ),
    ),
    (
        r"IDS-05|CON-02",
        r"raises",
        Cause(
            "sessions get in each other's way",
            "see what raised: what sessions share (a file, an index, a cache, a connection) is held while it is"
            " written, and read again where another manager has written it",
        ),
    ),
    (r"CON-04", r".*", _ON_THE_LOOP),
    (
        r"(LIF|ORD|UPD|RPL|TOL|CNT|IDS|AGT|MAG|STA)-.*",
        r"^agent\.\w+\(\) raises (SessionException|SnapshotException|StorageError)",
        Cause(
            "the manager raises where nothing was made to fail",
            "see 'raised in', below; where it says that others have written, look whether what it compares with is what"
            " it stored last, and not an older copy",
        ),
    ),
)

_OF_GROUP = {
    "LIF": "restore in initialize() what register_hooks() stored: history, state and the conversation manager's state",
    "ORD": _ORDER,
    "UPD": _UPDATES,
    "RPL": "store everything before BidiBeforeConnectionRestartEvent's hooks of users run: order=HookOrder.SDK_FIRST",
    "TOL": "store tool uses and results as they come, and give each use one result when you restore",
    "CNT": "store messages whole, as JSON with a rule for bytes: keys that you do not know are content too",
    "IDS": "encode ids so that no two meet (percent-encode separators), and refuse with ValueError what cannot be kept",
    "COR": _CHECKSUM,
    "DUR": "fsync file and folder before you return; write beside and rename",
    "CON": "let the store refuse a number that is taken, and run nothing that blocks on the loop's thread",
    "CLN": "delete by exact keys, never by a pattern that an id is put into, and refuse agents of a deleted session",
    "S3A": "put each message with If-None-Match, and turn ClientError into SessionException with bucket and action",
    "AGT": "store what sync_agent() is called with: state, conversation manager, interrupts, model state",
    "MAG": "store serialize_state() after each node, with a rule for bytes, and give it back to deserialize_state()",
    "STA": "see what the shortest script does: 'replay it' plays it again",
    "REP": "look at SessionRepository's contract: copies go in and out, offset and limit slice, unknown ids are errors",
    "SNP": "look at Storage's contract: keys are opaque, list() is by prefix, a lost race is a StorageError",
    "NET": "retry what was not sent; where an answer is lost look whether the write is there before you write again",
}


_ONE_AGENT = "keep the ids of the agents that a manager was given, and raise SessionException at one that comes again"

_SAME_AGAIN = (
    "compare what you are about to write with what is stored, and write nothing where they are the same: initialize()"
    " and a stop without changes need no write"
)

_OF_REQUIREMENT = {
    "LIF-01": "write the session in initialize(), before the first message",
    "LIF-06": _SAME_AGAIN,
    "LIF-09": _ONE_AGENT,
    "LIF-13": _SAME_AGAIN,
    "LIF-14": "make the folder absolute in the constructor: Path(storage_dir).absolute()",
    "LIF-15": "resolve the folder in the constructor (Path(storage_dir).resolve()), so that one place has one path",
    "LIF-16": "close files, connections and threads of a session, also after an error, or share them among sessions",
    "LIF-17": 'say encoding="utf-8" wherever text is read or written, names of files included',
    "LIF-18": "replace the state where it lies, or compact: write what is still of use beside, and rename it",
    "LIF-19": "note what is stored when it is, and not before: what failed is to be written again at the next sync",
    "UPD-05": "replace the stored message that has the given one's tracking_id, and keep it that way at the next sync",
    "CLN-06": _NO_BYTES_LEFT,
    "UPD-06": _NO_BYTES_LEFT,
    "DUR-03": (
        "let the error of a failed write out as SessionException, leave nothing half done, and begin anew after it:"
        " reopen a file or engine that refuses all later work"
    ),
    "DUR-04": "remove temporary files that nobody writes any more, and use locks that end with their process (flock)",
    "DUR-05": "store before you return from the callback, the redaction of a message as well",
    "DUR-06": "let an error of reading out as SessionException, and write nothing before all is read",
    "MAG-12": (
        "let an error of reading out as SessionException: os.path.exists() says no at any error, so open what is to be"
        " read, and take FileNotFoundError alone for a new team"
    ),
    "COR-06": (
        "say in the text of the SessionException which session it is, and which of its files, keys or rows cannot be"
        " read"
    ),
    "CON-06": "order messages by numbers that the store gives, never by a clock",
    "CLN-02": "compare the time of the last write, and leave alone what somebody has open",
    "CLN-03": "list what is stored, with the time of its first and of its last write",
    "CLN-04": "give each beginning of a session a random id of its own, and refuse a write that knows another one",
    "AGT-18": _NO_BYTES_LEFT,
    "AGT-25": _ONE_AGENT,
    "AGT-26": _SAME_AGAIN,
    "AGT-27": "compare agent.messages with what is stored when you sync, and take out what is no longer there",
    "AGT-28": (
        "turn what restoring raises (ValueError, KeyError, TypeError) into SessionException, and write nothing before"
        " all is restored"
    ),
}


def cause_of(result: Result) -> Cause | None:
    """Return what stands behind a violation, or None where a result is none or nothing is known of its group."""
    if result.outcome != Outcome.VIOLATED.value:
        return None
    for ids, found, cause in _RULES:
        if re.fullmatch(ids, result.id) and re.search(found, result.found):
            return cause
    if result.id in _OF_REQUIREMENT:
        return Cause(f"{result.id[:3]}: {result.sentence}", _OF_REQUIREMENT[result.id])
    group = result.id[:3]
    return Cause(f"{group}: {result.sentence}", _OF_GROUP[group]) if group in _OF_GROUP else None


def by_cause(results: Iterable[Result]) -> dict[Cause, list[Result]]:
    """Return the violations of one backend by their causes: those behind a MUST first, and the cause of the most."""
    found: dict[Cause, list[Result]] = {}
    for result in results:
        cause = cause_of(result)
        if cause is not None:
            found.setdefault(cause, []).append(result)
    return dict(sorted(found.items(), key=lambda item: (all(one.level != "MUST" for one in item[1]), -len(item[1]))))
