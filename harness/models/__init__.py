"""Scripted models and tools: real ones for the SDK, which play a script and record everything they are given."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
