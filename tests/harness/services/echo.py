"""A server for tests of the seam: answers each line with the same line, and remembers all that it was told."""

from __future__ import annotations

import socket
import socketserver
import threading
from typing import Any


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.told = threading.Condition()
        super().__init__(("127.0.0.1", 0), _Echo)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Echo(socketserver.StreamRequestHandler):
    server: Any

    def handle(self) -> None:
        try:
            for line in self.rfile:
                with self.server.told:
                    self.server.heard.append(line)
                    self.server.told.notify_all()
                self.wfile.write(line)
        except OSError:
            return  # the connection was cut


class Client:
    """A client that says lines and hears lines."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._lines = self.socket.makefile("rb")

    def say(self, line: bytes) -> None:
        self.socket.sendall(line + b"\n")

    def hear(self) -> bytes:
        return self._lines.readline().strip()

    def ask(self, line: bytes) -> bytes:
        self.say(line)
        return self.hear()

    def close(self) -> None:
        self._lines.close()
        self.socket.close()
