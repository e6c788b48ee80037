"""Objects of a session that somebody copied under another name, to keep them: they are nobody's session."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import S3SessionManager
from strands.session import S3SessionManager as SdkS3SessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import open_agent, text_message

from .memory_s3 import Bucket, ListingClient, Session


@pytest.mark.parametrize("damaged", [False, True])
def test_a_copy_is_told_of_and_nothing_is_removed_for_it(damaged: bool) -> None:
    """It says that it is the original: an old copy was cleaned up together with what the SDK's manager has of that."""
    bucket = Bucket()
    session: Any = Session(ListingClient(bucket))
    SdkS3SessionManager("zoë", "b", prefix="voice", boto_session=session)
    manager = S3SessionManager("zoë", "b", prefix="voice", boto_session=session)
    agent = open_agent(Path(), manager=manager)
    manager.append_message(text_message("old"), agent)
    [folder] = {key.split("/")[1] for key in bucket.objects} - {"session_zoë"}
    bucket.objects |= {
        key.replace(folder, "journal_kept"): stored for key, stored in bucket.objects.items() if folder in key
    }
    bucket.now += timedelta(days=99)
    manager.append_message(text_message("new"), agent)
    manager.close()
    before = dict(bucket.objects)

    assert [one.session_id for one in S3SessionManager.list_sessions("b", "voice", session)] == ["zoë"]
    assert [one.name for one in S3SessionManager.list_unreadable("b", "voice", session)] == ["journal_kept"]
    for dry_run in (True, False):
        done = S3SessionManager.clean_up(
            timedelta(days=30), "b", "voice", session, now=bucket.now, damaged=damaged, dry_run=dry_run
        )
        assert list(done) == []
        assert [(one.name, "it is a copy" in one.reason) for one in done.skipped] == [("journal_kept", True)]
    assert bucket.objects == before
    with pytest.raises(SessionException, match="what is stored there is session 'zoë'"):
        S3SessionManager("kept", "b", prefix="voice", boto_session=session)
