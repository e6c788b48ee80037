"""Scripts: what shall happen in a conversation, step by step, and the history that results by the SDK's contract."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
