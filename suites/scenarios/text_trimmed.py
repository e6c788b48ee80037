"""The scenarios of text agents whose conversation manager trims, summarizes or cuts what was said."""

from __future__ import annotations

from session_conformance.harness import Scenario, Script, TextAgent

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
