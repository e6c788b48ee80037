"""What the field's commands report in one line."""

from __future__ import annotations


class FieldError(Exception):
    """The field cannot be read, judged or built as it was asked for. The text is one line that says what to do."""
