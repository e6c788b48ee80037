"""How storage is broken: damaged objects, crashes, system calls that fail, storage that is slow."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
