"""The conformance requirements, one module a group.

Each group's suite is a class to subclass in a test file; they are loaded when they are asked for::

    from session_conformance.suites import PersistenceBeforeHooks
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
