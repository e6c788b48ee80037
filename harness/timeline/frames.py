"""Frames: where in a backend author's own code an exception was raised, as lines that editors lead to."""

from __future__ import annotations

import sysconfig
import traceback
from importlib.util import find_spec
from pathlib import Path

MOST = 6
"""Frames that are shown of an exception: those nearest to where it was raised."""

_kept: dict[tuple[str, str], BaseException] | None = None


def frames_of(error: BaseException) -> list[str]:
    """Return an exception's frames from the first to the last that is neither ours, the SDK's nor Python's own.

    There are none where it went through nothing else.

    A frame is the line that Python prints of it, and the line of code below. Those of the exception that it was raised
    from are told behind it.
    """
    found = _own(error)
    cause = error.__cause__
    if cause is not None and (raised_from := _own(cause)):
        found += [f"raised from {type(cause).__name__}: {cause}", *raised_from]
    return found


def _own(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    own = [at for at, frame in enumerate(frames) if not _is_foreign(frame.filename)]
    if not own:
        return []
    shown = []
    for frame in frames[own[0] : own[-1] + 1][-MOST:]:
        shown.append(f'File "{frame.filename}", line {frame.lineno}, in {frame.name}')
        if frame.line:
            shown.append(f"    {frame.line}")
    return shown


def _is_foreign(file: str) -> bool:
    if file.startswith("<"):
        return True
    path = Path(file)
    if any(folder in path.parents for folder in _FOREIGN):
        return True
    return _PYTHON in path.parents and not {"site-packages", "dist-packages"} & set(path.parts)


def _foreign() -> tuple[Path, ...]:
    here = Path(__file__).parents[1]
    ours = [here, here.parent / "fixtures", here.parent / "suites"]
    others = [find_spec(name) for name in ("strands", "pytest", "_pytest", "pluggy", "pytest_asyncio")]
    return (*ours, *(Path(spec.origin).parent for spec in others if spec is not None and spec.origin))


# Looked for when this is loaded: what is told of may have been raised where no file can be opened.
_FOREIGN = _foreign()
_PYTHON = Path(sysconfig.get_path("stdlib"))


def keep_raised() -> None:
    """Keep the exceptions that are recorded from now on, for a debugger: with their frames, all that those refer to."""
    global _kept
    _kept = {}


def kept(kind: str, text: str) -> BaseException | None:
    """Return the exception of a type and a text that was recorded last, where exceptions are kept."""
    return (_kept or {}).get((kind, text))


def keep(error: BaseException) -> None:
    """Keep an exception that is recorded, where exceptions are kept."""
    if _kept is not None:
        _kept[type(error).__name__, str(error)] = error
