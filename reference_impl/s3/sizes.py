"""How long runs of commits and segments are, and how much of them is kept in memory."""

from __future__ import annotations

RUN = 16
"""How many commits, at most, an object repeats and adds to."""

RUN_BYTES = 8 * 1024
"""How many bytes, at most, it repeats: large changes, as those of a state are, would fill storage with copies."""

SEGMENT = 256
"""After how many commits a segment is written."""

MERGE = 4
"""How many segments make the next larger one."""

SEGMENT_BYTES = 64 * 1024 * 1024
"""Segments that would be larger are not merged."""

REMEMBERED = 4 * 1024 * 1024
"""How many bytes of the latest lines are kept for the next segment."""
