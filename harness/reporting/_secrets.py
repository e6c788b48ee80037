"""Concealment: passwords that a backend was given do not stand in reports, which are posted and kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"

_IN_URL = re.compile(r"(?<=://)([^\s/:@'\"]*):[^\s/@'\"]+@")
_NAMES = re.compile(r"pass(word|wd|phrase)?$|secret|token|credential|api_?key|access_?key", re.IGNORECASE)
_SHORTEST = 6
"""Characters that a secret must have to be looked for in texts: shorter ones stand there by chance."""


def conceal(data: Any, arguments: Mapping[str, str]) -> Any:
    """Return plain data with ``***`` in place of secrets: passwords in URLs, and the values of telling arguments.

    Args:
        data: What JSON has.
        arguments: What backends were built with. The value of one that is called ``password``, ``secret``, ``token``,
            ``credential``, ``api_key`` or ``access_key``, or ends or begins so, is a secret.
    """
    secrets = {name: value for name, value in arguments.items() if _NAMES.search(name) and value}

    def shown(text: str) -> str:
        for name, value in secrets.items():
            text = text.replace(f"{name}={value}", f"{name}={HIDDEN}")
            if len(value) >= _SHORTEST:
                text = text.replace(value, HIDDEN)
        return _IN_URL.sub(rf"\1:{HIDDEN}@", text)

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return shown(value)
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, dict):
            return {
                key: HIDDEN if secrets.get(key) == item and item is not None else walk(item)
                for key, item in value.items()
            }
        return value

    return walk(data)
