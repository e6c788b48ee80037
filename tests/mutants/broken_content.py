"""Mutants: a correct manager, each time with one thing broken: content."""

import base64
import contextlib
import copy
import itertools
import json
import re
from pathlib import Path
from typing import Any

from session_conformance.reference_impl.log.codec import encode
from strands.types.exceptions import SessionException
from strands.types.session import decode_bytes_values

from tests.conforming.snapshot_manager import SnapshotFileManager


class StripsNul(SnapshotFileManager):
    """NUL characters are taken out of texts."""

    def messages_of(self, agent: Any) -> list[Any]:
        messages = copy.deepcopy(agent.messages)
        for message in messages:
            for block in message["content"]:
                if "text" in block:
                    block["text"] = block["text"].replace("\0", "")
        return messages


class DropsBytesInToolResults(SnapshotFileManager):
    """Images and documents in tool results are not stored."""

    def pack(self, content: dict[str, Any]) -> bytes:
        for message in content["messages"]:
            for block in message["content"]:
                for inner in block.get("toolResult", {}).get("content", []):
                    inner.pop("image", None)
        return super().pack(content)


class DropsCachePoints(SnapshotFileManager):
    """A content block that nobody reads is not stored."""

    def pack(self, content: dict[str, Any]) -> bytes:
        for message in content["messages"]:
            message["content"] = [block for block in message["content"] if "cachePoint" not in block]
        return super().pack(content)


class JoinsTextsOfResults(SnapshotFileManager):
    """What a tool returned is one text, or what it is."""

    def pack(self, content: dict[str, Any]) -> bytes:
        results = [
            block["toolResult"] for one in content["messages"] for block in one["content"] if "toolResult" in block
        ]
        for result in results:
            if len(result["content"]) > 1 and all("text" in part for part in result["content"]):
                result["content"] = [{"text": "".join(part["text"] for part in result["content"])}]
        return super().pack(content)


class CutsNamesOfTools(SnapshotFileManager):
    """The name of a tool is in a column of 50 characters."""

    def pack(self, content: dict[str, Any]) -> bytes:
        for message in content["messages"]:
            for block in message["content"]:
                if "toolUse" in block:
                    block["toolUse"]["name"] = block["toolUse"]["name"][:50]
        return super().pack(content)


class TakesInputsForObjects(SnapshotFileManager):
    """What a tool is given is an object, or nothing."""

    def pack(self, content: dict[str, Any]) -> bytes:
        for message in content["messages"]:
            for block in message["content"]:
                if "toolUse" in block and not isinstance(block["toolUse"]["input"], dict):
                    block["toolUse"]["input"] = {}
        return super().pack(content)


class ReadsOnePage(SnapshotFileManager):
    """Restores what the first page of an answer has room for, which is 1 MB."""

    def restored(self, messages: list[Any]) -> list[Any]:
        lengths = itertools.accumulate(len(repr(message)) for message in messages)
        return super().restored([one for one, length in zip(messages, lengths, strict=True) if length < 1_000_000])


class DropsWhatIsNull(SnapshotFileManager):
    """What a tool was not given is not stored."""

    def pack(self, content: dict[str, Any]) -> bytes:
        uses = [block["toolUse"] for one in content["messages"] for block in one["content"] if "toolUse" in block]
        for use in uses:
            use["input"] = {name: value for name, value in use["input"].items() if value is not None}
        return super().pack(content)


class CutsLongStates(SnapshotFileManager):
    """A column for a state has room for so much."""

    def state_of(self, agent: Any) -> dict[str, Any]:
        state = super().state_of(agent)
        return {name: value[:65_535] if isinstance(value, str) else value for name, value in state.items()}


class DecodesTheSdksMarker(SnapshotFileManager):
    """Content that looks like encoded bytes is decoded."""

    def unpack(self, data: bytes) -> Any:
        return decode_bytes_values(super().unpack(data))


