"""Redactions that hold: the redacted text is looked for at each later moment, in whichever process it was redacted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from session_conformance.harness import Conversation, Reading, Run, Scenario, Script, Session, Timeline, violated
from session_conformance.harness.backends import Durability
from session_conformance.harness.conversations import Application, play_application
from session_conformance.harness.models import chunk, text_answer
from session_conformance.harness.process import clock, tolerating_warnings, within_limit
from session_conformance.harness.scripts import Add, Redact, Send, SetState, Start, Stop
from session_conformance.harness.sdk import SDK_EXCEPTIONS
from session_conformance.harness.timeline import Failed, Happened

from .stored_history import find_at_rest

REDACTED_WORD = "xylograph-5318"
"""What is said and then redacted."""


_LOOKS = "the harness looks for the redacted text"


@dataclass
class RedactionLooks:
    """What was found of a redacted text in the stored bytes, at several moments.

    Attributes:
        run: The conversation.
        found: For each moment, in words, where the text lies; None where it lies nowhere.
        instead: What was put in place of what was redacted.
        kept: What was said and not redacted.
        before: What a reader found just before a redaction, if one read.
        after: What it found just after it.
        state: The state that the agent had meanwhile.
    """

    run: Run
    found: list[tuple[str, str | None]] = field(default_factory=list)
    instead: tuple[str, ...] = ("[redacted]",)
    kept: tuple[str, ...] = ("harmless",)
    before: Reading = field(default_factory=Reading)
    after: Reading = field(default_factory=Reading)
    state: dict[str, Any] = field(default_factory=dict)

    def look(self, moment: str, timeline: Timeline) -> None:
        """Look for the redacted text now, and note that in the timeline of the process that is at work."""
        self.found.append((moment, find_at_rest(REDACTED_WORD, self.run.session.workspace)))
        timeline.record(Happened(what=f"{_LOOKS} {moment}"))


def expect_gone_at_each_look(looks: RedactionLooks) -> None:
    """Report a violation if the redacted text was in the stored bytes at one of the moments.

    Raises:
        Violation: It was.
    """
    for (moment, found), happened in zip(looks.found, _moments(looks), strict=True):
        if found is not None:
            violated(
                f"{moment} the redacted text is nowhere in the stored bytes",
                f"it is in {found}",
                looks.run.timeline,
                happened,
            )


def _moments(looks: RedactionLooks) -> list[Happened]:
    return [happened for happened in looks.run.timeline.of(Happened) if happened.what.startswith(_LOOKS)]


def redacted_by_the_agent(new_session: Callable[[], Session]) -> RedactionLooks:
    """Let an agent redact what was said, say more, change its state, stop, and go on in other processes.

    A session may be redacted more than once, a message of several blocks too, one of the assistant, one of two that
    are alike, and one that another process stored; metadata of a message, and the agent's state, stay what they were.
    """
    looks = _looks_at(new_session(), "a redaction, and what is written after it")
    looks.instead = (
        "[redacted]",
        "[redacted, too]",
        "[an answer redacted]",
        "[a streamed answer redacted]",
        "[one of two redacted]",
        "[redacted in another process]",
        "[redacted once restored]",
    )
    looks.kept = ("harmless", "said twice", "said after it")
    blocks = [{"text": f"my password is {REDACTED_WORD}"}, {"text": f"once more: {REDACTED_WORD}"}]
    of_blocks = {
        "role": "user",
        "content": blocks,
        "tracking_id": "00000000-0000-4000-8000-000000000005",
        "metadata": {"custom": {"ticket": "A-7"}},
    }
    answer = {
        "role": "assistant",
        "content": [{"text": f"your password is {REDACTED_WORD}"}],
        "tracking_id": "00000000-0000-4000-8000-000000000006",
        "metadata": {"custom": {"ticket": "A-8"}},
    }
    without_result = {  # a restore makes one up: the place in memory of what follows is another one then
        "role": "assistant",
        "content": [{"toolUse": {"toolUseId": "never-1", "name": "weather", "input": {}}}],
        "tracking_id": "00000000-0000-4000-8000-000000000007",
    }

    async def first(conversation: Conversation) -> None:
        for step in (Start(), Send("harmless"), Send(f"my password is {REDACTED_WORD}"), Redact(looks.instead[0])):
            await conversation.step(step)
        looks.look("right after the redaction", conversation.timeline)
        for later in (Add(of_blocks), Redact(looks.instead[1])):
            await conversation.step(later)
        looks.look("right after the redaction of a message of two blocks", conversation.timeline)
        for later in (Add(answer), Redact(looks.instead[2])):
            await conversation.step(later)
        looks.look("right after the redaction of an answer", conversation.timeline)
        for spoken in (*Script().assistant(f"your password was {REDACTED_WORD}").steps, Redact(looks.instead[3])):
            await conversation.step(spoken)
        looks.look("right after the redaction of a streamed answer", conversation.timeline)
        for again in (Send("said twice"), Send("said twice"), Redact(looks.instead[4])):
            await conversation.step(again)
        await conversation.step(Send("said after it"))
        looks.look("after the next message", conversation.timeline)
        await conversation.step(SetState("turn", 2))
        await conversation.step(Stop())
        looks.look("after the agent stopped", conversation.timeline)

    async def second(conversation: Conversation) -> None:
        for step in (Start(), SetState("turn", 3), Send(f"my password was {REDACTED_WORD}")):
            await conversation.step(step)
        looks.before = conversation.session.read()
        await conversation.step(Redact(looks.instead[5]))
        looks.after, looks.state = conversation.session.read(), conversation.agent.state.get()
        looks.look("right after a redaction in another process", conversation.timeline)
        await conversation.step(Stop())
        looks.look("after another process went on", conversation.timeline)

    async def unredacted(conversation: Conversation) -> None:
        for step in (Start(), Add(without_result), Send(f"my password is still {REDACTED_WORD}"), Stop()):
            await conversation.step(step)

    async def once_restored(conversation: Conversation) -> None:
        for step in (Start(), Redact(looks.instead[6])):
            await conversation.step(step)
        looks.look("right after the redaction of what another process stored", conversation.timeline)
        await conversation.step(Stop())

    for process in (first, second, unredacted, once_restored):
        _play(looks, process)
    return looks


def redacted_by_another(new_session: Callable[[], Session]) -> RedactionLooks | None:
    """Let somebody else redact the latest message through the session's repository, while an agent goes on.

    Returns:
        What was found; None where the backend has no repository, or the redaction was refused.
    """
    looks = _looks_at(new_session(), "a redaction by somebody else")
    done = False

    async def main(conversation: Conversation) -> None:
        nonlocal done
        for step in (Start(), Send("harmless"), Send(f"my password is {REDACTED_WORD}")):
            await conversation.step(step)
        done = _redact_in_repository(conversation.session, conversation.timeline)
        if done:
            for later in (Send("said after it"), SetState("turn", 2), Stop()):
                await conversation.step(later)

    _play(looks, main)
    return looks if done else None


def redacted_beside_another(new_session: Callable[[], Session]) -> RedactionLooks | None:
    """Let an agent redact what it was told last, after another one has said something in the same session.

    Returns:
        What was found; None where the backend promises less than each message, where the other one was refused, or
        where the redaction was, as by a store that lets no writer go on from what is no longer the latest.
    """
    session = new_session()
    if session.backend.durability is not Durability.MESSAGE:
        return None
    looks = _looks_at(session, "a redaction after somebody else said something")
    by_another = "said by somebody else"  # whether that stays is what CON-01 asks
    accepted = False

    async def main(conversation: Conversation) -> None:
        nonlocal accepted
        for step in (Start(), Send("harmless"), Send(f"my password is {REDACTED_WORD}")):
            await conversation.step(step)
        another = Timeline()
        try:
            other = Conversation(conversation.session, Script(), timeline=another, observing=False)
        except SDK_EXCEPTIONS:
            return  # somebody has it open
        for later in (Start(), Send(by_another), Stop()):
            await other.step(later)
        conversation.timeline.record(Happened(what=f'another agent says "{by_another}" and stops'))
        await conversation.step(Redact(looks.instead[0]))
        accepted = not another.of(Failed) and not conversation.timeline.of(Failed)

    _play(looks, main)
    return looks if accepted else None


def _redact_in_repository(session: Session, timeline: Timeline) -> bool:
    try:
        repository = session.backend.repository_for(session.session_id, session.workspace)
        if repository is None:
            return False
        stored = repository.list_messages(session.session_id, session.agent_id)[-1]
        stored.redact_message = {"role": "user", "content": [{"text": "[redacted]"}]}
        repository.update_message(session.session_id, session.agent_id, stored)
    except SDK_EXCEPTIONS as error:  # somebody else has it open
        timeline.record(Failed.by("update_message()", error))
        return False
    timeline.record(Happened(what="somebody redacts the latest message through the repository"))
    return True


def redacted_by_a_guardrail(new_session: Callable[[], Session]) -> RedactionLooks:
    """Let a guardrail redact what a text agent was told; the agent goes on, and so does another process."""
    name = "a guardrail, and what is written after it"
    looks = _looks_at(new_session(), name)
    intervenes = [
        chunk(messageStart={"role": "assistant"}),
        chunk(contentBlockDelta={"delta": {"text": "I know it"}}),
        chunk(contentBlockStop={}),
        chunk(messageStop={"stopReason": "guardrail_intervened"}),
        chunk(redactContent={"redactUserContentMessage": "[input redacted]"}),
        {"type": "response_stop"},
    ]

    def first(application: Application) -> None:
        application.call(f"my password is {REDACTED_WORD}", intervenes)
        looks.look("right after the invocation", application.timeline)
        application.agent.state.set("turn", 2)
        application.call("said after it", text_answer("yes"))
        looks.look("after the next invocation", application.timeline)

    def second(application: Application) -> None:
        application.call("said in another process", text_answer("yes"))
        looks.look("after another process went on", application.timeline)

    looks.run.timeline.extend(play_application(looks.run.session, name, first, second).timeline)
    return looks


def _looks_at(session: Session, name: str) -> RedactionLooks:
    return RedactionLooks(Run(Scenario(name, Script()), session, Timeline()))


def _play(looks: RedactionLooks, process: Callable[[Conversation], Awaitable[None]]) -> None:
    """Let a process open the session; what happens to it is added to the looks' timeline."""
    timeline = Timeline()

    async def main() -> None:
        try:
            conversation = Conversation(looks.run.session, Script(), timeline=timeline, observing=False)
        except Exception as error:
            timeline.record(Failed.by("opening the session", error))
        else:
            await process(conversation)

    with tolerating_warnings():
        within_limit(lambda: clock.run(main()), looks.run.scenario.name)
    looks.run.timeline.extend(timeline)


__all__ = [
    "REDACTED_WORD",
    "RedactionLooks",
    "expect_gone_at_each_look",
    "redacted_beside_another",
    "redacted_by_a_guardrail",
    "redacted_by_another",
    "redacted_by_the_agent",
]
