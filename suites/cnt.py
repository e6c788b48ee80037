"""CNT: content. What comes back is what was said, to the last bit."""

from __future__ import annotations

import base64
import copy
import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from session_conformance.fixtures import ConformanceSuite, NewSession
from session_conformance.fixtures.properties import (
    ShrinkingAttempts,
    conversations,
    profile_of,
    realistic_conversations,
    realistic_texts,
    seed_of,
)
from session_conformance.harness import (
    Level,
    Script,
    Session,
    Violation,
    expect_no_failure,
    play,
    requirement,
    violated,
)
from session_conformance.harness.backends import Durability
from session_conformance.harness.sdk import SDK_EXCEPTIONS, Message
from session_conformance.harness.timeline import Failed, difference, one_message, same

from .scenarios import (
    BLOCKS,
    BYTES,
    expect_large_or_refused,
    expect_large_state_or_refused,
    expect_readable,
    expect_restorable,
    own_markup,
)

TEXTS = {
    "empty": "",
    "blank": " \t ",
    "NUL and other control characters": "a\0b\x01\x1b\x7f",
    "line separators": "one\ntwo\r\nthree\u2028four\u2029five\x85six\x0bseven",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 🇫🇷 👍🏽",
    "right-to-left": "שלום עולם مرحبا بالعالم \u202eoverridden\u202c",
    "combining characters": "e\u0301 \u00e9 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    "beyond the basic plane": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𒀀 \U0010ffff",
    "noncharacters and a byte order mark": "\ufeff\ufffe\uffff\ufffd",
    "quotes and backslashes": "\"'`\\ \\n \\u0000 </script> ${x} {{y}} %s",
    "compatibility forms": "10\u00a0km \ufb01n 5\u212b \u2460 \u1d2c \uff11 co\u00adop\u200b x\u00b2\n",
    "1 MiB": "0123456789abcdef" * 65536,
    "1 MiB beyond ASCII": "äöüß漢字🙂" * 43690,
}

NUMBERS: dict[str, Any] = {
    "integers": [0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**64), 10**40],
    "floats": [0.0, -0.0, 1.0, -2.0, 0.1, 1e308, 5e-324, 1e22, 123456789.123456789],
    "others": [True, False, None, "", "1", "true", [], {}, [[]], {"": None}],
    "order": [3, 1, 2, 1, 3],
    "a list of one": [7],
}

MARKUP: dict[str, Any] = {
    "the SDK's marker of bytes": {"__bytes_encoded__": True, "data": base64.b64encode(b"not bytes").decode()},
    "the marker with data that is no base64": {"__bytes_encoded__": True, "data": "%%%"},
    "other markers": {"$bytes": "AAAA", "__type__": "bytes", "$ref": "#/", "@type": "x", "py/object": "builtins.list"},
    "JSON in a text": '{"role": "user", "content": []}',
    "a number of a message": {"message_id": 0, "message": {"role": "user", "content": []}},
}

