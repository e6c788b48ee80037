"""What is judged: a session manager, how it is opened, and the place that it is given."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
