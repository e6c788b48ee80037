"""The field: every backend of a catalogue judged in an environment of its own, and the pages that are built from it."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