LOOKING_LIKE_OTHERS = (
    *("2026-11-23T10:00:00Z", "2026-11-23T10:00:00.120+00:00", "2026-11-23 10:00:00", "2026-11-23", "10:00"),
    *("007", "1.10", "-0", "1e3", "1e400", "0x1F", "12345678901234567890", "1_000", "true", "False", "no", "null"),
    *("None", "NaN", "Infinity", "[]", "{}", '"quoted"', "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "aGVsbG8=", "%2F+"),
    *(
        "&lt;b&gt; &amp; &#39;c&#39;",
        "%C3%A9",
        "=?utf-8?q?caf=C3=A9?=",
        "caf\\u00e9",
        "{0} {name}",
        "%s %(name)s",
        "${HOME}",
    ),
    *(":name ?", "it''s", "{{ name }}", "<![CDATA[x]]>"),
)
"""Texts that a reader may take for a moment, a number, a boolean, nothing, or something that is encoded or to be filled
in. They are texts."""

NAMES = (
    *("a.b", ".", "..", "$set", "$", "_id", "_private", "__class__", "-", "a b", "a/b", "a#b", "a:b", "a[0]", "0"),
    *(" padded", "padded ", "\tpadded\n"),
    *(
        "id",
        "ID",
        "Id",
        "pk",
        "ttl",
        "type",
        "data",
        "value",
        "key",
        "role",
        "content",
        "state",
        "messages",
        "metadata",
    ),
    *("session_id", "agent_id", "message_id", "created_at", "updated_at", "version", "caf\u00e9", "cafe\u0301", "%"),
)
"""Names that a store may have a use, or no place, for. An application may call anything so."""

UNSTORABLE: dict[str, Any] = {
    "a lone surrogate": {"text": "half an emoji: \ud83d"},
    "a set": {"toolResult": {"toolUseId": "x", "status": "success", "content": [{"json": {1, 2}}]}},
    "an object": {"toolResult": {"toolUseId": "x", "status": "success", "content": [{"json": object()}]}},
    "not a number": {"toolResult": {"toolUseId": "x", "status": "success", "content": [{"json": float("nan")}]}},
}


def message(block: dict[str, Any], role: str = "user") -> dict[str, Any]:
    """Return a message with one block, with the tracking id that an agent would give it."""
    number = next(_numbers)
    return {"role": role, "content": [block], "tracking_id": f"00000000-0000-4000-8000-{number:012d}"}


_numbers = itertools.count(1)


def tool_exchange(
    input: Any, *content: dict[str, Any], status: str = "success", name: str = "note"
) -> list[dict[str, Any]]:
    """Return a tool use with an input and its result with some content and a status."""
    id = f"exchange-{next(_numbers)}"
    return [
        message({"toolUse": {"toolUseId": id, "name": name, "input": input}}, "assistant"),
        message({"toolResult": {"toolUseId": id, "status": status, "content": list(content)}}),
    ]


def expect_back(session: Session, named: dict[str, list[dict[str, Any]]]) -> None:
    """Report a violation unless each message comes back as it was added, naming all that do not.

    Where one does not, each is asked for by itself, in a session of its own: one that is refused hides no other.
    """
    try:
        expect_all_back(session, named)
    except Violation:
        alone = {name: _violation(session, number, name, named[name]) for number, name in enumerate(named)}
        bad = {name: violation for name, violation in alone.items() if violation is not None}
        if not bad:
            raise
        first, *others = bad.values()
        beside = f"; neither do {', '.join(list(bad)[1:])}" if others else ""
        raise Violation(first.expected, f"{first.found}{beside}", first.evidence) from None


def _violation(session: Session, number: int, name: str, messages: list[dict[str, Any]]) -> Violation | None:
    try:
        expect_all_back(replace(session, session_id=f"{session.session_id}-{number}"), {name: messages})
    except Violation as violation:
        return violation
    return None


def expect_all_back(session: Session, named: dict[str, list[dict[str, Any]]]) -> None:
    """Report a violation unless each message comes back as it was added, naming the first that does not."""
    added = [(name, one) for name, several in named.items() for one in several]
    script = Script().starts()
    for _, one in added:
        script = script.adds(one)
    timeline = play(session, script, observing=False)
    expect_no_failure(timeline)
    found = session.read()
    expect_readable(found, f"with {', '.join(list(named)[:3])}")
    back = {kept.get("tracking_id"): kept for kept in found.messages}
    for name, one in added:
        kept = back.get(one["tracking_id"])
        differs = "it is missing" if kept is None else difference([_typed(one)], [kept])
        if differs is not None:
            violated(f"{name} comes back equal", differs.replace("message 0 is ", ""))
    if len(found.messages) != len(added):
        violated(f"{len(added)} messages come back", f"{len(found.messages)} do")


def expect_state_back(session: Session, values: dict[str, Any]) -> None:
    """Report a violation unless what is set in an agent's state comes back under its name, as it was."""
    script = Script().starts()
    for name, value in values.items():
        script = script.sets_state(name, value)
    timeline = play(session, script.user("that is all"), observing=False)  # a state alone is for LIF-04
    expect_no_failure(timeline)
    found = session.read()
    expect_readable(found, "with such a state")
    wrong = [name for name, value in values.items() if not same(found.state.get(name, _ABSENT), value)]
    if wrong or len(found.state) != len(values):
        there = {name: found.state[name] for name in wrong if name in found.state}
        violated(
            "what is set in an agent's state comes back under its name, as it was",
            f"not so {', '.join(map(repr, wrong)) or 'what was never set'}: there is {there or list(found.state)}",
            timeline,
        )


_ABSENT = object()


def _without_nul(value: Any) -> Any:
    """Return a message, or a part of one, without any NUL in its texts."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(one) for key, one in value.items()}
    return [_without_nul(one) for one in value] if isinstance(value, list) else value


def _typed(plain: dict[str, Any]) -> Message:
    return plain  # type: ignore[return-value]


_MOST_SHRINKING = 30
"""How many smaller messages are tried on a server once one did not come back: each takes some dozens of round trips."""


class Content(ConformanceSuite):
    """CNT: content."""

    @requirement("CNT-01", source="A: ContentBlock.text is a str")
    def text(self, new_session: NewSession) -> None:
        """Any text comes back equal, in messages and in state: every script, emoji, right-to-left, NUL, line
        separators, 1 MiB in one message.
        """
        named = {name: [message({"text": text})] for name, text in TEXTS.items()}
        for text in realistic_texts():
            named[f"the text {text[:20]!r}"] = [message({"text": text})]
        large = TEXTS["1 MiB"]
        named["1 MiB in a tool's input, and in its result"] = tool_exchange({"text": large}, {"text": large})
        expect_back(new_session(), named)
        expect_state_back(new_session(), {name: text for name, text in TEXTS.items() if len(text) < len(large) // 8})

    @requirement("CNT-02", source="A: ImageSource.bytes and its siblings; encode_bytes_values")
    def data(self, new_session: NewSession) -> None:
        """Bytes (images, audio, documents) come back equal, also inside tool results."""
        image = {"image": {"format": "png", "source": {"bytes": BYTES}}}
        document = {"document": {"format": "txt", "name": "n", "source": {"bytes": b""}}}
        expect_back(
            new_session(),
            {
                "an image": [message(image)],
                "audio": [message({"audio": {"format": "pcm", "source": {"bytes": BYTES}}})],
                "an empty document": [message(document)],
                "1 MiB of bytes": [message({"image": {"format": "png", "source": {"bytes": b"\0\xff" * 2**19}}})],
                "bytes in a tool result": tool_exchange({}, image, document),
            },
        )

    @requirement("CNT-03", source="A: strands.types.content.ContentBlock")
    def blocks(self, new_session: NewSession) -> None:
        """Every content block of the SDK comes back equal: reasoning, citations, cache points, video, json tool
        results.
        """
        named = {name: [message(block, role)] for name, block in BLOCKS.items() for role in ("user",)}
        named["several blocks in one message"] = [{**message({}), "content": list(BLOCKS.values())}]
        given: dict[str, Any] = {"deep": [{"er": {}}], "not given": None, "not": {"there": None}}
        named["a json tool result"] = tool_exchange(given, {"json": {"a": [1, None], "none": None}}, {"text": "t"})
        named["a tool that failed and does not say so"] = tool_exchange({}, {"text": "no such city"}, status="error")
        named["a tool that succeeds and speaks of an error"] = tool_exchange({}, {"text": "Error: there is none"})
        named["a tool that returns nothing"] = tool_exchange({})
        named["a tool that returns two texts"] = tool_exchange({}, {"text": "one"}, {"text": "two"})
        named["a tool with a name of 64 characters"] = tool_exchange({}, {"text": "noted"}, name="note_" * 12 + "down")
        named["an input that is a text"] = tool_exchange("Paris", {"text": "noted"})
        named["an input that is a list"] = tool_exchange(["Paris"], {"text": "noted"})
        use, result = tool_exchange({}, {"text": "21 degrees"})
        between = [{"text": "I look it up."}, *use["content"], {"text": "One moment."}]
        named["texts ahead of a tool's use and result, and behind them"] = [
            {**use, "content": between},
            {**result, "content": [*result["content"], {"text": "And the day after?"}]},
        ]
        metadata = {
            "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3},
            "metrics": {"latencyMs": 5},
            "custom": {"k": [1.5]},
        }
        named["metadata"] = [{**message({"text": "with metadata"}, "assistant"), "metadata": metadata}]
        expect_back(new_session(), named)

    @requirement("CNT-04", level=Level.SHOULD, source="F: in-band markers must be escaped")
    def markup(self, new_session: NewSession) -> None:
        """Content that looks like the store's own markup (base64 markers, JSON text, __bytes_encoded__) comes back
        equal.
        """
        learned = {f"what it writes for bytes, {value!r:.120},": value for value in own_markup(new_session())}
        for name, value in (MARKUP | learned).items():
            exchange = tool_exchange({"value": value}, {"json": value})
            expect_back(new_session(), {name: [*exchange, message({"text": str(value)})]})

    @requirement("CNT-05", source="A: ToolUse.input, 'any JSON-serializable type'")
    def numbers(self, new_session: NewSession) -> None:
        """Numbers keep value and type (large integers, floats, booleans, null), in messages and in state; key order
        does not matter, list order does.
        """
        expect_back(
            new_session(),
            {name: tool_exchange({"value": value}, {"json": value}) for name, value in NUMBERS.items()},
        )
        expect_state_back(new_session(), NUMBERS)

    @requirement("CNT-06", level=Level.SHOULD, source="F: refuse early, lose nothing")
    def unstorable(self, new_session: NewSession) -> None:
        """What cannot be stored (a lone surrogate, a value JSON has no form for) is refused with a clear error, and
        what was stored before stays.
        """
        for name, block in UNSTORABLE.items():
            session = new_session()
            good, bad = [message({"text": "stored before"})], message(block)
            if "toolResult" in block:  # one without its use may be dropped by a restore, as SDK #859 asks
                use = {"toolUseId": block["toolResult"]["toolUseId"], "name": "note", "input": {}}
                good.append(message({"toolUse": use}, "assistant"))
            script = Script().starts()
            for one in good:
                script = script.adds(one)
            if session.backend.durability is not Durability.MESSAGE:
                script = script.stops().starts()  # by then what was said is stored
            timeline = play(session, script.adds(bad), observing=False)
            found = session.read()
            expect_readable(found, f"after {name} was added", timeline)
            kept = {other.get("tracking_id"): other for other in found.messages}
            for one in good:
                before = kept.get(one["tracking_id"])
                if before is None or difference([_typed(one)], [before]) is not None:
                    violated(f"what was stored before {name} stays", f"{one_message(before)}", timeline)
            refusals = timeline.of(Failed)
            clear: tuple[type[Exception], ...] = (ValueError, TypeError, *SDK_EXCEPTIONS)
            unclear = [f for f in refusals if not f.is_a(*clear) or not f.error.strip()]
            if unclear:
                violated(
                    f"{name} is refused with ValueError, TypeError or an SDK exception",
                    unclear[0].summary,
                    timeline,
                    unclear[0],
                )
            stored = kept.get(bad["tracking_id"])
            came = "nothing came back" if stored is None else difference([_typed(bad)], [stored])
            if not refusals and came is not None:
                violated(f"{name} is refused, or comes back equal", f"nothing was raised, and {came}", timeline)
        expect_restorable(new_session("malformed"))
        expect_large_or_refused(new_session("large"))
        expect_large_state_or_refused(new_session("large-state"))

    @requirement("CNT-07", source="F: property-based testing")
    def generated(self, new_session: NewSession, request: pytest.FixtureRequest) -> None:
        """Generated messages (property test) come back equal."""
        first = new_session()
        numbers = itertools.count()
        attempts = ShrinkingAttempts(_MOST_SHRINKING if first.workspace.places else None)
        # That some databases take no NUL is for CNT-01 to say: it shall hide nothing here.
        refuses_nul = _violation(first, 0, "NUL", [message({"text": "a\0b"})]) is not None

        @seed(seed_of(request.config))
        @settings(
            max_examples=profile_of(request.config).messages,
            deadline=None,
            derandomize=False,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        @given(st.one_of(conversations(), conversations(), realistic_conversations(max_turns=2)))
        def come_back(conversation: list[dict[str, Any]]) -> None:
            session = Session(first.backend, first.workspace, f"generated-{next(numbers)}")
            if refuses_nul:
                conversation = _without_nul(conversation)
            case = copy.deepcopy(conversation)
            attempts.begin(case)
            try:
                expect_all_back(session, {f"message {n}": [one] for n, one in enumerate(conversation)})
            except Violation as violation:
                attempts.failed(case, violation)
                raise

        attempts.search(come_back)

    @requirement(
        "CNT-08",
        source="A,F: ToolUse.input, 'any JSON-serializable type', AgentState; decoders that see dates in texts",
        since="2026.12",
    )
    def texts_and_names(self, new_session: NewSession) -> None:
        """A text that looks like a date, a number, a boolean or nothing stays that text, and a name that a store may
        have a use for (with a dot, a dollar sign, an underscore, or blanks around it, or that of a field) stays that
        name: in messages, tools' inputs and results, and state.
        """
        texts = {f"value {number}": text for number, text in enumerate(LOOKING_LIKE_OTHERS)}
        named = {name: number for number, name in enumerate(NAMES)}
        expect_back(
            new_session(),
            {
                "a text that looks like something else": [message({"text": text}) for text in LOOKING_LIKE_OTHERS],
                "an input and a result of such texts": tool_exchange(texts, {"json": texts}),
                "an input and a result with such names": tool_exchange(named, {"json": named}),
            },
        )
        expect_state_back(new_session(), {**named, **texts})
