"""An object in whose place another message's lies: a store of one object a message is told where it takes it."""

from pathlib import Path

from session_conformance.harness import BackendSpec, Script, Session, Workspace, expect_no_failure, play
from session_conformance.harness.faults import Contents, Misplaced, misplace_objects

TALK = Script().user("The first message").assistant("Another message").user("The third message")


def misplaced(target: str, folder: Path) -> list[Misplaced]:
    session = Session(BackendSpec("one", target).resolve(), Workspace(folder))
    expect_no_failure(play(session, TALK, observing=False))
    stored = [path for path, data in session.workspace.stored_files().items() if data]
    return list(misplace_objects(session, Contents.of_folder(folder), stored, []))


def test_a_store_that_believes_the_names_of_its_files_is_told(tmp_path: Path) -> None:
    cases = misplaced("strands.session:FileSessionManager", tmp_path)
    taken = [case for case in cases if "message_0" in case.object and "message_1" in case.by]
    assert taken
    assert all(case.whose == "the same session's" and "message 0 is" in str(case.problem) for case in taken)
