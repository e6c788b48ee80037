"""The codec: what goes in comes out, and what cannot is refused."""

import enum
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_conformance.harness import ScriptedTextModel, Timeline
from session_conformance.harness.models import text_answer
from session_conformance.harness.timeline import difference, same
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.log import codec
from session_conformance.reference_impl.log.codec import DEEPEST, MOST_DIGITS, UnstorableError, decode, encode
from strands import Agent
from strands.session import FileSessionManager as SdkFileSessionManager

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=6) | st.sampled_from(["$bytes", "$tuple", "$pairs", "$$bytes", "$"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@pytest.fixture(autouse=True, scope="module", params=[0, codec.LONG], ids=["as a long text", "as it is"])
def _read_by(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "LONG", request.param)
        yield


@given(VALUES)
def test_values_come_back_equal_and_of_equal_type(value: Any) -> None:
    data = encode(value)
    assert b"\n" not in data
    assert b"\0" not in data
    assert same(decode(data), value)


def test_tuples_come_back_as_tuples() -> None:
    assert decode(encode({"t": (1, (2, b"3"))})) == {"t": (1, (2, b"3"))}


KEYS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["$pairs", "a", "1"])


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, st.binary() | st.tuples(st.text()), max_size=3), max_size=4))
def test_keys_that_are_no_texts_come_back_as_they_were(value: Any) -> None:
    """An agent's state takes what ``json.dumps`` does."""
    json.dumps(dict.fromkeys(value))
    data = encode({"state": value})
    found = decode(data)
    assert found == {"state": value}
    assert [list(map(repr, one)) for one in (found["state"], *found["state"].values())] == [
        list(map(repr, one)) for one in (value, *value.values())
    ]


