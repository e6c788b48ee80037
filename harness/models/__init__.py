"""Who says it: scripted models and tools, real for the SDK, that record all that they are given."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
