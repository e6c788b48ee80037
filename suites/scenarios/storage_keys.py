"""The keys of a storage: which are listed, in which order, and that none is taken for another."""

from __future__ import annotations

import asyncio
import random
import unicodedata
from dataclasses import replace
from pathlib import Path

from session_conformance.harness import Session, violated
from session_conformance.harness.backends import looked_at
from session_conformance.harness.sdk import Storage

from .storage_api import expect_listed, expect_read, opened, refused, run, unless_refused, working

NEAR_KEYS = (
    ("k", "kk"), ("key", "KEY"), ("a-b", "a_b"), ("a.b", "a.b.c"), ("1", "01"), ("session/1/x", "session/10/x"),
    (unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")), ("name.json", "name.json.1"),
    ("with space", "with  space"), ("p_q", "pxq"), ("L" * 120 + "1", "L" * 120 + "2"),
    ("1" + "L" * 220, "2" + "L" * 220), ("one/" + "L" * 220, "two/" + "L" * 220),
)  # fmt: skip
"""Keys that are easily taken for each other."""

_LONG = 200
"""Characters from which on a key may be refused: a column, an index or a file system may have no room for more."""

ODD_KEYS = (
    "../victim", "..", ".", "deep/../victim", "deep/../../victim", "back\\slash", "..\\victim", "", " ",
    "nul\0key", "trailing/", "./dot", "~/home", "$HOME", "%2e%2e%2fvictim", "100%25", "a+b=c&d", "star*?[a]",
    "会話/だい一", "emoji-🙂", "quote'\"key", "semi;colon", "a:b", "#hash", "new\nline", "line\u2028separator",
    "x" * 300, "deep/" * 60 + "leaf", ".hidden", "dot.at.end.", "CON", "-dash-first",
)  # fmt: skip
"""Keys that work exactly, or are refused, beside an absolute path, which checks make up: one that nobody but a broken
storage has a use for. No two of them are the same where runs of ``/`` are collapsed."""

LISTED = ("Z", "a.json", "a/1", "a/10", "a/2", "a/2.json", "ab", "b/c/d", "b/cc", "z", "é", "ü/1")
PREFIXES = ("", "a", "a/", "a/1", "a/10", "a/100", "b/c", "b/c/", "Z", "z", "é", "none", "1")
MANY = 1005
"""Keys under one prefix: more than S3 and most others list at once."""


def expect_listing(session: Session) -> None:
    """Report a violation if a storage does not list its keys as the Storage API says: SNP-04."""

    async def main() -> None:
        writer = opened(session)
        await expect_listed(writer, "", [])
        listed = [key for key in LISTED if key.isascii()]
        for key in random.Random(3).sample(LISTED, len(LISTED)):
            if key.isascii():
                await working(writer.write(key, key.encode()), f"writing {key!r}")
            elif not await refused(writer.write(key, key.encode()), f"writing {key!r}"):  # as SNP-05 allows
                listed.append(key)
        await working(writer.write("deleted", b""), "writing")
        await working(writer.write("a/1", b"again"), "writing again")
        await working(writer.delete("deleted"), "deleting")
        for who in (writer, opened(session)):
            for prefix in PREFIXES:
                await expect_listed(who, prefix, sorted(key for key in listed if key.startswith(prefix)))
        await _expect_no_patterns(writer)
        many = [f"many/{number}" for number in range(MANY)]
        for start in range(0, MANY, 50):
            await asyncio.gather(*(working(writer.write(key, b"x"), "writing") for key in many[start : start + 50]))
        for who in (writer, opened(session)):
            await expect_listed(who, "many/", sorted(many))
            await expect_listed(who, "", sorted([*listed, *many]))

    run(main)


def expect_keys_told_apart(session: Session, place: Path) -> None:
    """Report a violation if a storage takes one key for another, or leaves its own place: SNP-05."""
    outside = place / "outside"
    folder = outside / "deep" / "workspace"
    folder.mkdir(parents=True)
    (outside / "victim").write_text("not in the storage")
    (outside / "deep" / "victim").write_text("nor is this")
    before = _files_of(outside, but=folder)
    session = replace(session, workspace=replace(session.workspace, folder=folder))

    async def main() -> None:
        storage, kept = opened(session), {"victim": b"I am the victim"}
        await working(storage.write("victim", kept["victim"]), "writing")
        for pair in NEAR_KEYS:
            for key in pair:
                data = f"under {key}".encode()
                if key.isascii() and " " not in key and len(key) < _LONG:
                    await working(storage.write(key, data), f"writing {key!r}")
                elif await refused(storage.write(key, data), f"writing {key!r}"):
                    continue
                kept[key] = data
        for key, data in kept.items():
            await expect_read(storage, key, data, "where others are like it")
        for key in (*ODD_KEYS, str(outside / "absolute")):
            data = f"under {key}".encode()
            accepted = not await refused(storage.write(key, data), f"writing {key!r:.60}")
            if _files_of(outside, but=folder) != before:
                violated(f"writing {key!r:.60} changes nothing outside of the storage's own place", "it does")
            if accepted:
                kept[key] = data
                await expect_read(storage, key, data, "an odd key")
            else:
                found = await unless_refused(storage.read(key), f"reading {key!r:.60}")
                if found is not None:
                    violated(f"{key!r:.60}, which cannot be written, has no bytes", f"it has {found[:40]!r}")
                await refused(storage.delete(key), f"deleting {key!r:.60}")
            await expect_read(storage, "victim", kept["victim"], f"after {key!r:.60} was used")
            if _files_of(outside, but=folder) != before:  # what was refused may have been deleted
                violated(f"deleting {key!r:.60} changes nothing outside of the storage's own place", "it does")
        for who in (storage, opened(session)):
            for key, data in kept.items():
                await expect_read(who, key, data, "when all keys were written")

    run(main)


def expect_keys_below_keys(session: Session) -> None:
    """Report a violation if a storage refuses a key beside one that continues it: SNP-07."""
    refusals: list[str] = []

    async def main() -> None:
        storage = opened(session)
        for first, second in (("up/a", "up/a/b"), ("down/a/b", "down/a")):
            await working(storage.write(first, b"first"), f"writing {first!r}")
            if await refused(storage.write(second, b"second"), f"writing {second!r} beside {first!r}"):
                refusals.append(f"{second!r} beside {first!r}")
            else:
                await expect_read(storage, second, b"second", f"beside {first!r}")
            await expect_read(storage, first, b"first", f"beside {second!r}")

    run(main)
    if refusals:
        violated("a key, and keys that continue it after a slash, are kept side by side", f"refused: {refusals}")


def expect_odd_keys_listed(session: Session, place: Path) -> None:
    """Report a violation if a storage does not list a key that it has accepted: SNP-09."""

    async def main() -> None:
        storage, kept = opened(session), dict[bytes, str]()
        for key in (*ODD_KEYS, str(place / "absolute")):
            if not await refused(storage.write(key, key.encode()), f"writing {key!r:.60}"):
                kept[key.encode()] = key
        listed = await working(storage.list(""), "list('')")
        found = {key: await working(storage.read(key), f"reading {key!r:.60}, as listed") for key in listed}
        for data, key in kept.items():
            names = [name for name, other in found.items() if other == data]
            if len(names) != 1:
                violated(f"{key!r:.60} is listed once", f"it is listed as {names}")
        if len(listed) != len(kept):
            strange = [key for key in listed if found[key] not in kept]
            violated(f"the {len(kept)} keys that were written are listed", f"{len(listed)} are: {strange} too many")
        for key in listed:
            await working(storage.delete(key), f"deleting {key!r:.60}, as listed")
        await expect_listed(opened(session), "", [])

    run(main)


async def _expect_no_patterns(storage: Storage) -> None:
    """Report a violation if a prefix that means more as a pattern lists more than what begins with it."""
    for prefix, other in (("p_", "px"), ("p%", "pq"), ("p*", "pq"), ("p?", "pq"), ("[p]", "p"), ("p\\", "pq")):
        keys = (f"{prefix}1", f"{other}2")
        there = [key for key in keys if not await refused(storage.write(key, b"x"), f"writing {key!r}")]
        if keys[0] in there:  # a prefix that no key may have may be refused too
            await expect_listed(storage, prefix, [keys[0]])
        for key in there:
            await working(storage.delete(key), f"deleting {key!r}")


def _files_of(folder: Path, *, but: Path) -> dict[str, bytes]:
    return looked_at(
        lambda: {
            str(path): path.read_bytes() if path.is_file() else b""
            for path in folder.rglob("*")
            if but not in (path, *path.parents)
        }
    )
