"""Every name of the SDK that the harness uses: one set of names for two dialects of the SDK."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
