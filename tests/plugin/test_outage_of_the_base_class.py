"""NET-04 and NET-13 of a manager built on the SDK's class: what that class violates over any store is not its own."""

import pytest
from session_conformance.fixtures.attribution import of_manager_over, plain_backend
from session_conformance.harness.backends import Interface
from session_conformance.suites import StorageBehindANetwork
from session_conformance.suites.catalog import all_requirements


def test_hooks_that_hear_of_what_is_not_stored_are_the_base_classs_doing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    requirement = next(one for one in all_requirements() if one.id == "NET-04")
    plain = plain_backend(Interface.REPOSITORY)
    assert plain is not None
    check = getattr(StorageBehindANetwork(), "NET-04")
    found = of_manager_over(plain, requirement, check, request.config, lambda: tmp_path_factory.mktemp("plain"), None)
    assert found is not None
    assert found.expected == "no hook is told of a message that was not stored"


def test_what_a_kill_loses_after_hooks_have_heard_of_it_is_the_base_classs_doing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    requirement = next(one for one in all_requirements() if one.id == "NET-13")
    plain = plain_backend(Interface.REPOSITORY)
    assert plain is not None
    check = getattr(StorageBehindANetwork(), "NET-13")
    found = of_manager_over(plain, requirement, check, request.config, lambda: tmp_path_factory.mktemp("plain"), None)
    assert found is not None
    assert "is stored before any hook on message_added runs" in found.expected
