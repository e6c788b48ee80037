"""Whole sessions at the console: what can be done to those that lie in a folder or a bucket, without a manager."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .exit_codes import USAGE_ERROR
from .place import Place, PlaceError, place_of
from .shown import shown
from .snapshots import Snapshots

if TYPE_CHECKING:
    from ..log.inspection import SessionInfo, Skipped

_EXIT_CODES = """\
PLACE is a folder (a manager's storage_dir) or s3://BUCKET/PREFIX.

exit codes:
  0  done, and nothing was found wrong
  1  a session is damaged or cannot be read, a message was not brought back, or something could not be removed,
     imported or exported
  2  the command was interrupted; what it had done by then is done
  4  the command cannot be carried out as it was given, and nothing was changed
"""

_NAMED = 3
"""How many places are named, at most, where more might be meant."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def run(arguments: Sequence[str]) -> int:
    """Run ``session-conformance sessions`` and return its exit code.

    Args:
        arguments: The words behind ``sessions``.
    """
    parser = _parser()
    try:
        given = parser.parse_args(arguments)
    except SystemExit as error:
        return USAGE_ERROR if error.code else 0
    from botocore.exceptions import BotoCoreError
    from strands.types.exceptions import SessionException

    try:
        done: int = given.does(place_of(given.place, given.endpoint_url), given)
    except (PlaceError, SessionException, ValueError, BotoCoreError) as error:
        _tell(str(error))
        return USAGE_ERROR
    return done


def _tell(text: str) -> None:
    """Print a line for people who look after sessions: it may name what others have made."""
    print(f"session-conformance: {shown(text)}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="session-conformance sessions",
        description="What lies in the place of a reference manager, session by session.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, does: Callable[[Place, Any], int], about: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=about, description=about)
        one.add_argument("place", metavar="PLACE", help="a folder, or s3://BUCKET/PREFIX")
        one.add_argument("--endpoint-url", help="the S3 endpoint, where it is not AWS's")
        one.add_argument("--json", action="store_true", help="print JSON, for programs")
        one.set_defaults(does=does)
        return one

    command("list", _list, "list the sessions, the most recently written first")
    show = command("show", _show, "print a session's conversations")
    show.add_argument("session", metavar="SESSION", help="the session's id")
    verify = command("verify", _verify, "read sessions and say whether they are whole; nothing is changed")
    verify.add_argument("session", metavar="SESSION", nargs="*", help="their ids; all of them by default")
    repair = command("repair", _repair, "bring back what is whole of a damaged session")
    repair.add_argument("session", metavar="SESSION", help="the session's id")
    repair.add_argument("--dry-run", action="store_true", help="say what is wrong, and change nothing")
    delete = command("delete", _delete, "remove sessions")
    delete.add_argument("session", metavar="SESSION", nargs="+", help="their ids")
    delete.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")
    clean_up = command("clean-up", _clean_up, "remove the sessions that were not written for some time")
    clean_up.add_argument("--older-than", type=_age, required=True, metavar="AGE", help="such as 30d, 12h or 2w")
    clean_up.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")
    take_in = command("import", _import, "import what the SDK's managers keep there; theirs stays as it is")
    take_in.add_argument("session", metavar="SESSION", nargs="*", help="their ids; all of them by default")
    take_in.add_argument("--dry-run", action="store_true", help="say what would be imported, and import nothing")
    hand_back = command("export", _export, "write sessions as the SDK's managers keep them, in place of theirs")
    hand_back.add_argument("session", metavar="SESSION", nargs="+", help="their ids; nobody may have them open")
    hand_back.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")
    for one in (take_in, hand_back):
        about = (
            "the snapshots of SnapshotSessionManager in this folder or s3://BUCKET/PREFIX, in place of what is in PLACE"
        )
        one.add_argument("--snapshots", metavar="STORAGE", help=about)
    return parser


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)([mhdw])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age: expected a number and m, h, d or w, such as 30d")
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except (OverflowError, ValueError):  # ValueError: more digits than Python reads
        raise argparse.ArgumentTypeError(f"{shown(text[:20])}... is older than anything can be") from None


def _list(place: Place, given: Any) -> int:
    found = place.list()
    if given.json:
        _print_json([_info(one) for one in found])
    for one in () if given.json else found:
        print(f"{one.updated_at:%Y-%m-%d %H:%M}  {one.size:>12,} bytes  {shown(one.session_id)}")
    if not given.json and not found:
        print(f"no sessions in {place}{_elsewhere(place)}")
    return 1 if _tell_of_unreadable(place) else 0


def _elsewhere(place: Place) -> str:
    """Return where sessions are that somebody may have meant who finds none in a place, in words."""
    if there := len(place.left_by_sdk()):
        return f"; the SDK's manager keeps {there} there, which 'sessions import {place}' imports"
    below = place.below()
    more = ", and others" if below[_NAMED:] else ""
    return f"; there are some in {', '.join(map(shown, below[:_NAMED]))}{more}" if below else ""


def _tell_of_unreadable(place: Place) -> bool:
    """Tell of what has a session's name and is none that can be listed; return whether there is anything."""
    unreadable = place.unreadable()
    for one in unreadable:
        _tell(f"{one.name}: {one.reason}")
    return bool(unreadable)


def _info(one: SessionInfo) -> dict[str, Any]:
    return {**asdict(one), "created_at": one.created_at.isoformat(), "updated_at": one.updated_at.isoformat()}


def _show(place: Place, given: Any) -> int:
    from .conversation import as_data, as_text

    history = place.history(given.session)
    if given.json:
        _print_json(as_data(history))
    else:
        print(as_text(history))
    return 0


def _verify(place: Place, given: Any) -> int:
    from strands.types.exceptions import SessionException

    ids = given.session or [one.session_id for one in place.list()]
    found, failed = [], 0
    for id in _with_progress(ids, "verified"):
        try:
            found.append(place.verify(id))
        except SessionException as error:
            if given.session:
                raise
            failed += 1  # of the others it says nothing
            _tell(f"{id} was not verified: {error}")
    if given.json:
        _print_json([asdict(one) for one in found])
    for one in () if given.json else found:
        print(f"{shown(one.session_id)}: {'whole' if one.ok else 'damaged'}, {one.commits} commits")
        for problem in one.problems:
            print(f"  {shown(problem)}")
    is_whole = all(one.ok for one in found) and not failed
    if not given.session and _tell_of_unreadable(place):
        return 1
    if not ids and not given.json:
        print(f"no sessions in {place}{_elsewhere(place)}")
    return 0 if is_whole else 1


def _repair(place: Place, given: Any) -> int:
    before = place.verify(given.session)
    if given.dry_run:
        if given.json:
            _print_json(asdict(before))
        else:
            print(f"{shown(given.session)}: {'whole, nothing to repair' if before.ok else 'damaged'}")
            for problem in before.problems:
                print(f"  {shown(problem)}")
        return 0 if before.ok else 1
    done = place.repair(given.session)
    if given.json:
        _print_json({**asdict(done), "damaged_file": str(done.damaged_file) if done.damaged_file else None})
    else:
        print(
            f"{shown(given.session)}: {done.kept} commits brought back"
            if not before.ok
            else f"{shown(given.session)}: whole"
        )
        for lost in done.lost:
            print(f"  lost: {shown(lost)}")
        if done.damaged_file:
            print(f"  the damaged journal was kept as {done.damaged_file}: remove it when you have looked at it")
    return 1 if done.lost else 0


def _delete(place: Place, given: Any) -> int:
    ids = list(dict.fromkeys(given.session))
    for id in ids:  # all of them are there before the first is removed
        if not place.has_anything_of(id):
            raise PlaceError(f"there is no session {id!r} in {place}")
    removed, failed = ids, 0
    if not given.dry_run:
        removed, failed = _removed(place, ids)
    _print_removed(removed, [], given)
    return 1 if failed else 0


def _removed(place: Place, ids: Sequence[str]) -> tuple[list[str], int]:
    """Remove sessions, and go on where it fails with one; return which were, and how often it failed."""
    from strands.types.exceptions import SessionException

    removed: list[str] = []
    for id in ids:
        try:
            place.delete(id)
        except SessionException as error:
            _tell(f"{id} was not removed: {error}")
        else:
            removed.append(id)
    return removed, len(ids) - len(removed)


def _clean_up(place: Place, given: Any) -> int:
    done = place.clean_up(given.older_than, dry_run=given.dry_run)
    _print_removed(done, done.skipped, given)
    return 1 if done.skipped else 0


def _import(place: Place, given: Any) -> int:
    source = _sdks(place, given)
    there = source.left_by_sdk()
    missing = [id for id in given.session if id not in there]
    if missing:
        raise PlaceError(f"the SDK's manager keeps no session {missing[0]!r} in {source}")
    ids = given.session or there
    if not ids and not given.json:
        print(f"nothing to import: the SDK's manager keeps no sessions in {source}")
    return _each(ids, "import", source.take_in, given)


def _export(place: Place, given: Any) -> int:
    for id in given.session:
        place.verify(id)  # all of them are there before the first is written
    return _each(given.session, "export", _sdks(place, given).hand_back, given)


def _sdks(place: Place, given: Any) -> Place | Snapshots:
    """Return where the SDK's manager keeps its sessions: in the same place, if not as snapshots in another."""
    return place if given.snapshots is None else Snapshots(place, given.snapshots, given.endpoint_url)


def _each(ids: Sequence[str], verb: str, do: Callable[[str], int | None], given: Any) -> int:
    """Do something with sessions, and go on where it fails with one: that is told, and the exit code says so."""
    from strands.types.exceptions import SessionException

    done: list[dict[str, Any]] = []
    failed = 0
    for id in ids if given.dry_run else _with_progress(ids, f"{verb}ed"):
        one: dict[str, Any] = {"session_id": id}
        try:
            messages = None if given.dry_run else do(id)
        except (SessionException, ValueError) as error:
            failed += 1
            one["error"] = str(error)
            _tell(f"{id} was not {verb}ed: {error}")
        else:
            one |= {"messages": messages} if messages is not None else {}
            if not given.json:
                what = f"would {verb}" if given.dry_run else f"{verb}ed"
                print(f"{what} {shown(id)}" + (f", {messages} messages" if messages is not None else ""))
        done.append(one)
    if given.json:
        _print_json({f"{verb}ed": done, "dry_run": given.dry_run})
    return 1 if failed else 0


def _print_removed(ids: Sequence[str], kept: Sequence[Skipped], given: Any) -> None:
    if given.json:
        _print_json({"removed": list(ids), "kept": [asdict(one) for one in kept], "dry_run": given.dry_run})
        return
    for id in ids:
        print(f"{'would remove' if given.dry_run else 'removed'} {shown(id)}")
    if not ids:
        print("nothing to remove")


def _print_json(data: Any) -> None:
    """Print JSON: as it is read by people, where the terminal can show that."""
    try:
        text = json.dumps(data, indent=1, ensure_ascii=False, default=str)
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=1, default=str)
    print(text)


def _with_progress(ids: Sequence[str], done: str) -> Sequence[str]:
    """Give ids one by one, and say on a terminal how far it is."""
    if not sys.stderr.isatty() or len(ids) < 20:
        return ids

    def told() -> Any:
        for number, id in enumerate(ids):
            print(f"\r{number} of {len(ids)} {done}", end="", file=sys.stderr, flush=True)
            yield id
        print(f"\r{len(ids)} of {len(ids)} {done}", file=sys.stderr)

    return told()  # type: ignore[no-any-return]
