"""Text that any page and any terminal can hold: control characters and lone surrogates are shown as their escapes."""

from __future__ import annotations

import unicodedata


def printable(text: str) -> str:
    """Return text with escapes in place of what cannot be shown. Line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(
        repr(character)[1:-1]
        if character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs")
        else character
        for character in text
    )
