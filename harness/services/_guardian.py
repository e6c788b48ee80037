"""The guardian of a server: a process that ends the server, and takes its folder away, when the run is gone.

A run that is killed cannot stop what it started. So it starts this program, which starts the server, and keeps a pipe
to it. The system closes the pipe when the run ends, however it ends: then the guardian kills the server.

It is run as a file of its own, by an interpreter that loads nothing else, so that a server costs some milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading

TYPE_CHECKING = False  # typing would be loaded for a hint alone
if TYPE_CHECKING:
    from typing import Any

PID_FILE = "server.pid"
LOG_FILE = "server.log"

STOP_LIMIT_S = 5.0
"""In seconds: a server that has not ended by then is killed."""


def main(folder: str, user: str, stop_signal: int, command: list[str]) -> int:
    """Run a server until it ends, or until the run that asked for it does.

    Args:
        folder: The server's own folder, removed with the run.
        user: Whom the server runs as, or "" for the user of this process.
        stop_signal: What ends the server at once, and lets it remove what it has outside its folder.
        command: The server's command line.
    """
    as_user: dict[str, Any] = {"user": user, "group": _group_of(user), "extra_groups": []} if user else {}
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which then ends
    with open(os.path.join(folder, LOG_FILE), "ab") as log:  # noqa: PTH118, PTH123 - pathlib costs 10 ms
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True, **as_user
        )
    with open(os.path.join(folder, PID_FILE), "w") as file:  # noqa: PTH118, PTH123
        file.write(str(server.pid))
    awaited = {signal.SIGTERM, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)  # what the server does not inherit, so not before it is there
    threading.Thread(target=_tell_when_the_run_is_gone, daemon=True).start()
    while server.poll() is None:
        if signal.sigwait(awaited) == signal.SIGTERM:
            _end(server, stop_signal)
            shutil.rmtree(folder, ignore_errors=True)
            return 0
    _kill(server.pid)  # what it had started
    return 1 if server.returncode < 0 else server.returncode


def _tell_when_the_run_is_gone() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _end(server: subprocess.Popen[bytes], stop_signal: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(server.pid, stop_signal)
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(STOP_LIMIT_S)
    _kill(server.pid)
    server.wait()


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