class Color(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


def test_keys_that_are_enumerations_come_back_as_what_they_are_made_of() -> None:
    found = decode(encode({"state": {Color.RED: 1, "levels": {Level.HIGH: 2}}}))
    assert found == {"state": {"red": 1, "levels": {3: 2}}}
    assert [type(key) for key in (*found["state"], *found["state"]["levels"])] == [str, str, int]


def test_keys_that_are_no_texts_go_down_as_deep_as_they_can_be_read() -> None:
    value: Any = "the innermost"
    for _ in range(DEEPEST // 3):
        value = {1: value}
    data = encode(value)
    assert depth(json.loads(data)) <= DEEPEST
    assert decode(data) == value
    with pytest.raises(UnstorableError, match="200 levels"):
        encode({1: value})


@pytest.mark.parametrize(
    "value", [{(1,): 2}, {b"1": 2}, {frozenset(): 1}, {1, 2}, object(), "\ud800", {"\udfff": 1}, [{"a": {"b": ...}}]]
)
def test_what_json_has_no_form_for_is_refused(value: Any) -> None:
    with pytest.raises(UnstorableError, match="cannot store"):
        encode(value)


def test_a_refusal_says_where() -> None:
    with pytest.raises(UnstorableError, match=r"content\[1\]\.toolUse\.input"):
        encode({"content": [{}, {"toolUse": {"input": {1}}}]})


def nested(levels: int, kind: type = dict, value: Any = "the innermost") -> Any:
    for _ in range(levels):
        value = {"a": value} if kind is dict else kind([value])
    return value


def at_depth(frames: int, call: Any) -> Any:
    return at_depth(frames - 1, call) if frames else call()


@pytest.mark.parametrize("kind", [dict, list, tuple])
def test_what_is_stored_can_be_read_on_a_deeper_stack(kind: type) -> None:
    """A worker thread writes on a stack of few frames; an application restores on one of many."""
    deepest = DEEPEST // 2 if kind is tuple else DEEPEST  # a tuple is stored as a list in a dict
    data = encode(nested(deepest, kind))
    room = sys.getrecursionlimit() // 2 - len(_frames())
    assert at_depth(room, lambda: decode(data)) == nested(deepest, kind)
    with pytest.raises(UnstorableError, match="200 levels"):
        encode(nested(deepest + 1, kind))


def _frames() -> list[Any]:
    found, frame = [], sys._getframe()
    while frame is not None:
        found.append(frame)
        frame = frame.f_back  # type: ignore[assignment]
    return found


@pytest.mark.parametrize("kind", [dict, list, tuple])
@pytest.mark.parametrize("innermost", [{"a": b"data"}, [b"data"], ("a",)])
def test_the_deepest_that_must_be_tagged_is_stored(kind: type, innermost: Any) -> None:
    """Each kind, and each kind within each other, goes down to the same level."""
    room = DEEPEST - (2 if isinstance(innermost, tuple) else 1)
    value = nested(room // 2 if kind is tuple else room, kind, innermost)
    data = encode(value)
    assert depth(json.loads(data)) <= DEEPEST + 1  # bytes are stored as a dict, which holds nothing else
    assert decode(data) == value
    with pytest.raises(UnstorableError, match="200 levels"):
        encode(nested(1, kind, value))


def depth(value: Any) -> int:
    """Return how many dicts and lists stand within each other."""
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)


def test_one_level_more_is_refused_whatever_must_be_tagged() -> None:
    with pytest.raises(UnstorableError, match=r"at content\[key 0\]\[key 0\]"):
        encode({"content": nested(DEEPEST), "data": b"to be tagged"})


def test_what_holds_itself_is_refused() -> None:
    circle: dict[str, Any] = {"fine": 1}
    circle["me"] = circle
    with pytest.raises(UnstorableError, match=r"holds itself, at content\[0\]\[key 1\]\[key 1\]") as caught:
        encode({"content": [circle]})
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("sign", [1, -1])
def test_integers_are_stored_as_long_as_python_reads_them(sign: int) -> None:
    longest = sign * (10**MOST_DIGITS - 1)
    assert decode(encode({"n": [longest]})) == {"n": [longest]}
    with pytest.raises(UnstorableError, match=r"digits at content\[0\]\[key 0\]"):
        encode({"content": [{"n": longest + sign}]})


def test_a_value_whose_text_cannot_be_made_is_refused_by_its_type() -> None:
    with pytest.raises(UnstorableError, match="a value of type set"):
        encode({"x": {10 ** (MOST_DIGITS + 1), 1}})


def test_what_is_too_deep_for_the_stack_is_an_error_of_the_data() -> None:
    data = b'{"a":' * 200_000 + b"1" + b"}" * 200_000
    with pytest.raises(ValueError, match="nested too deeply"):
        decode(data)


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
ODD_TEXTS = st.sampled_from(
    ["NaN", "-Infinity", '"\\ud800"', '"\\u0000"', '{"a":1,"a":2}', "-0", "-0.0", " [ ] ", '"\x7f"']
)


@given(st.lists(NUMBERS | ODD_TEXTS).map(lambda items: f"[{','.join(items)}]".encode()))
def test_what_anybody_wrote_is_read_as_python_reads_it(data: bytes) -> None:
    assert repr(decode(data)) == repr(json.loads(data))


@pytest.mark.parametrize("data", [b"[1,]", b"", b"01", b'"\t"', b'"\xff"', b"[1] 2"])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)


def test_a_short_session_is_opened_without_what_reads_long_ones() -> None:
    code = (
        "import sys, tempfile\n"
        "from session_conformance.reference_impl import FileSessionManager\n"
        "place = tempfile.mkdtemp()\n"
        "[FileSessionManager('s', place).close() for _ in range(2)]\n"
        "print('msgspec' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_only_python_writes_come_back_to_an_agent(tmp_path: Path, number: float) -> None:
    """Tools hand them on, from tables with gaps, and the SDK's managers store them."""

    def agent(manager: Any) -> Agent:
        model = ScriptedTextModel(Timeline(), answer=lambda _: text_answer("yes"))
        return Agent(model=model, session_manager=manager, agent_id="a", callback_handler=None)

    result = {"toolResult": {"toolUseId": "1", "status": "success", "content": [{"json": {"mean": number}}]}}
    sdks = agent(SdkFileSessionManager("s", storage_dir=str(tmp_path)))
    sdks.messages.append({"role": "assistant", "content": [{"toolUse": {"toolUseId": "1", "name": "t", "input": {}}}]})
    sdks.messages.append({"role": "user", "content": [result]})
    for message in sdks.messages:
        sdks._session_manager.append_message(message, sdks)  # type: ignore[union-attr]
    ours = agent(FileSessionManager("s", str(tmp_path)))
    ours("and on")
    ours.state.set("mean", number)
    ours._session_manager.sync_agent(ours)  # type: ignore[union-attr]
    stored = (tmp_path / "journal_s" / "journal").read_bytes()
    ours._session_manager.sync_agent(ours)  # type: ignore[union-attr]
    assert (tmp_path / "journal_s" / "journal").read_bytes() == stored, "nothing changed"
    again = agent(FileSessionManager("s", str(tmp_path)))
    assert difference(ours.messages, again.messages) is None
    assert same(again.state.get("mean"), number)
    again._session_manager.hand_back()  # type: ignore[union-attr]
    back = agent(SdkFileSessionManager("s", storage_dir=str(tmp_path)))
    assert difference(ours.messages, back.messages) is None


@pytest.mark.parametrize("kind", [SdkFileSessionManager, FileSessionManager])
def test_a_state_with_keys_that_are_no_texts_holds_up_no_conversation(kind: Any, tmp_path: Path) -> None:
    """``AgentState`` takes them, and the SDK's manager stores them as texts."""

    def agent() -> Agent:
        model = ScriptedTextModel(Timeline(), answer=lambda _: text_answer("yes"))
        manager = kind("s", storage_dir=str(tmp_path))
        return Agent(model=model, session_manager=manager, agent_id="a", callback_handler=None)

    first = agent()
    first.state.set("scores", {1: "one", 2: {True: 0.5}})
    first("count")
    second = agent()
    assert len(second.messages) == 2
    found = second.state.get("scores")
    assert json.loads(json.dumps(found)) == {"1": "one", "2": {"true": 0.5}}
    if kind is FileSessionManager:
        assert found == {1: "one", 2: {True: 0.5}}
        second._session_manager.hand_back()  # type: ignore[union-attr]
        manager = SdkFileSessionManager("s", storage_dir=str(tmp_path))
        assert manager.read_agent("s", "a").state == {"scores": {"1": "one", "2": {"true": 0.5}}}  # type: ignore[union-attr]
