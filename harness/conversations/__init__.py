"""How a script is played: with a real agent of the SDK, watched by readers, in this process or in others."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
