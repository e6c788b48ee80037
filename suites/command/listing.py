"""The commands that say what is required: list, explain and trace."""

from __future__ import annotations

import argparse
import difflib
import sys
from typing import Any

from session_conformance.harness.verdicts import GROUPS, Level, Requirement

from ..catalog import as_json, as_markdown, shipped_requirements
from ..sentences import as_trace, mapped_sentences
from .exit_codes import USAGE_ERROR

_OPTIONS = {"REP": "--session-repository", "SNP": "--session-storage"}
"""The options of what the groups are about that are not about session managers first of all."""


def add_to(commands: Any) -> None:
    """Add the commands to a parser's subcommands."""
    listing = commands.add_parser("list", help="list the requirements")
    listing.add_argument("group", nargs="*", metavar="GROUP", help="only these groups, such as ORD")
    listing.add_argument("--level", choices=("must", "should"), help="only this level")
    listing.add_argument("--since", metavar="EDITION", help="only those that an edition added, such as 2026.11")
    form = listing.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON, for programs")
    form.add_argument("--markdown", action="store_true", help="as docs/requirements.md has them")
    about = commands.add_parser("explain", help="say everything about a requirement, or about a group")
    commands.add_parser(
        "trace", help="say which requirements judge each sentence of the documentation, or why none can"
    )
    about.add_argument("id", help="a requirement's id, such as ORD-02, or a group, such as ORD")


def run(given: argparse.Namespace) -> int:
    """Run one of the commands and return its exit code."""
    if given.command == "trace":
        print(as_trace(mapped_sentences()))
        return 0
    return _list(given) if given.command == "list" else _explain(given.id.upper())


def _list(given: argparse.Namespace) -> int:
    groups = [group.upper() for group in given.group]
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        return _usage(f"there is no group {unknown[0]}: there are {', '.join(GROUPS)}")
    found = [
        one
        for one in shipped_requirements()
        if (not groups or one.group in groups)
        and (given.level is None or one.level.value.lower() == given.level)
        and (given.since is None or one.since == given.since)
    ]
    if given.json:
        print(as_json(found), end="")
    elif given.markdown:
        print(as_markdown(found), end="")
    else:
        print("\n".join(f"{one.id}  {one.level.value:<6}  {one.sentence}" for one in found))
    return 0


def _explain(id: str) -> int:
    known = {one.id: one for one in shipped_requirements()}
    if id in GROUPS:
        print(_group(id, [one for one in known.values() if one.group == id]))
    elif id in known:
        print(_requirement(known[id]))
    else:
        near = difflib.get_close_matches(id, [*known, *GROUPS], n=3, cutoff=0.5)
        hint = f"near to it: {', '.join(near)}" if near else "'session-conformance list' shows all"
        return _usage(f"there is no requirement {id}: {hint}")
    return 0


def _group(group: str, found: list[Requirement]) -> str:
    must = sum(one.level is Level.MUST for one in found)
    lines = [f"{group}: {GROUPS[group]} ({must} MUST, {len(found) - must} SHOULD)"]
    lines += [f"  {one.id}  {one.level.value:<6}  {one.sentence}" for one in found]
    lines.append(f"judge:  pytest {_OPTIONS.get(group, '--session-manager')}=SPEC -m {group.lower()}")
    return "\n".join(lines)


def _requirement(one: Requirement) -> str:
    lines = [f"{one.id} ({one.level.value}): {one.sentence}"]
    lines.append(f"group:  {one.group}, {GROUPS[one.group]}")
    lines.append(f"since:  edition {one.since}")
    lines.append(f"source: {one.source_text}")
    lines += [need.missing for need in sorted(one.needs, key=lambda need: need.name)]
    lines.append(f"judge:  pytest {_OPTIONS.get(one.group, '--session-manager')}=SPEC -k {one.id}")
    return "\n".join(lines)


def _usage(text: str) -> int:
    print(f"session-conformance: {text}", file=sys.stderr)
    return USAGE_ERROR
