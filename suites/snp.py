"""SNP: snapshots and the Storage API."""

from __future__ import annotations

from session_conformance.fixtures.suite import ConformanceSuite


class SnapshotsAndStorage(ConformanceSuite):
    """SNP: snapshots and the Storage API."""
