"""An application that has a text agent, calls it again and again, and does something to it in between."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from ..models import ScriptedTextModel, ScriptedTools, quiet_scripted_errors
from ..process import FROM_OUTSIDE, clock, tolerating_warnings, within_limit
from ..scripts import Script
from ..sdk import HookOrder, Message, MessageAddedEvent
from ..timeline import AgentAtRest, Failed, Happened, ProcessEnded, ProcessStarted, Timeline, UserSent
from ._stage import Session
from .scenario import Run, Scenario
from .text_agent import TextAgent

Answer = Iterable[Mapping[str, Any]]
"""The events of one answer of the model, as in :class:`~session_conformance.harness.scripts.Emit`."""


TORN_DOWN = "the application cancels the task of the invocation, as a message is about to be stored"
"""What happened where the event's message may be stored, and need not be: neither has anybody been told of it."""


class Application:
    """A text agent with a manager, and what its application does with it.

    Args:
        session: Which session it is about, and how its agent is made.
        timeline: Where everything is recorded.
        number: The number of the process that it stands for, from 0.
        loop: The event loop in which it calls its agent, on this thread; None for plain calls, ``agent("...")``. The
            SDK runs each of those in a loop of its own, in a thread of its own: what a manager keeps of one loop or
            one thread (a lock, a queue, a connection) is of no use in the next.

    Raises:
        Exception: What the manager raised when the agent was made.
    """

    def __init__(
        self, session: Session, timeline: Timeline, number: int = 0, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self.session = session
        self.timeline = timeline
        self._loop = loop
        self._answers: list[Answer] = []
        self._model = ScriptedTextModel(timeline, answer=self._next_answer)
        self._tools = ScriptedTools(Script(), timeline)
        self.manager = session.open()
        self.agent = (session.text_agent or TextAgent()).build(
            self._model, agent_id=session.agent_id, session_manager=self.manager, tools=self._tools.tools
        )
        self._tools.agent = self.agent
        self._cancel: Callable[[], object] | None = None
        self._until_cancelled = 0
        self.agent.hooks.add_callback(MessageAddedEvent, self._added, order=HookOrder.SDK_FIRST - 1)
        timeline.record(
            ProcessStarted(
                number=number,
                memory=self.agent.messages,
                state=self.agent.state.get(),
                managed=self.agent.conversation_manager.get_state(),
            )
        )

    def call(self, prompt: Any, *answers: Answer) -> None:
        """Call the agent, and record how that ended.

        Args:
            prompt: What the user says.
            answers: The model's answers, one for each time that it is asked.
        """
        self.timeline.record(UserSent(content=prompt))
        self._answers = list(answers)
        try:
            if self._loop is None:
                self.agent(copy.deepcopy(prompt))
            else:
                self._loop.run_until_complete(self.agent.invoke_async(copy.deepcopy(prompt)))
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            self.timeline.record(Failed.by("agent()", error))
        self.rest("the call ends")

    def call_torn_down(self, prompt: Any, *answers: Answer, message: int = 0) -> None:
        """Call the agent in a task that is cancelled as the manager is about to be told of a message.

        So a manager that waits for its storage is broken off there, as in a web application whose client goes away.

        Args:
            prompt: What the user says.
            answers: The model's answers, one for each time that it is asked.
            message: Which message of the invocation, from 0.

        Raises:
            ValueError: The agent is called plainly: its task is the SDK's.
        """
        if self._loop is None:
            raise ValueError("a plain call has no task that an application could cancel")
        self.timeline.record(UserSent(content=prompt))
        self._answers = list(answers)
        task = self._loop.create_task(self.agent.invoke_async(copy.deepcopy(prompt)))
        self._until_cancelled = message
        self._cancel = task.cancel
        try:
            self._loop.run_until_complete(task)
        except asyncio.CancelledError:
            self.timeline.record(Happened(what="the invocation is torn down with its task"))
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            self.timeline.record(Failed.by("agent()", error))
        self._cancel = None
        self.rest("the task ends")

    def _added(self, event: MessageAddedEvent) -> None:
        if self._cancel is not None and self._until_cancelled == 0:
            self.timeline.record(Happened(what=TORN_DOWN, message=event.message))
            self._cancel()
        self._until_cancelled -= 1

    def does(self, what: str, action: Callable[[], object]) -> None:
        """Do something as the application does between calls, and record it, and whether it raised.

        Args:
            what: What it is, in words: the end of a sentence that begins with "the application".
            action: Does it.
        """
        self.timeline.record(Happened(what=f"the application {what}"))
        try:
            action()
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            self.timeline.record(Failed.by(what, error))

    def rest(self, why: str) -> None:
        """Record what the agent has in memory: it is at rest."""
        self.timeline.record(
            AgentAtRest(
                why=why,
                memory=self.agent.messages,
                state=self.agent.state.get(),
                managed=self.agent.conversation_manager.get_state(),
            )
        )

    def _next_answer(self, _: Sequence[Message]) -> Answer:
        return self._answers.pop(0)


def play_application(
    session: Session,
    name: str,
    *processes: Callable[[Application], object],
    made: TextAgent | None = None,
    plainly: bool = False,
) -> Run:
    """Let one application after another open a session and call its agent, and return what happened.

    Args:
        session: The session.
        name: What the conversation is called in reports.
        processes: What each application does. Each has a new manager and a new agent.
        made: How the agents are made.
        plainly: Whether they are called plainly, ``agent("...")``, and not all in one event loop.

    Raises:
        Hang: It did not end.
    """
    session = replace(session, text_agent=made or TextAgent())
    timeline = Timeline()

    def work() -> None:
        for number, process in enumerate(processes):
            with nullcontext() if plainly else clock.running() as loop:
                try:
                    application = Application(session, timeline, number, loop)
                except FROM_OUTSIDE:
                    raise
                except BaseException as error:
                    timeline.record(Failed.by("opening the session", error))
                    return
                process(application)
                del application
                timeline.record(ProcessEnded())

    with tolerating_warnings(), quiet_scripted_errors():
        within_limit(work, name, progress=lambda: len(timeline))
    return Run(Scenario(name, Script(), text_agent=session.text_agent), session, timeline)


__all__ = ["TORN_DOWN", "Application", "play_application"]
