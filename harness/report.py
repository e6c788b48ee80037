"""The report of a run as JSON: every result, with the versions that it holds for."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .verdict import Verdict

SCHEMA = 1
"""The version of the report's layout. It grows when a reader of older reports would misread a new one."""


def report(verdicts: Sequence[Verdict], specs: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the report as JSON text.

    Its layout: ``schema`` (int), ``created`` (ISO 8601, UTC), ``versions`` (name to version), ``backends``: a list of
    objects with ``name``, ``kind``, ``target``, ``arguments``, ``capabilities``, ``conforms`` (bool), ``verdict`` (one
    line) and ``results``, each with the fields of :class:`~session_conformance.harness.verdict.Result`.

    Args:
        verdicts: What came of each backend.
        specs: By backend name, its ``kind``, ``target``, ``arguments`` and ``capabilities``.
    """
    return json.dumps(
        {
            "schema": SCHEMA,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "versions": versions(),
            "backends": [
                {
                    "name": verdict.backend,
                    **specs.get(verdict.backend, {}),
                    "conforms": verdict.conforms,
                    "verdict": verdict.sentence,
                    "results": [result.to_dict() for result in verdict.results],
                }
                for verdict in verdicts
            ],
        },
        indent=1,
        ensure_ascii=False,
    )


def versions() -> dict[str, str]:
    """Return the versions a verdict holds for: Python, the platform, the SDK, the harness."""
    found = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
    for name in ("strands-agents", "strands-session-conformance", "pytest", "hypothesis"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
