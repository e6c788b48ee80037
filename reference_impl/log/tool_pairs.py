"""Tool pairs: what models accept. The results of an assistant's tool uses stand in the user message behind it, once.

A process that is killed between a use and its result leaves the use alone; a retry leaves a result twice; a window that
was cut leaves a result without its use. A model refuses the whole history then. What is repaired is what is restored:
storage keeps what was said.
"""

from __future__ import annotations

import logging
import uuid
from itertools import chain
from operator import itemgetter
from typing import Any

logger = logging.getLogger(__name__)

_REPAIRS = uuid.UUID("6f7b1d5e-3f0a-5c61-9a53-2f1b5c0f7f11")
"""The namespace of the tracking ids of messages that a restore makes up; see :func:`made_up_id`."""


_CONTENT = itemgetter("content")
_TOOLS = frozenset(("toolUse", "toolResult"))


def made_up_id(tool_use: Any) -> str:
    """Return the tracking id of a result that a restore made up: the same at each restore of the same tool use."""
    return str(uuid.uuid5(_REPAIRS, str(tool_use.get("tracking_id") or tool_use["content"])))


def paired(messages: list[Any]) -> list[Any]:
    """Return messages with the results of each tool use right behind it, once.

    A result that came late is moved to its use, with its message where that holds nothing else; a use without a result
    gets one that says that the tool was interrupted; other results, and uses that a user message holds, are left out.
    Messages that are repaired are changed in place. Uses in the very last message stay as they are: ``Agent`` answers
    those itself with its next prompt, or resumes an interrupt with them.
    """
    return messages if _are_paired(messages) else _repaired(messages)


def _repaired(messages: list[Any]) -> list[Any]:
    repaired: list[Any] = []
    late = _late_results(messages)
    moved: set[int] = set()  # messages that stand right behind their uses now
    by_content = {frozenset(map(id, message["content"])): message for message in messages if message["role"] == "user"}

    def answer(use_at: int) -> Any:
        whole = by_content.get(frozenset(id(late.get((use_at, use))) for use in owed))
        if whole is None:
            return _answer(repaired[-1], owed, late, use_at)
        moved.add(id(whole))
        return whole

    changed = False
    owed: list[str] = []
    for position, message in enumerate(messages):
        if owed and (message["role"] != "user" or id(message) in moved):
            repaired.append(answer(position - 1))
            changed, owed = True, []
        content = _content(message, owed, late, position - 1)
        if owed and content is not message["content"] and not _results(message):
            # Nothing in it is a result: it was said after the tools were lost, and stays a message of its own.
            repaired.append(answer(position - 1))
            content, changed = _content(message, [], late, position - 1), True
        if content is not message["content"]:
            changed = True
            if not content and message["content"]:
                owed = []
                continue  # there was nothing in it but results that nobody asked for, or that are moved
            message["content"] = content
        repaired.append(message)
        owed = _uses(message)
    if changed:
        logger.warning(
            "a stored history has tool uses and results that do not match, and is restored as models take it"
        )
    return repaired


def _are_paired(messages: list[Any]) -> bool:
    """Whether models take messages as they are. A restore asks this of each history, and nearly each is."""
    if _TOOLS.isdisjoint(set().union(*chain.from_iterable(map(_CONTENT, messages)))):
        return True
    owed: list[str] = []
    for message in messages:
        uses: list[str] = []
        results: list[str] = []
        for block in message["content"]:
            if "toolUse" in block:
                uses.append(block["toolUse"]["toolUseId"])
            if "toolResult" in block:
                results.append(block["toolResult"]["toolUseId"])
        if uses or results or owed:
            by_user = message["role"] == "user"
            if (uses if by_user else results or owed) or sorted(results) != sorted(owed):
                return False
            owed = list(dict.fromkeys(uses)) if message["role"] == "assistant" else []
    return True


def answered_at_the_end(messages: list[Any]) -> list[Any]:
    """Return messages with results for tool uses in the very last one: ``BidiAgent`` would send them as they are."""
    owed = _uses(messages[-1]) if messages else []
    return [*messages, _answer(messages[-1], owed, {}, -1)] if owed else messages


def _uses(message: Any) -> list[str]:
    if message["role"] != "assistant":
        return []
    return list(dict.fromkeys(block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block))


def _results(message: Any) -> dict[str, Any]:
    """Return the blocks with the results in a message by the ids of their uses; of several for one use the first."""
    found: dict[str, Any] = {}
    for block in message["content"]:
        if "toolResult" in block:
            found.setdefault(block["toolResult"]["toolUseId"], block)
    return found


def _late_results(messages: list[Any]) -> dict[tuple[int, str], Any]:
    """Return results that do not stand right behind their use, by the position of that use's message and the use's id.

    Models count their uses anew at times, so an id may be used several times: a result belongs to the latest use of it.
    """
    late: dict[tuple[int, str], Any] = {}
    used_at: dict[str, int] = {}
    for position, message in enumerate(messages):
        for id, block in _results(message).items():
            use = used_at.get(id)
            if use is not None and (use != position - 1 or message["role"] != "user"):
                late.setdefault((use, id), block)
        used_at.update(dict.fromkeys(_uses(message), position))
    return late


def _content(message: Any, owed: list[str], late: dict[tuple[int, str], Any], use_at: int) -> Any:
    """Return a message's content with the results that are owed and no others; the same list where it is right."""
    stray = "toolUse" if message["role"] == "user" else "toolResult"
    found = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
    if sorted(found) == sorted(owed) and not any(stray in block for block in message["content"]):
        return message["content"]
    there = _results(message)
    said = [block for block in message["content"] if "toolResult" not in block and stray not in block]
    return [there.get(id) or late.get((use_at, id)) or _interrupted(id) for id in owed] + said


def _answer(use: Any, owed: list[str], late: dict[tuple[int, str], Any], use_at: int) -> Any:
    """Return the message with the results that are owed for a message of uses."""
    content = [late.get((use_at, id)) or _interrupted(id) for id in owed]
    return {"role": "user", "content": content, "tracking_id": made_up_id(use)}


def _interrupted(use_id: str) -> Any:
    result = {"toolUseId": use_id, "status": "error", "content": [{"text": "Tool was interrupted."}]}
    return {"toolResult": result}
