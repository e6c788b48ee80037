"""Real servers for backends that keep their data on one: started, given a place each, watched on the wire, and gone."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
