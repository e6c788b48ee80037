"""Sessions of botocore that share what was parsed of its data files."""

import boto3
import botocore.loaders
import pytest
from session_conformance.harness.s3 import REGION, data_files_kept, parse_data_files


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the files that botocore parses."""
    found: list[str] = []
    load = botocore.loaders.JSONFileLoader.load_file

    def load_file(self: botocore.loaders.JSONFileLoader, file_path: str) -> object:
        data = load(self, file_path)
        if data is not None:
            found.append(file_path)
        return data

    monkeypatch.setattr(botocore.loaders.JSONFileLoader, "load_file", load_file)
    return found


def new_client() -> object:
    return boto3.Session(region_name=REGION).client("s3")


def test_a_data_file_is_parsed_once(parsed: list[str]) -> None:
    with data_files_kept():
        new_client()
        parsed.clear()
        assert new_client() is not new_client()
    assert parsed == []


def test_afterwards_each_session_parses_its_own(parsed: list[str]) -> None:
    with data_files_kept():
        new_client()
    parsed.clear()
    new_client()
    assert parsed


def test_what_was_parsed_ahead_is_not_parsed_again(parsed: list[str]) -> None:
    parse_data_files()
    parsed.clear()
    with data_files_kept():
        new_client()
    assert parsed == []


def test_a_configuration_that_nobody_can_read_is_not_met_while_parsing_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    parse_data_files()
