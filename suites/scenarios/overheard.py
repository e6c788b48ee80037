"""What can be overheard: what errors and logs say of how a manager reaches its server."""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from session_conformance.harness import NotApplicable, Session, violated
from session_conformance.harness.conversations import Appender, talk
from session_conformance.harness.process import clock


def expect_secrets_kept(session: Session) -> None:
    """Give a manager a password that no other text has, let it fail in all ways there are, and listen.

    Raises:
        Violation: An error, a warning or a log has the password.
        NotApplicable: The URL that it is given has none.
    """
    logins = {place: place.service.secret_login() for place in session.workspace.places}
    passwords = [login[1] for login in logins.values() if login is not None]
    if not passwords:
        raise NotApplicable("the address that it is given has no password")
    for place, login in logins.items():
        place.login = login
    with _listening() as heard:

        def trying(what: str, do: Callable[[], object]) -> None:
            try:
                do()
            except Exception as error:
                text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
                heard.append((f"an error that {what} raised", text))

        async def converse() -> None:
            agent = Appender(session.open())
            await agent.start()
            await agent.append(talk(0))
            with session.workspace.unreachable():
                try:
                    await agent.append(talk(1))
                finally:
                    await agent.stop()

        trying("a conversation whose server goes away", lambda: clock.run(converse()))
        trying("restoring", session.restore)
        with session.workspace.unreachable():
            trying("restoring without a server", session.restore)
    for where, text in heard:
        for line in text.splitlines():
            if any(password in line for password in passwords):
                shown = line.strip()
                for password in passwords:
                    shown = shown.replace(password, "<the password>")
                violated(
                    "the password that its server is reached with stands in no error and no log", f"{where}: {shown}"
                )


class _Listener(logging.Handler):
    def __init__(self, heard: list[tuple[str, str]]) -> None:
        super().__init__(logging.INFO)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        text = logging.Formatter().format(record)  # with the errors that it tells of
        self._heard.append((f"a log of {record.name}, {record.levelname.lower()}", text))


@contextmanager
def _listening() -> Iterator[list[tuple[str, str]]]:
    """Collect what is warned of, and what is logged at the levels that are on in production: info and above."""
    heard: list[tuple[str, str]] = []
    root, listener = logging.getLogger(), _Listener(heard)
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield heard
    finally:
        root.setLevel(level)
        root.removeHandler(listener)
    heard += [(f"a warning, {warning.category.__name__}", str(warning.message)) for warning in warned]


__all__ = ["expect_secrets_kept"]
