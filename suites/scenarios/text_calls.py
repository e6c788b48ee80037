"""The scenarios of text agents that an application calls again and again."""

from __future__ import annotations

from collections.abc import Callable

from session_conformance.harness import Run, Session, TextAgent
from session_conformance.harness.conversations import Application, play_application
from session_conformance.harness.models import text_answer
from session_conformance.harness.timeline import texts

PINNED = "the third, which is pinned"


def pinned_in_the_middle(new_session: Callable[[], Session]) -> Run:
    """Pin a message that was said long ago, as an application does (``metadata.custom.pinned``), and unpin it again."""

    def pin(application: Application, pinned: bool) -> None:
        [message] = [message for message in application.agent.messages if texts([message]) == [PINNED]]
        message.setdefault("metadata", {}).setdefault("custom", {})["pinned"] = pinned

    def first(application: Application) -> None:
        application.call("one", text_answer("two"))
        application.call(PINNED, text_answer("four"))
        application.does("pins a message", lambda: pin(application, True))
        application.call("five", text_answer("six"))
        application.call("seven", text_answer("eight"))

    def second(application: Application) -> None:
        application.call("nine", text_answer("ten"))

    def third(application: Application) -> None:
        application.does("unpins it", lambda: pin(application, False))
        application.call("eleven", text_answer("twelve"))

    made = TextAgent(window=4)
    return play_application(new_session(), "a message pinned in the middle", first, second, third, made=made)


def torn_down_as_it_is_stored(new_session: Callable[[], Session]) -> Run:
    """Cancel the task of an invocation as a message of it is stored, the user's and the model's, and go on each time.

    The same agent goes on, and another process.
    """

    def first(application: Application) -> None:
        application.call("one", text_answer("two"))
        application.call_torn_down("three", text_answer("never said"))
        application.call("four", text_answer("five"))
        application.call_torn_down("six", text_answer("seven"), message=1)
        application.call("eight", text_answer("nine"))

    def second(application: Application) -> None:
        application.call("ten", text_answer("eleven"))

    return play_application(new_session(), "torn down as a message is stored", first, second)


def in_one_loop_after_another(new_session: Callable[[], Session]) -> Run:
    """Call an agent again and again, each time in an event loop of its own, in one process and in the next."""

    def first(application: Application) -> None:
        application.call("one", text_answer("two"))
        application.call("three", text_answer("four"))

    def second(application: Application) -> None:
        application.call("five", text_answer("six"))

    return play_application(new_session(), "an agent in one event loop after another", first, second, plainly=True)
