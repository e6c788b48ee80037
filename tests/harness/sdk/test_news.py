"""What a later SDK has and the suites do not know is tolerated, and counted in the report and in the terminal."""

import pytest
import strands.hooks
from session_conformance.fixtures._reports import beyond_the_suites
from session_conformance.harness.reporting import Report, report_of
from session_conformance.harness.sdk import SDK_VERSION, bidi, new_in_sdk
from session_conformance.harness.sdk.release import numbers
from strands.types.content import ContentBlock


@pytest.mark.skipif(numbers(SDK_VERSION) >= (1, 63), reason="the suites know what there is up to 1.62")
def test_they_know_all_that_the_supported_releases_have() -> None:
    assert new_in_sdk() == ()
    assert list(beyond_the_suites(())) == []
    assert not [name for name in report_of([], {}, new_in_sdk=()).versions if "new" in name]


def test_what_they_do_not_know_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    class HologramAddedEvent(strands.hooks.HookEvent):
        pass

    before = set(new_in_sdk())
    monkeypatch.setattr(strands.hooks, "HologramAddedEvent", HologramAddedEvent, raising=False)
    monkeypatch.setitem(ContentBlock.__annotations__, "hologram", dict)
    monkeypatch.setattr(bidi, "OUTPUT_EVENTS", (*bidi.OUTPUT_EVENTS, "BidiHologramEvent"))
    new = ("hook HologramAddedEvent", "block hologram", "event BidiHologramEvent")
    assert set(new_in_sdk()) - before == set(new)
    report = Report.from_json(report_of([], {}, new_in_sdk=new).to_json())
    assert report.versions["new in the SDK, not judged"] == f"3 ({', '.join(new)})"
    [line] = beyond_the_suites(new)
    assert f"has 3 parts that these suites do not know ({', '.join(new)})" in line
