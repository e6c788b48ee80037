"""The bytes of a file, in pieces that its versions share: a change costs the pieces that it touches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

PIECE = 2**16
"""Bytes of a piece, but for the last one of a file."""


class _Piece:
    """Some bytes that never change, and their digest once somebody has asked for it."""

    __slots__ = ("_digest", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._digest: bytes | None = None

    @property
    def digest(self) -> bytes:
        if self._digest is None:
            self._digest = hashlib.sha256(self.data).digest()
        return self._digest


_ZEROS = _Piece(bytes(PIECE))
"""What every hole of a sparse file is made of."""


class FileBytes:
    """The bytes of a file at one moment. Nothing changes them: a change gives new ones.

    Args:
        data: The bytes.
    """

    __slots__ = ("_digest", "_pieces", "size")

    def __init__(self, data: bytes = b"") -> None:
        self.size = len(data)
        self._pieces: Sequence[_Piece] = [_Piece(data[at : at + PIECE]) for at in range(0, len(data), PIECE)]
        self._digest: str | None = None

    @classmethod
    def _of(cls, pieces: Sequence[_Piece], size: int) -> FileBytes:
        made = cls()
        made.size, made._pieces = size, pieces
        return made

    def __len__(self) -> int:
        return self.size

    def __bytes__(self) -> bytes:
        return b"".join(piece.data for piece in self._pieces)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bytes):
            return bytes(self) == other
        return isinstance(other, FileBytes) and (self is other or self.digest == other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"FileBytes({bytes(self)!r})"

    @property
    def digest(self) -> str:
        """A text that two files share only if their bytes are the same."""
        if self._digest is None:
            whole = hashlib.sha256(str(self.size).encode())
            for piece in self._pieces:
                whole.update(piece.digest)
            self._digest = whole.hexdigest()
        return self._digest

    def written(self, offset: int, data: bytes) -> FileBytes:
        """Return the bytes after a write; a gap before it is filled with NUL bytes."""
        grown = self.resized(max(self.size, offset + len(data)))
        pieces = list(grown._pieces)
        for number in range(offset // PIECE, -(-(offset + len(data)) // PIECE)):
            begin = number * PIECE
            before = pieces[number].data
            first, last = max(offset - begin, 0), min(offset + len(data) - begin, len(before))
            middle = data[begin + first - offset : begin + last - offset]
            pieces[number] = _Piece(before[:first] + middle + before[last:])
        return self._of(pieces, grown.size)

    def resized(self, size: int) -> FileBytes:
        """Return the bytes cut, or filled with NUL bytes, to a size."""
        if size == self.size:
            return self
        pieces = list(self._pieces[: -(-size // PIECE)])
        if size < self.size:
            if size % PIECE:
                pieces[-1] = _Piece(pieces[-1].data[: size % PIECE])
            return self._of(pieces, size)
        if pieces and len(pieces[-1].data) < PIECE:
            fits = min(PIECE, size - (len(pieces) - 1) * PIECE)
            pieces[-1] = _Piece(pieces[-1].data.ljust(fits, b"\0"))
        whole = size // PIECE
        pieces += [_ZEROS] * (whole - len(pieces))
        if size % PIECE and len(pieces) == whole:
            pieces.append(_Piece(bytes(size % PIECE)))
        return self._of(pieces, size)

    def between(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` up to ``end``, or to where they end."""
        first = start // PIECE
        found = b"".join(piece.data for piece in self._pieces[first : -(-end // PIECE)])
        return found[start - first * PIECE : end - first * PIECE]

    def changes_from(self, other: FileBytes | None) -> Iterator[tuple[int, bytes]]:
        """Yield where these bytes are not those of an earlier version, and what they are there.

        Args:
            other: The earlier version; None for a file that is empty. Where it ends, a file is filled with NUL bytes.
        """
        for number, piece in enumerate(self._pieces):
            if other is not None and number < len(other._pieces):
                before = other._pieces[number]
                if piece is before or (len(piece.data) == len(before.data) and piece.digest == before.digest):
                    continue
            elif piece is _ZEROS:
                continue
            yield number * PIECE, piece.data
