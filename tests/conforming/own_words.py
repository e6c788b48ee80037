"""A correct session manager with locks and exceptions of its own, each derived from one that the contract names."""

import re
from pathlib import Path
from typing import IO, Any

from strands.types.exceptions import SessionException

from .locking_manager import LockingManager


class CannotNameASession(ValueError):
    """An id that this manager has no place for: it takes few characters, and says so."""


class InUse(SessionException):
    """Somebody else has the session."""


class Conflict(SessionException):
    """Somebody else has written."""


class Damaged(SessionException):
    """What is stored is not what was written."""


class OwnWordsManager(LockingManager):
    """Refuses in its own words what others refuse with ``ValueError`` and ``SessionException``."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        if not re.fullmatch(r"[\w.@-]{1,100}", session_id, re.ASCII) or session_id in (".", ".."):
            raise CannotNameASession(
                f"{session_id!r} cannot name a session: letters, digits, '_', '.', '@' and '-' can"
            )
        super().__init__(session_id, storage_dir)

    def _locked(self) -> IO[bytes]:
        try:
            return super()._locked()
        except SessionException as error:
            raise InUse(str(error)) from error

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        try:
            super().check_nobody_else_wrote(path, agent_id)
        except SessionException as error:
            raise Conflict(str(error)) from error

    def load(self, agent: Any) -> bytes | None:
        try:
            return super().load(agent)
        except SessionException as error:
            raise Damaged(str(error)) from error
