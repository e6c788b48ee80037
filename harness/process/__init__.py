"""The harness's own process: its clock, its time limits, and how it is kept from storing anything."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
