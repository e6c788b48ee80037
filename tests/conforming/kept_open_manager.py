"""A correct session manager of another design: files stay open in a process, and are known by their inodes.

So do engines (LMDB is one): what a process has open under one path it cannot open under another one.
"""

import os
from collections import OrderedDict
from pathlib import Path

from strands.types.exceptions import SessionException

from .chained_journal_manager import ChainedJournalManager

_MOST = 8
_open: OrderedDict[tuple[int, int], tuple[Path, int]] = OrderedDict()


class KeptOpenManager(ChainedJournalManager):
    """Keeps the journals open that it used last."""

    def read(self, path: Path) -> bytes | None:
        whole = super().read(path)
        if whole is not None:
            try:
                self._keep_open(path.resolve())
            except OSError as error:
                raise SessionException(f"session {self.session_id!r}: {path} cannot be opened: {error}") from error
        return whole

    def _keep_open(self, path: Path) -> None:
        found = path.stat()
        under, descriptor = _open.pop((found.st_dev, found.st_ino), (path, -1))
        if under != path:
            raise SessionException(f"session {self.session_id!r}: {path} is open already, as {under}")
        if descriptor < 0:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        _open[found.st_dev, found.st_ino] = (path, descriptor)
        while len(_open) > _MOST:
            os.close(_open.popitem(last=False)[1][1])
