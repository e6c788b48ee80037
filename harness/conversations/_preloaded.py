"""What new processes would load first, loaded once, in the server that they are forked from. It knows no backend.

Their collector of garbage leaves alone what was there before the fork, as Python's documentation of ``gc.freeze``
advises: to go through it would copy the memory that they share.
"""

from __future__ import annotations

import gc

from ..s3 import parse_data_files
from . import fresh_process, playing, team, text

__all__ = ["fresh_process", "playing", "team", "text"]

parse_data_files()
gc.collect()
gc.freeze()
