"""A store's own markup: what it writes for bytes, found in what it stores, and given to it as content."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from session_conformance.harness import Script, Session, play

_BYTES = b"\x00\xffof an image that nobody else has\xfe\x01"
"""Their number is a multiple of three: encoded in base64 they have no padding."""

_FORMS = tuple(
    form.decode()
    for form in (
        base64.b64encode(_BYTES),
        base64.urlsafe_b64encode(_BYTES),
        _BYTES.hex().encode(),
        base64.b85encode(_BYTES),
    )
)

_MOST = 4
"""So many values are tried at most: a store has one markup of bytes, in few places."""


def own_markup(session: Session) -> list[Any]:
    """Return the texts and objects that stand for bytes in what is stored, as far as that is JSON; mostly none or two.

    Args:
        session: A new session. An image is said in it.
    """
    image = {"image": {"format": "png", "source": {"bytes": _BYTES}}}
    said = {"role": "user", "content": [image], "tracking_id": "00000000-0000-4000-8000-00000000000a"}
    play(session, Script().starts().adds(said).stops(), observing=False)
    found: list[Any] = []
    for data in session.workspace.stored().values():
        for value in _values_in(data.decode("utf-8", "replace")):
            for markup in _standing_for_bytes(value, None):
                if markup not in found:
                    found.append(markup)
    return found[:_MOST]


def _values_in(text: str) -> Iterator[Any]:
    """Yield each JSON object and array that a text has, whatever stands between them."""
    decoder, at = json.JSONDecoder(), 0
    while any(form in text[at:] for form in _FORMS):
        starts = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
        if not starts:
            return
        try:
            value, at = decoder.raw_decode(text, min(starts))
        except (ValueError, RecursionError):
            at = min(starts) + 1
        else:
            yield value


def _standing_for_bytes(value: Any, parent: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _standing_for_bytes(one, value)
    elif isinstance(value, list):
        for one in value:
            yield from _standing_for_bytes(one, value)
    elif isinstance(value, str) and any(form in value for form in _FORMS):
        inner = [markup for one in _values_in(value) for markup in _standing_for_bytes(one, None)]
        if inner:  # JSON in a text
            yield from inner
        else:
            yield value
            if parent is not None:
                yield parent


__all__ = ["own_markup"]
