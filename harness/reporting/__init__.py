"""Reports of verdicts: for people at a terminal, for programs as JSON, and as pages."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
