"""The journal format: what a crash leaves is told from damage, byte by byte and bit by bit."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_conformance.reference_impl.file.journal import BLOCK, TRAILER, Damage, capacity_for, reserve
from session_conformance.reference_impl.file.journal import new_journal as new_journal_of
from session_conformance.reference_impl.file.salvage import salvage
from session_conformance.reference_impl.file.scanning import json_array, scan
from session_conformance.reference_impl.file.torn import SECTOR, WITHDRAWN
from session_conformance.reference_impl.log.commit_lines import (
    END,
    are_whole,
    bodies_of,
    commit_label,
    commit_line,
    whole_commit,
)

LIFE = "5" * 32


def new_journal(bodies: list[bytes]) -> bytes:
    """Return a journal whose commits have ids."""
    return new_journal_of([(body, f"{number:024x}") for number, body in enumerate(bodies)], LIFE)[0]


BODIES = [b'[{"op":"session"}]', b'[{"op":"message","message":"a text with spaces"}]', b'[{"op":"update","x":1}]']
JOURNAL = new_journal(BODIES)
USED = scan(JOURNAL).end
HEADER = JOURNAL[: scan(JOURNAL).header.length]


def commits_of(data: bytes) -> list[bytes]:
    """Return the bodies of the commits in a journal."""
    found = scan(data)
    bodies = bodies_of(json_array(bytearray(data), found))
    assert found.number == len(bodies)
    return bodies


def next_line(data: bytes, body: bytes) -> bytes:
    """Return the line that is appended to a journal for a commit."""
    found = scan(data)
    return commit_line(found.number, body, found.before, f"{found.number:024x}")


def appended(data: bytes, line: bytes) -> bytes:
    """Return a journal with a line written at its end, as the file has it."""
    end = scan(data).end
    return data[:end] + line + data[end + len(line) :]


def test_a_journal_holds_its_commits() -> None:
    found = scan(JOURNAL)
    assert commits_of(JOURNAL) == BODIES
    assert (found.number, found.torn, found.capacity) == (3, 0, len(JOURNAL))
    assert len(JOURNAL) % BLOCK == 0


@settings(deadline=None)  # the load is not what is tested
@given(st.lists(st.text().map(lambda text: re.sub(r"[\0\n]", "", text).encode(errors="replace")), max_size=20))
def test_any_commits_come_back(bodies: list[bytes]) -> None:
    assert commits_of(new_journal(bodies)) == bodies


def test_a_file_cut_short_anywhere_is_damaged() -> None:
    for length in [*range(USED + 64), *range(len(JOURNAL) - 64, len(JOURNAL))]:
        with pytest.raises(Damage):
            scan(JOURNAL[:length])


def test_every_flipped_bit_of_the_used_part_is_damage() -> None:
    for position, bit in product(range(USED), range(8)):
        flipped = bytearray(JOURNAL)
        flipped[position] ^= 1 << bit
        with pytest.raises(Damage):
            scan(bytes(flipped))


def test_a_flipped_bit_of_the_reserved_part_is_damage_or_changes_nothing() -> None:
    for position in [*range(USED, USED + 40), *range(len(JOURNAL) - 40, len(JOURNAL))]:
        for bit in range(8):
            flipped = bytearray(JOURNAL)
            flipped[position] ^= 1 << bit
            try:
                assert commits_of(bytes(flipped)) == BODIES
            except Damage:
                continue


def test_a_commit_cut_at_any_byte_is_left_out() -> None:
    line = next_line(JOURNAL, b'[{"op":"message","message":"the last words"}]')
    for length in range(1, len(line)):
        torn = appended(JOURNAL, line[:length])
        assert commits_of(torn) == BODIES
        assert 0 < scan(torn).torn <= length
    assert scan(appended(JOURNAL, line)).number == 4


def test_sectors_that_were_not_written_are_left_out_in_any_combination() -> None:
    base = new_journal([*BODIES, b"[" + b'"x",' * 40 + b"1]"])
    line = next_line(base, b'["' + b"y" * (4 * SECTOR) + b'"]')
    start = scan(base).end
    whole = appended(base, line)
    assert scan(whole).number == 5
    sectors = range(start // SECTOR, (start + len(line)) // SECTOR + 1)
    for lost in product([False, True], repeat=len(sectors)):
        data = bytearray(whole)
        for sector, missing in zip(sectors, lost, strict=True):
            if missing:
                span = slice(sector * SECTOR, (sector + 1) * SECTOR)
                data[span] = base[span]
        assert scan(bytes(data)).number == (4 if any(lost) else 5)


def test_a_mark_that_was_written_in_part_is_no_damage() -> None:
    for cut in range(1, len(WITHDRAWN)):
        for at_border in (True, False):
            place = 4 * SECTOR - cut if at_border else 4 * SECTOR + 100
            base = new_journal([*BODIES, b'["' + b"x" * (place - USED - 69) + b'"]'])
            assert scan(base).end == place
            line = next_line(base, b'["' + b"y" * 1000 + b'"]')
            over_commit, over_mark = WITHDRAWN[:cut] + line[cut:], line[:cut] + WITHDRAWN[cut:]
            states = [over_mark]
            if cut > 1:
                states += [over_commit[: len(WITHDRAWN)], over_commit[:200]]
            if cut > 2 or (cut > 1 and at_border):
                states += [over_commit]
            if at_border:
                states += [over_mark + line[len(WITHDRAWN) :], bytes(cut) + WITHDRAWN[cut:]]
            for state in states:
                assert scan(appended(base, state)).torn == len(state), (cut, at_border)


def test_every_flipped_bit_of_the_last_commit_is_damage_and_no_torn_write() -> None:
    body = b'[{"text":"words with spaces, which are one bit away from NUL, and @ too"}]'
    whole = appended(JOURNAL, next_line(JOURNAL, body))
    for position, bit in product(range(USED, scan(whole).end), range(8)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << bit
        with pytest.raises(Damage):
            scan(bytes(flipped))


def test_a_file_that_was_growing_when_the_process_ended_is_whole() -> None:
    old, new = len(JOURNAL), len(JOURNAL) + 2 * BLOCK
    grown = JOURNAL + reserve(old, new)
    for length in [*range(old, old + 40), *range(new - 40, new)]:
        found = scan(grown[:length])
        assert commits_of(grown[:length]) == BODIES
        assert found.capacity == (new if length == new else old)
    without_old_trailer = bytearray(grown)
    without_old_trailer[old - len(TRAILER) : old] = bytes(len(TRAILER))
    assert scan(bytes(without_old_trailer)).capacity == new


def test_a_missing_or_doubled_commit_is_damage() -> None:
    lines = JOURNAL[len(HEADER) : USED].splitlines(keepends=True)
    for order in ([0, 2], [0, 1, 1, 2], [1, 0, 2], [0, 1, 2, 2]):
        content = HEADER + b"".join(lines[index] for index in order)
        with pytest.raises(Damage):
            scan(content + reserve(len(content), capacity_for(len(content))))


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe\xfd", b"\0" * BLOCK, TRAILER, HEADER])
def test_other_files_are_no_journals(data: bytes) -> None:
    with pytest.raises(Damage):
        scan(data)


def test_salvage_finds_what_is_whole_around_the_damage() -> None:
    lines = JOURNAL[len(HEADER) : USED].splitlines(keepends=True)
    data = bytearray(JOURNAL)
    data[len(HEADER) + len(lines[0]) + len(lines[1]) - 10] ^= 1
    found = salvage(bytes(data))
    assert [body for body, _ in found.commits] == [BODIES[0], BODIES[2]]
    assert len(found.lost) == 2
    assert [body for body, _ in salvage(JOURNAL).commits] == BODIES
    assert not salvage(JOURNAL).lost


def test_salvage_takes_a_doubled_commit_once_and_another_of_its_number_too() -> None:
    lines = JOURNAL[len(HEADER) : USED].splitlines(keepends=True)
    found = salvage(HEADER + b"".join([*lines, lines[1], commit_line(1, b'["other"]')]))
    assert [body for body, _ in found.commits] == [*BODIES, b'["other"]']
    assert found.lost == [f"commit 1 stands at byte {scan(JOURNAL).end} again"]


@pytest.mark.parametrize("hole", [b"\0" * 40, b"no line end", b"", b'"00000000 00000000 '])
def test_salvage_takes_a_commit_wherever_it_begins(hole: bytes) -> None:
    lines = JOURNAL[len(HEADER) : USED].splitlines(keepends=True)
    found = salvage(HEADER + lines[0] + hole + lines[2] + JOURNAL[USED:])
    assert [body for body, _ in found.commits] == [BODIES[0], BODIES[2]]
    assert found.lost


def test_salvage_takes_the_whole_changes_of_a_damaged_commit() -> None:
    parts = [b'{"n":%d,"text":"words"}' % number for number in range(4)]
    body = b"[" + b",".join(parts) + b"]"
    line = commit_line(0, body, label=commit_label("0" * 24, parts))
    for position in range(line.index(body) - 2, len(line)):
        damaged = bytearray(line)
        damaged[position] ^= 1
        found = salvage(HEADER + bytes(damaged))
        place = position - line.index(body)
        hit = [part for part in parts if 0 <= place - body.index(part) < len(part)]
        assert [body for body, _ in found.commits] == [b"[" + part + b"]" for part in parts if part not in hit]
        assert len(found.lost) >= len(hit)


def test_a_commit_that_does_not_follow_what_is_before_it_is_damage() -> None:
    with pytest.raises(Damage, match="checksum"):
        scan(appended(JOURNAL, commit_line(3, b"[]", scan(JOURNAL).before ^ 1)))


def test_lines_that_were_stored_apart_are_told_at_once_as_one_by_one() -> None:
    lines = [commit_line(number, body).removesuffix(END) for number, body in enumerate(BODIES, start=5)]
    assert are_whole(lines, 5)
    assert not are_whole(lines, 4)
    assert not are_whole([*lines, b""], 5)
    for position, bit in product(range(len(lines[1])), range(8)):
        flipped = bytearray(lines[1])
        flipped[position] ^= 1 << bit
        assert whole_commit(bytes(flipped) + END, 0) is None
        assert not are_whole([lines[0], bytes(flipped), lines[2]], 5)
