"""supabase-strands, with a server on loopback that speaks the part of PostgREST that the package asks for."""

import atexit
import json
import os
import ssl
import tempfile
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import certifi
from session_conformance.harness import Backend, Workspace
from supabase_strands import SupabaseSessionManager

KEYS = {
    "sessions": ("session_id",),
    "agents": ("session_id", "agent_id"),
    "messages": ("session_id", "agent_id", "message_id"),
}
"""The primary key of each table, as the package's documentation makes them; sessions own the rows below them."""

Row = dict[str, Any]


class Tables:
    """The rows of a project."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {name: [] for name in KEYS}
        self.lock = threading.Lock()

    def insert(self, table: str, row: Row) -> "list[Row] | None":
        """Insert a row; None where its key is taken."""
        if any(all(one[key] == row[key] for key in KEYS[table]) for one in self.rows[table]):
            return None
        self.rows[table].append(row)
        return [row]

    def delete(self, table: str, gone: list[Row]) -> None:
        """Delete rows, and those that a session owns with it."""
        self.rows[table] = [one for one in self.rows[table] if one not in gone]
        if table == "sessions":
            for session in gone:
                for other in ("agents", "messages"):
                    mine = [one for one in self.rows[other] if one["session_id"] == session["session_id"]]
                    self.delete(other, mine)


PROJECTS: dict[str, Tables] = {}


class PostgREST(BaseHTTPRequestHandler):
    """Answers for all projects; each has a path of its own, /PROJECT/rest/v1/TABLE."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the body is sent after the head, and would wait 40 ms for a receipt of that
    filters: ClassVar[tuple[str, ...]] = ("select", "order", "offset", "limit", "columns")

    def handle_one(self) -> None:
        """Carry out a request."""
        url = urlsplit(self.path)
        project, table = url.path.strip("/").split("/")[0], url.path.rsplit("/", 1)[-1]
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        size = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(size)
        if len(sent) < size:  # the client was killed while it sent: nothing of it is carried out
            self.close_connection = True
            return
        body = json.loads(sent or "null")
        tables = PROJECTS[project]
        wanted = {name: value.removeprefix("eq.") for name, value in query.items() if name not in self.filters}
        with tables.lock:
            found = [
                row for row in tables.rows[table] if all(str(row[name]) == value for name, value in wanted.items())
            ]
            if self.command == "GET":
                if "order" in query:
                    found.sort(key=lambda row: row[query["order"].partition(".")[0]])
                start = int(query.get("offset", 0))
                found = found[start : start + int(query["limit"])] if "limit" in query else found[start:]
            elif self.command == "POST":
                made = tables.insert(table, body)
                if made is None:
                    self.answer(409, {"code": "23505", "message": "duplicate key value", "details": "", "hint": ""})
                    return
                found = made
            elif self.command == "PATCH":
                for row in found:
                    row.update(body)
            else:
                tables.delete(table, found)
            text = json.dumps(found)
        self.answer(200, text)

    def answer(self, status: int, content: Any) -> None:
        """Send an answer."""
        data = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *values: Any) -> None:
        """Say nothing."""

    do_GET = do_POST = do_PATCH = do_DELETE = handle_one


def trust_one() -> None:
    """Have clients load one certificate. Each manager makes a client, which loads all that it trusts in 20 ms or more.

    The server speaks HTTP, so none of them is needed.
    """
    first = Path(certifi.where()).read_text(encoding="utf-8").partition(ssl.PEM_FOOTER)[0] + ssl.PEM_FOOTER
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    file = Path(folder.name) / "one.pem"
    file.write_text(first, encoding="utf-8")
    os.environ["SSL_CERT_FILE"] = str(file)


@cache
def address() -> str:
    """Return the server's address; it is started now, and ends with the process."""
    trust_one()
    server = ThreadingHTTPServer(("127.0.0.1", 0), PostgREST)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def open_session(session_id: str, workspace: Workspace) -> SupabaseSessionManager:
    """Open a session."""
    PROJECTS.setdefault(workspace.unique, Tables())
    return SupabaseSessionManager(session_id, f"{address()}/{workspace.unique}", "a.b.c")


SESSIONS = Backend(name="supabase-strands", open=open_session, in_process=True)
