"""The scenarios of text agents whose conversation manager trims, summarizes or cuts what was said."""

from __future__ import annotations

from session_conformance.harness import Scenario, Script, TextAgent, ToolCall

from .content import BLOCKS

FOUR_MESSAGES = Script().user("one").assistant("two").user("three").assistant("four")
"""How the conversations begin whose history is trimmed."""

TEXT_WINDOW = Scenario(
    "a sliding window",
    Script()
    .user("one")
    .assistant("two")
    .user("three")
    .calls("weather", city="Paris")
    .assistant("four")
    .user("five")
    .assistant("six")
    .restarts_process()
    .user("seven")
    .assistant("eight")
    .user("nine")
    .assistant("ten")
    .restarts_process()
    .restarts_process()
    .user("eleven")
    .assistant("twelve"),
    text_agent=TextAgent(window=4),
)

TEXT_SUMMARY = Scenario(
    "a history that is summarized",
    FOUR_MESSAGES.fails("overflow")
    .user("five")
    .assistant("six")
    .restarts_process()
    .user("seven")
    .assistant("eight")
    .fails("overflow")
    .user("nine")
    .assistant("ten")
    .restarts_process()
    .restarts_process()
    .user("eleven")
    .assistant("twelve"),
    text_agent=TextAgent(summarizes=True),
)

TEXT_OVERFLOW = Scenario(
    "a window that is trimmed while the model is asked",
    FOUR_MESSAGES.fails("overflow").user("five").assistant("six"),
    text_agent=TextAgent(window=10),
)

TEXT_PER_TURN = Scenario(
    "a window that is applied before each call of the model",
    Script()
    .user("one")
    .assistant("two")
    .user("three")
    .calls("weather", city="Paris")
    .calls("weather", city="Rome")
    .assistant("four")
    .restarts_process()
    .user("five")
    .calls("weather", city="Lyon")
    .assistant("six"),
    text_agent=TextAgent(window=4, per_turn=True),
)

TEXT_COMPRESSED = Scenario(
    "a history that is summarized ahead of time",
    FOUR_MESSAGES.user("five")
    .assistant("six")
    .restarts_process()
    .user("seven")
    .assistant("eight")
    .user("nine")
    .assistant("ten")
    .restarts_process()
    .user("eleven")
    .assistant("twelve"),
    text_agent=TextAgent(summarizes=True, compresses=True),
)
"""It is summarized whenever the model is about to be asked, and the session manager is not called for it."""

TEXT_CUT_RESULTS = Scenario(
    "long results of tools that are cut where the history is too long",
    Script()
    .user("one")
    .calls_together(
        ToolCall("read", {}, "read-1", result=[{"text": "A long line. " * 500}, BLOCKS["image"]]),
        ToolCall("count", {}, "count-2", result="12"),
    )
    .assistant("two")
    .restarts_process()
    .fails("overflow")
    .user("three")
    .assistant("four")
    .restarts_process()
    .user("five")
    .assistant("six"),
    observing=False,
    text_agent=TextAgent(window=20),
)
"""The window's overflow recovery cuts the text in place, and puts a few words where the image was."""

TRIMMED = (TEXT_WINDOW, TEXT_SUMMARY, TEXT_OVERFLOW, TEXT_PER_TURN, TEXT_COMPRESSED)
"""The scenarios in which messages are removed."""

TEXT_PINNED_WINDOW = Scenario(
    "a sliding window with pinned messages",
    FOUR_MESSAGES.user("five")
    .assistant("six")
    .restarts_process()
    .user("seven")
    .assistant("eight")
    .restarts_process()
    .user("nine")
    .assistant("ten"),
    observing=False,
    text_agent=TextAgent(window=4, pin_first=2),
)

TEXT_PINNED_SUMMARY = Scenario(
    "a summary behind pinned messages",
    FOUR_MESSAGES.user("five")
    .assistant("six")
    .fails("overflow")
    .user("seven")
    .assistant("eight")
    .restarts_process()
    .user("nine")
    .assistant("ten")
    .fails("overflow")
    .user("eleven")
    .assistant("twelve")
    .restarts_process()
    .user("thirteen")
    .assistant("fourteen"),
    observing=False,
    text_agent=TextAgent(summarizes=True, pin_first=2),
)
