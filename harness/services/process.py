"""A server's process: started on a free port in a folder of its own, killed and started again on the same data."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ._guardian import LOG_FILE, PID_FILE
from .programs import EXTRA, NoService

START_LIMIT_S = 60.0
"""In seconds: a server that does not accept connections by then is not waited for any longer."""

_ATTEMPTS = 3
"""Another process may take a free port between its choice and the server's start."""

_IN_MEMORY = Path("/dev/shm")
_ENOUGH = 4 * 2**30
"""In bytes: what a place in memory must have free for servers' folders."""


class ServerProcess:
    """A server that this run started.

    Attributes:
        folder: Its own folder, gone when it is stopped.
        port: Where it listens, on loopback.
        user: Whom it runs as, or "" for this process's user.

    Args:
        what: What to call it in errors.
        user: Whom it shall run as where this process is root's.
        stop_signal: What ends it at once, and lets it remove what it has outside its folder.
    """

    def __init__(self, what: str, user: str = "", stop_signal: int = signal.SIGTERM) -> None:
        self._what = what
        self._stop_signal = stop_signal
        self.user = user if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
        self.folder = Path(tempfile.mkdtemp(prefix="session-conformance-server-", dir=_place()))
        self.port = 0
        self._command: list[str] = []
        self._executor: Any = None
        self._made_by = os.getpid()

    def give(self, *paths: Path) -> None:
        """Give folders and all that is in them to the server's user."""
        if self.user:
            import pwd  # which Windows has not

            owner = pwd.getpwnam(self.user)
            for path in paths:
                for each in (path, *path.rglob("*")):
                    os.chown(each, owner.pw_uid, owner.pw_gid, follow_symlinks=False)

    def start(self, command: Callable[[int], list[str]]) -> None:
        """Start it on a free port, and return when it accepts connections.

        Args:
            command: Given the port, returns its command line.

        Raises:
            NoService: It ended, or does not accept connections.
        """
        try:
            import port_for
        except ImportError as error:
            raise NoService(f"{self._what} cannot be started without {error.name}: {EXTRA}") from error
        for attempt in range(_ATTEMPTS):
            self.port = port_for.select_random()
            self._command = command(self.port)
            try:
                return self.start_again()
            except NoService:
                if attempt == _ATTEMPTS - 1 or "in use" not in self.last_words():
                    self.stop()
                    raise
        return None

    def start_again(self) -> None:
        """Start it on the same port and the same data.

        Raises:
            NoService: It ended, or does not accept connections.
        """
        try:
            from mirakuru import TCPExecutor
            from mirakuru.exceptions import ExecutorError, ProcessExitedWithError, TimeoutExpired
        except ImportError as error:
            raise NoService(f"{self._what} cannot be started without {error.name}: {EXTRA}") from error
        atexit.register(self.stop)  # after the library's own, which runs then later, and would kill the guardian
        guardian = [sys.executable, "-I", "-S", str(Path(__file__).with_name("_guardian.py"))]
        self._executor = TCPExecutor(
            [*guardian, str(self.folder), self.user, str(int(self._stop_signal)), *self._command],
            host="127.0.0.1",
            port=self.port,
            timeout=START_LIMIT_S,
            sleep=0.01,
            stdout=_NOWHERE,
            stderr=_NOWHERE,
        )
        try:
            self._executor.start()
        except ProcessExitedWithError as error:
            raise NoService(f"{self._what} ended as soon as it was started: {self.last_words()}") from error
        except TimeoutExpired as error:
            raise NoService(
                f"{self._what} accepted no connection for {START_LIMIT_S:g} s: {self.last_words()}"
            ) from error
        except ExecutorError as error:
            raise NoService(f"{self._what} cannot be started: {error}") from error

    def kill(self) -> None:
        """End it with ``SIGKILL``, as a crash would, and return when it is gone. Its data stays as it lies there."""
        pid = int((self.folder / PID_FILE).read_text())
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(pid, signal.SIGKILL)
        if self._executor.process is not None:
            self._executor.process.wait()
        self._executor.kill()  # lets go of the pipes

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self._executor is not None and bool(self._executor.running())

    @property
    def accepts_connections(self) -> bool:
        """Whether it runs, and whoever connects is let in. Where it has ended, its guardian may take some time."""
        if not self.is_running:
            return False
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), START_LIMIT_S):
            return True
        return False

    def stop(self) -> None:
        """End it, and remove its folder."""
        atexit.unregister(self.stop)
        if os.getpid() != self._made_by:
            return  # a fork of the run ends
        if self._executor is not None:
            self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        from mirakuru.exceptions import ExecutorError

        with contextlib.suppress(ExecutorError):  # it had ended by itself, with an error
            self._executor.stop()

    def last_words(self) -> str:
        """Return the end of what it logged, in one line."""
        log = self.folder / LOG_FILE
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        said = [line.strip() for line in lines if line.strip()]
        return " / ".join(said[-3:]) or "it said nothing"


_NOWHERE: Any = -3
"""``subprocess.DEVNULL``: what nobody reads would fill a pipe, and then the server would wait."""


def _place() -> Path | None:
    """Return where servers' folders lie: in memory where that is large, since each of their syncs is real elsewhere."""
    usable = _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ENOUGH
    return _IN_MEMORY if usable else None
