"""A correct session manager of another design: a journal of lines that are chained by their digests, and nothing else.

A last line without its end is what a kill within a write leaves. It is dropped, and the next line takes its place.
"""

import base64
import hashlib
import os
from pathlib import Path

from strands.types.exceptions import SessionException

from .snapshot_manager import SnapshotFileManager

LENGTH = 8
"""So many digits say how long a line is, ahead of it."""


class ChainedJournalManager(SnapshotFileManager):
    """Appends each snapshot to the ones before it."""

    list_sessions = None  # type: ignore[assignment]

    def read(self, path: Path) -> bytes | None:
        whole = super().read(path) or b""
        digest, data = "", None
        for line in self._lines(whole, path):
            said, _, encoded = line.partition(b" ")
            try:
                data = base64.b64decode(encoded, validate=True)
            except ValueError:
                data = b""
            digest = hashlib.sha256(digest.encode() + data).hexdigest()
            if digest.encode() != said:
                raise SessionException(f"session {self.session_id!r}: {path} is damaged: a line is not what it was")
        return None if data is None else self.seal(data)

    def _lines(self, whole: bytes, path: Path) -> list[bytes]:
        """Return the lines without their lengths. What is left of a last one must be the beginning of one."""
        *lines, rest = whole.split(b"\n")
        begun = rest[:LENGTH]
        if (begun and not begun.isdigit()) or (len(begun) == LENGTH and len(rest) > int(begun)):
            raise SessionException(f"session {self.session_id!r}: {path} is damaged: its end is no part of a line")
        return [line[LENGTH:] for line in lines]

    def write(self, path: Path, data: bytes) -> None:
        whole = super().read(path) or b""
        lines = self._lines(whole, path)
        before = lines[-1].partition(b" ")[0] if lines else b""
        content = self.unseal(data)
        line = b" ".join([hashlib.sha256(before + content).hexdigest().encode(), base64.b64encode(content)])
        line = b"%0*d%b" % (LENGTH, LENGTH + len(line), line)
        is_new = not path.exists()
        with path.open("r+b" if not is_new else "wb") as file:
            file.seek(sum(LENGTH + len(one) + 1 for one in lines))
            file.truncate()
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            self.sync_folder(path.parent)
