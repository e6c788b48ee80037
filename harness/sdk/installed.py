"""What the installed SDK can do, found by looking at it."""

from __future__ import annotations

from collections.abc import Iterable

from . import bidi, names
from .features import SdkFeature, SdkLacks
from .release import SDK_VERSION, Dialect, dialect, numbers

_BY_RELEASE: dict[SdkFeature, tuple[int, ...]] = {
    SdkFeature.DIRECT_TOOL_CALLS: (1, 54),
    SdkFeature.RESTART_ERRORS: (1, 51),
    SdkFeature.CANCELLED_ANSWERS: (1, 51),
    SdkFeature.RESUMED_TEAMS: (1, 51),
}
"""The first releases with what no name shows."""


def _found() -> frozenset[SdkFeature]:
    release = numbers(SDK_VERSION)
    by_name = {
        SdkFeature.MESSAGE_UPDATES: names.MessageUpdatedEvent is not None,
        SdkFeature.TOOL_GROUPS: dialect() is Dialect.STABLE,
        SdkFeature.CANCELLING: dialect() is Dialect.STABLE,
        SdkFeature.SCHEDULED_RESTARTS: bidi.Restartable is not None,
        SdkFeature.RESTARTABLE_MODELS: bidi.Restartable is not None,
        SdkFeature.SNAPSHOTS: names.SnapshotSessionManager is not None,
        SdkFeature.VOICE_FOR_ALL: bidi.BidiMessageAddedEvent is names.MessageAddedEvent,
    }
    by_release = {feature: release >= first for feature, first in _BY_RELEASE.items()}
    return frozenset(feature for feature, found in {**by_name, **by_release}.items() if found)


FEATURES: frozenset[SdkFeature] = _found()
"""What the installed SDK can do."""


def missing_features(features: Iterable[SdkFeature]) -> list[SdkFeature]:
    """Return those of some features that the installed SDK lacks, in the order of their names."""
    return sorted(set(features) - FEATURES, key=lambda feature: feature.name)


def need(feature: SdkFeature) -> None:
    """Go on only where the installed SDK has a feature.

    Raises:
        SdkLacks: It has not.
    """
    if feature not in FEATURES:
        raise SdkLacks(feature)
