"""Two dialects under one set of names: what is told apart, and what an SDK that lacks something is asked."""

import pickle
from types import SimpleNamespace

import pytest
from session_conformance.harness import sdk
from session_conformance.harness.sdk import (
    FEATURES,
    SDK_VERSION,
    Dialect,
    SdkFeature,
    SdkLacks,
    dialect,
    missing_features,
)
from session_conformance.harness.sdk.release import numbers


def test_every_name_is_there_in_either_dialect() -> None:
    for name in sdk.__all__:
        getattr(sdk, name)


def test_the_dialect_is_that_of_the_release() -> None:
    assert (dialect() is Dialect.STABLE) == (numbers(SDK_VERSION) >= (1, 57, 2))


def test_a_voice_agent_is_stored_as_the_sdk_of_its_time_has_it_stored() -> None:
    called: list[str] = []
    manager = SimpleNamespace(
        sync_agent=lambda agent: called.append("sync_agent"),
        sync_bidi_agent=lambda agent: called.append("sync_bidi_agent"),
    )
    sdk.sync_voice_agent(manager, agent=None)
    assert called == ["sync_agent" if dialect() is Dialect.STABLE else "sync_bidi_agent"]


def test_a_release_of_today_lacks_nothing() -> None:
    if numbers(SDK_VERSION) >= (1, 57, 2):
        assert frozenset(SdkFeature) == FEATURES


@pytest.mark.parametrize("feature", SdkFeature, ids=lambda feature: feature.name)
def test_what_is_lacking_is_said_with_the_release(feature: SdkFeature) -> None:
    assert feature.missing.startswith(f"strands-agents {SDK_VERSION} lacks ")
    assert missing_features([feature]) == ([] if feature in FEATURES else [feature])


def test_what_is_lacking_reaches_other_processes() -> None:
    error = pickle.loads(pickle.dumps(SdkLacks(SdkFeature.CANCELLING)))
    assert error.feature is SdkFeature.CANCELLING
    assert str(error) == SdkFeature.CANCELLING.missing


@pytest.mark.parametrize(
    ("release", "found"),
    [("1.48.0", (1, 48, 0)), ("1.57.2.dev3", (1, 57, 2)), ("1.58rc1", (1, 58)), ("none", ()), ("", ())],
)
def test_a_release_is_read_as_numbers(release: str, found: tuple[int, ...]) -> None:
    assert numbers(release) == found
