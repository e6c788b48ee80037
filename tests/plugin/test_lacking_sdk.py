"""What the installed SDK lacks is no violation, also where a check takes whatever is raised for the manager's."""

from pathlib import Path

import pytest
from session_conformance.fixtures.attribution import judge
from session_conformance.harness import Backend, NotApplicable, Violation, Workspace
from session_conformance.harness.sdk import SdkFeature, SdkLacks
from session_conformance.harness.timeline import Failed, Timeline
from session_conformance.harness.verdicts import violated

from tests.mutants.judge import CHECKS

LACKING = SdkLacks(SdkFeature.VOICE_FOR_ALL)


def refusing_voices(session_id: str, workspace: Workspace) -> object:
    raise LACKING


@pytest.mark.parametrize("id", ["LIF-09", "IDS-05", "CON-02", "SNP-03"])
def test_a_manager_whose_sdk_gives_it_no_voice_agents_violates_nothing(
    id: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    backend = Backend(name="it", open=refusing_voices)  # type: ignore[arg-type]

    def new_folder() -> Path:
        return tmp_path_factory.mktemp("it")

    with pytest.raises((NotApplicable, SdkLacks), match="lacks voice agents for every session manager"):
        judge(CHECKS[id], backend, request.config, new_folder, {"request": request})


def test_only_what_comes_of_it_is_excused() -> None:
    try:
        raise LACKING
    except SdkLacks:
        with pytest.raises(NotApplicable):
            violated("it opens", "it does not")
    with pytest.raises(Violation):
        violated("it opens", "it does not")
    timeline = Timeline()
    timeline.record(Failed.by("opening the session", RuntimeError("SdkLacks")))
    with pytest.raises(Violation):
        violated("it opens", "it does not", timeline)
