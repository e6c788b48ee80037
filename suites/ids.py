"""IDS: identity and isolation. An id names one session, whatever characters it is made of."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import replace
from pathlib import Path

from session_conformance.fixtures import ConformanceSuite, NewSession
from session_conformance.harness import (
    Capability,
    Level,
    Script,
    Session,
    Timeline,
    expect_no_failure,
    requirement,
    violated,
)
from session_conformance.harness.backends import looked_at
from session_conformance.harness.conversations import Conversation
from session_conformance.harness.process import clock, tolerating_warnings, within_limit
from session_conformance.harness.scripts import Send, Start, Stop
from session_conformance.harness.timeline import Failed, texts

from .scenarios import (
    accepted,
    expect_apart_where_ids_meet,
    expect_own,
    expect_own_where_agents_look_like_keys,
    expect_private,
    expect_readable,
    refused,
    say,
)

HOSTILE = (
    "../victim", "..", ".", "a/b", "a\\b", "..\\victim", "", " ", "\t", "a\0b", "victim/", "./victim",
    "victim/../victim", "\n", "a/../../victim",
)  # fmt: skip
"""Beside an absolute path, which the check makes up: one that nobody but a broken manager has a use for."""

DOCUMENTED = (
    "user_123_voice_2026-11-23", "user_123_session", "alice@example.com", "550e8400-e29b-41d4-a716-446655440000",
    "default-session", "a",
)  # fmt: skip

UNUSUAL = (
    "with some spaces", " leading and trailing ", "100%2Fpercent", "a+b=c&d", "x" * 200, "会話-だい一", "разговор",
    "emoji-🙂", "quote'\"id", "semi;colon", "star*?[a]", "~home", "$HOME", "-dash-first", "dot.at.end.", "CON",
    "session_session_", "a:b", "#hash", "new\u2028line",
)  # fmt: skip

NEAR = (
    ("ab", "abc"), ("a", "a-b"), ("user_1", "user_10"), ("case", "CASE"), ("x.y", "x_y"), ("s", "session_s"),
    (unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")), ("a b", "a  b"), ("a", "a "),
    ("agent", "agents"), ("\u212a", "K"), ("p%2Fq", "p/q"), ("p%252Fq", "p%2Fq"), ("p+q", "p q"), ("p%", "pq"),
    ("p_q", "pxq"), ("[pq]", "p"), ("resume", "résumé"),
    ("L" * 120 + "1", "L" * 120 + "2"), ("M" * 300 + "1", "M" * 300 + "2"), ("1" + "N" * 250, "2" + "N" * 250),
)  # fmt: skip

SESSIONS = 50
SEED = 20261123


def expect_works_exactly(session: Session, text: str, timeline: Timeline) -> None:
    """Report a violation unless a session holds exactly one text."""
    found = session.read()
    expect_readable(found, f"with the id {session.session_id!r}", timeline)
    if texts(found.messages) != [text]:
        violated(f"session {session.session_id!r} has [{text!r}]", f"it has {texts(found.messages)}", timeline)


def _expect_near_agents_apart(session: Session) -> None:
    """Let agents of one session talk whose ids are near; each that is accepted has its own history."""
    for pair in NEAR:
        agents = [replace(session, session_id=f"of-{NEAR.index(pair)}", agent_id=id) for id in pair]
        timelines = [say(agent, f"I am {agent.agent_id!r}") for agent in agents]
        for agent, timeline in zip(agents, timelines, strict=True):
            if accepted(timeline):
                expect_own(agent, [f"I am {agent.agent_id!r}"], {}, timeline)


class IdentityAndIsolation(ConformanceSuite):
    """IDS: identity and isolation."""

    @requirement("IDS-01", source="B: harness-sdk #680, #728, #3283")
    def hostile_ids(self, new_session: NewSession, tmp_path: Path) -> None:
        """An id with a path separator, .., ., empty, blank or NUL never reads, writes or deletes anything outside its
        own session: it works as any id does, or is refused with ValueError or an SDK exception.
        """
        outside = tmp_path / "outside"
        folder = outside / "deep" / "workspace"
        folder.mkdir(parents=True)
        (outside / "victim").write_text("not a session")
        workspace = replace(new_session().workspace, folder=folder)
        victim = new_session("victim", workspace=workspace)
        expect_no_failure(say(victim, "I am the victim"))
        around = _files_beside(outside, folder)
        for id in (*HOSTILE, str(outside / "absolute")):
            session = new_session(id, workspace=workspace)
            timeline = say(session, f"I am {id!r}")
            if not refused(timeline, id):
                expect_works_exactly(session, f"I am {id!r}", timeline)
            if _files_beside(outside, folder) != around:
                violated(f"the id {id!r} writes nothing outside the workspace", "it does", timeline)
            expect_works_exactly(victim, "I am the victim", timeline)

    @requirement("IDS-02", source="F: prefixes, case folding and Unicode forms of file systems and key stores")
    def near_ids(self, new_session: NewSession) -> None:
        """Ids that are prefixes of each other, differ in case or Unicode form, or meet where a session's and an agent's
        are joined, never see each other's data.
        """
        workspace = new_session().workspace
        said: dict[str, Timeline] = {}  # some are in two pairs
        for pair in NEAR:
            sessions = [new_session(id, workspace=workspace) for id in pair]
            for session in sessions:
                id = session.session_id
                if id not in said:
                    said[id] = say(session, f"I am {id!r}")
            for session in sessions:
                timeline = said[session.session_id]
                if accepted(timeline):
                    expect_works_exactly(session, f"I am {session.session_id!r}", timeline)
        _expect_near_agents_apart(new_session())
        expect_apart_where_ids_meet(new_session, deleting=False)
        expect_own_where_agents_look_like_keys(new_session)

    @requirement("IDS-03", source="D: session management, examples of session ids")
    def documented_ids(self, new_session: NewSession) -> None:
        """Documented id styles (user_123_voice_2026-11-23, e-mail, UUID) work."""
        workspace = new_session().workspace
        for id in DOCUMENTED:
            session = new_session(id, workspace=workspace)
            timeline = say(session, f"I am {id!r}")
            expect_no_failure(timeline)
            expect_works_exactly(session, f"I am {id!r}", timeline)

    @requirement("IDS-04", source="F: applications make ids of names, paths and addresses")
    def unusual_ids(self, new_session: NewSession) -> None:
        """An unusual id (spaces, %2F, +, 200 characters, other scripts) either works exactly or is refused clearly."""
        workspace = new_session().workspace
        for id in UNUSUAL:
            session = new_session(id, workspace=workspace)
            timeline = say(session, f"I am {id!r}")
            if not refused(timeline, id):
                expect_works_exactly(session, f"I am {id!r}", timeline)

    @requirement("IDS-05", source="F: one process serves many conversations")
    def interleaved_sessions(self, new_session: NewSession) -> None:
        """Fifty sessions interleaved at random restore to fifty right histories."""
        workspace = new_session().workspace
        sessions = [new_session(f"session-{number}", workspace=workspace) for number in range(SESSIONS)]
        turns = [(number, turn) for number in range(SESSIONS) for turn in range(3)]
        random.Random(SEED).shuffle(turns)
        timelines = within_limit(lambda: clock.run(_talk(sessions, turns)), "fifty sessions at once")
        for number, session in enumerate(sessions):
            expect_no_failure(timelines[number])
            wanted = [f"{number}: {turn}" for of, turn in turns if of == number]
            found = session.read()
            expect_readable(found, f"of {session.session_id}")
            if texts(found.messages) != wanted:
                violated(f"{session.session_id} has {wanted}", f"it has {texts(found.messages)}", timelines[number])

    @requirement(
        "IDS-06",
        level=Level.SHOULD,
        source="F: conversations are private, and machines are shared",
        needs=[Capability.ON_DISK],
        since="2026.12",
    )
    def private(self, new_session: NewSession) -> None:
        """What is stored under a umask of 022 can be read by its owner alone."""
        expect_private(new_session())


async def _talk(sessions: list[Session], turns: list[tuple[int, int]]) -> list[Timeline]:
    with tolerating_warnings():
        timelines, conversations = [Timeline() for _ in sessions], dict[int, Conversation]()
        for number, session in enumerate(sessions):
            timeline = timelines[number]
            try:
                conversations[number] = Conversation(session, Script(), timeline=timeline, observing=False)
            except Exception as error:
                timeline.record(Failed.by("opening the session", error))
        for conversation in conversations.values():
            await conversation.step(Start())
        for number, turn in turns:
            if number in conversations:
                await conversations[number].step(Send(f"{number}: {turn}"))
        for conversation in conversations.values():
            await conversation.step(Stop())
    return timelines


def _files_beside(outside: Path, workspace: Path) -> dict[Path, bytes | None]:
    """Return every file and folder around the workspace, with the contents of files."""
    return looked_at(
        lambda: {
            path: path.read_bytes() if path.is_file() else None
            for path in outside.rglob("*")
            if workspace not in path.parents
        }
    )