class LeavesItsOwnMarkerAsItIs(SnapshotFileManager):
    """Bytes are marked in a way that nobody else has, and content that has the mark is taken for bytes."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return json.dumps(content, default=lambda data: {"~raw": base64.b64encode(data).decode()}).encode()

    def unpack(self, data: bytes) -> Any:
        return json.loads(data, object_hook=lambda one: base64.b64decode(one["~raw"]) if set(one) == {"~raw"} else one)


class ReadsIntegersAsFloats(SnapshotFileManager):
    """Numbers of tools come back as floats."""

    def unpack(self, data: bytes) -> Any:
        content = super().unpack(data)
        for message in content["messages"]:
            for block in message["content"]:
                if "toolUse" in block:
                    block["toolUse"]["input"] = json.loads(json.dumps(block["toolUse"]["input"]), parse_int=float)
        return content


class StoresWhatItCannot(SnapshotFileManager):
    """What JSON has no form for is stored as its repr."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return encode(_with_reprs(content))


class StoresWhateverComes(SnapshotFileManager):
    """What is no message is stored as one."""

    def check_message(self, message: Any) -> None:
        pass


class CutsLongTexts(SnapshotFileManager):
    """A text has room for so many characters."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [
            {**message, "content": [_cut(block) for block in message["content"]]}
            for message in super().messages_of(agent)
        ]


def _cut(block: Any) -> Any:
    return {**block, "text": block["text"][: 2**22]} if "text" in block else block


class ForgetsTheSignOfZero(SnapshotFileManager):
    """Zero is zero."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return super().pack(_without_minus(content))


def _without_minus(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_minus(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_minus(item) for item in value]
    return 0.0 if isinstance(value, float) and value == 0 else value


def _with_reprs(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_reprs(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_reprs(item) for item in value]
    try:
        encode(value)
    except SessionException:
        return ascii(value)
    return value


class NormalisesLineEnds(SnapshotFileManager):
    """A carriage return becomes a line end."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return re.sub(rb"(?<!\\)\\r", rb"\\n", super().pack(content))


class SwallowsErrorsOfOneSync(SnapshotFileManager):
    """A new file takes four syncs, of which each is heard of; an old one takes three, and one is not."""

    def write(self, path: Path, data: bytes) -> None:
        is_new = not path.exists()
        for _ in range(2 if is_new else 1):
            self.sync_folder(path.parent)
        temporary = path.with_suffix(".new")
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            with contextlib.suppress(*([] if is_new else [OSError])):
                self.sync(file.fileno())
        temporary.replace(path)
        self.sync_folder(path.parent)


class BelievesTheSecondSync(SnapshotFileManager):
    """A sync that fails is tried again: the system has told of the error, and takes what it lost for written."""

    def sync(self, descriptor: int) -> None:
        try:
            super().sync(descriptor)
        except OSError:
            super().sync(descriptor)


class TakesSpacesForOneAnother(SnapshotFileManager):
    """A space that no line is broken at becomes one like any other, as in compatibility forms (NFKC)."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return super().pack(content).replace(rb"\u00a0", b" ").replace("\u00a0".encode(), b" ")


class PutsToolUsesLast(SnapshotFileManager):
    """Tool uses are kept apart from the rest of a message, and put behind it."""

    def pack(self, content: dict[str, Any]) -> bytes:
        for message in content["messages"]:
            message["content"] = sorted(message["content"], key=lambda block: "toolUse" in block)
        return super().pack(content)


class MisreadsEmptyLists(SnapshotFileManager):
    """An empty list comes back as null."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return super().pack(content).replace(b":[]", b":null").replace(b'"messages":null', b'"messages":[]')


class StripsNames(SnapshotFileManager):
    """Names in a state are tidied."""

    def state_of(self, agent: Any) -> dict[str, Any]:
        return {name.strip(): value for name, value in super().state_of(agent).items()}
