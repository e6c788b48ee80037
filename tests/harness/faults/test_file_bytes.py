"""Bytes in pieces: each version is what the same operations make of plain bytes, and shares what it does not change."""

import random
import sys

from session_conformance.harness.faults._file_bytes import PIECE, FileBytes


def test_versions_are_what_plain_bytes_would_be() -> None:
    chance = random.Random(20261126)
    plain, pieces = b"", FileBytes()
    for _ in range(300):
        if chance.random() < 0.3:
            size = chance.choice([0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, chance.randrange(4 * PIECE)])
            plain, pieces = plain[:size].ljust(size, b"\0"), pieces.resized(size)
        else:
            offset, data = (
                chance.randrange(3 * PIECE),
                chance.randbytes(chance.choice([0, 1, 512, PIECE, 2 * PIECE + 7])),
            )
            if data:
                plain = plain.ljust(offset, b"\0")
                plain = plain[:offset] + data + plain[offset + len(data) :]
                pieces = pieces.written(offset, data)
        assert bytes(pieces) == plain
        assert len(pieces) == len(plain)
        assert pieces.digest == FileBytes(plain).digest
        start = chance.randrange(3 * PIECE)
        assert pieces.between(start, start + PIECE) == plain[start : start + PIECE]


def test_changes_lead_from_one_version_to_the_next() -> None:
    first = FileBytes(bytes(range(256)) * 1024)
    second = first.written(PIECE + 5, b"changed").resized(5 * PIECE + 3)
    made = bytearray(bytes(first).ljust(second.size, b"\0"))
    changes = list(second.changes_from(first))
    for at, data in changes:
        made[at : at + len(data)] = data
    assert bytes(made) == bytes(second)
    assert [at for at, _ in changes] == [PIECE, 5 * PIECE]  # what is filled with NUL bytes need not be written


def test_a_thousand_versions_of_a_large_file_share_their_pieces() -> None:
    versions = [FileBytes(bytes(200 * PIECE))]
    for number in range(1000):
        versions.append(versions[-1].written(number % 200 * PIECE, b"x"))
    distinct = {id(piece): piece for version in versions for piece in version._pieces}
    assert sum(sys.getsizeof(piece.data) for piece in distinct.values()) < 1202 * (PIECE + 100)
