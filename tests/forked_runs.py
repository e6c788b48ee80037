"""Runs of pytest inside of tests, forked from a process that has loaded what each of them would load first.

Most of what a short run costs is to load pytest, the SDK and the plugin, and there are hundreds of them. Whoever asks
what a run loads starts it otherwise, as ``python -m pytest``.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import runpy
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import pytest

_LOADS_ALL = "--session-manager=refused:spec"
"""A run that ends where it looks for this has loaded pytest, its plugins and this one's, each as pytest loads it."""

_LOOKED_AT_EARLY = ("PYTHON", "LC_", "LANG", "TZ")
"""How variables begin that the interpreter looks at when it starts. ``PYTHONPATH`` is carried over."""

_LENGTH = 8


class Server:
    """The process that runs are forked from. It is started when it is needed.

    Args:
        folder: An empty one, where it starts: what lay there would be loaded for every run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = dict(os.environ)
        self._ours: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def can_run(self, command: Sequence[str]) -> bool:
        """Whether a command is a run of pytest whose environment is the server's, but for what runs look at."""
        return (
            hasattr(os, "fork")
            and tuple(command[:2]) == (sys.executable, "-mpytest")
            and not any(argument.startswith("-n") for argument in command)  # pytest-xdist keeps the path of its import
            and "COVERAGE_PROCESS_CONFIG" not in os.environ  # which measures what a process does from its beginning on
            and _looked_at_early(os.environ) == _looked_at_early(self._environment)
        )

    def start(self, command: Sequence[str], stdout: TextIO, stderr: TextIO) -> Run:
        """Start a run, with no standard input, that finds the modules of this folder."""
        folder = str(Path.cwd())
        path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
        request = json.dumps(
            {
                "arguments": command[2:],
                "environment": {**os.environ, "PYTHONPATH": path},
                "folder": folder,
            }
        ).encode()
        with Path(os.devnull).open() as stdin:
            files = [one.fileno() for one in (stdin, stdout, stderr)]
            socket.send_fds(self._connection, [len(request).to_bytes(_LENGTH, "big")], files)
            self._connection.sendall(request)
        return Run(int(_received(self._connection)), self._connection)

    @property
    def _connection(self) -> socket.socket:
        if self._ours is None:
            self._ours, theirs = socket.socketpair()
            environment = {name: value for name, value in self._environment.items() if name != "PYTHONPATH"}
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment,
                cwd=self._folder,
            )
            theirs.close()
        return self._ours

    def close(self) -> None:
        """End it."""
        if self._ours is not None and self._process is not None:
            self._ours.close()
            self._process.wait()


class Run:
    """A run that goes on, as ``subprocess.Popen`` would tell of it.

    Attributes:
        pid: Its process's id.
        stdin: None, as of what was started without a pipe.
        returncode: Its exit code; None while nobody has waited for it.
    """

    stdin = None

    def __init__(self, pid: int, server: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = server

    def wait(self) -> int:
        """Wait for its end and return its exit code, or the number of the signal that ended it, negative."""
        if self.returncode is None:
            self._server.sendall((0).to_bytes(_LENGTH, "big"))
            self.returncode = int(_received(self._server))
        return self.returncode


def _looked_at_early(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in environment.items() if name.startswith(_LOOKED_AT_EARLY) and name != "PYTHONPATH"
    }


def _received(server: socket.socket) -> bytes:
    answer = server.recv(_LENGTH)
    if not answer:
        raise EOFError("the process that runs of pytest are forked from has ended")
    return answer


def _serve(server: socket.socket) -> None:
    with contextlib.redirect_stderr(io.StringIO()):
        assert pytest.main([_LOADS_ALL]) == pytest.ExitCode.USAGE_ERROR
    gc.collect()
    gc.freeze()
    assert threading.active_count() == 1, threading.enumerate()
    pid = 0
    while True:
        length, files, _, _ = socket.recv_fds(server, _LENGTH, 3)
        if not length:
            return
        if not files:
            server.sendall(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
            continue
        request = json.loads(server.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL))
        pid = os.fork()
        if not pid:
            server.close()
            _become(files, **request)
        for file in files:
            os.close(file)
        server.sendall(str(pid).encode())


def _become(files: list[int], arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """Become what ``python -mpytest`` with these arguments would be in that folder. It ends with ``SystemExit``."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:1] = [folder, *environment["PYTHONPATH"].split(os.pathsep)]  # in place of where this file lies
    sys.argv = ["pytest", *arguments]
    runpy.run_module("pytest", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
