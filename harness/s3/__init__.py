"""S3 on the wire: an endpoint, and a proxy in front of it that counts requests and makes some of them fail."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
