"""Which argument is taken for the one that says where data is kept, by its name: one that is not is never given one."""

from typing import Any

import pytest
from session_conformance.harness import BackendSpec
from strands.session import FileSessionManager


class Places(FileSessionManager):
    def __init__(self, session_id: str, aws_profile: str = "", db_path: str = "", key_prefix: str = "") -> None: ...


class Prefixed(FileSessionManager):
    def __init__(self, session_id: str, api_key: str = "", region_name: str = "", table_name: str = "") -> None: ...


class Elsewhere(FileSessionManager):
    def __init__(self, session_id: str, api_key: Any = None, aws_profile: str = "", model_name: str = "") -> None: ...


@pytest.mark.parametrize(
    ("manager", "place"),
    [(Places, ("db_path", "{workdir}/data")), (Prefixed, ("table_name", "{unique}")), (Elsewhere, None)],
)
def test_the_place_to_give(manager: type, place: tuple[str, str] | None) -> None:
    assert BackendSpec("mine", f"{__name__}:{manager.__name__}").place_to_give() == place
