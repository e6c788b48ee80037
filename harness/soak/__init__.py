"""Real processes that talk, are killed and denied their storage, and what their history says was lost or leaked."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
