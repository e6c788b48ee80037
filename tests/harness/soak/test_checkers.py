"""The checkers of a soak: pure functions, asked with histories that were written by hand."""

import pytest
from session_conformance.harness.soak import FAILED, INVOKED, LIFE, OK, History, Record, anomalies


class Story:
    """Writes a history: each operation takes its turn on one clock, unless it is said when it begins and ends."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.now = 0
        self.index = 0

    def does(
        self, operation: str, token: str = "", *, life: int = 1, session: str = "s", answer: str = OK, **said: object
    ) -> "Story":
        self.index += 1
        self.records.append(Record(self.tick(), life, INVOKED, self.index, operation, session, token))
        if answer:
            given = {"found": (), "error": "", "clear": False, "faulty": False, **said}
            self.records.append(Record(self.tick(), life, answer, self.index, operation, session, token, **given))  # type: ignore[arg-type]
        return self

    def dies(self, life: int = 1) -> "Story":
        self.records.append(Record(self.tick(), life, LIFE, -1, "was killed", "s"))
        return self

    def reads(self, *found: str, life: int = 9, session: str = "s") -> "Story":
        return self.does("read", life=life, session=session, found=found)

    def tick(self) -> int:
        self.now += 1
        return self.now

    def kinds(self, **how: bool) -> list[str]:
        return [one.kind for one in anomalies(History.of(self.records), **how)]


def test_what_was_acknowledged_and_is_read_is_right() -> None:
    assert Story().does("append", "a").does("append", "b").reads("a", "b").kinds() == []


def test_an_acknowledged_message_that_is_not_read_is_lost_and_told_once() -> None:
    story = Story().does("append", "a").does("append", "b").reads("b").reads("b")
    assert story.kinds() == ["lost"]
    [lost] = anomalies(History.of(story.records))
    assert [record.operation for record in lost.stretch] == ["append", "append", "read", "read"]
    assert "a was acknowledged and is not there" in str(lost)


@pytest.mark.parametrize("answer", ["", FAILED])
def test_a_message_that_was_not_acknowledged_may_be_there_or_not(answer: str) -> None:
    assert Story().does("append", "a", answer=answer).dies().reads().kinds() == []
    assert Story().does("append", "a", answer=answer).dies().reads("a").kinds() == []


def test_a_message_that_is_there_twice_is_doubled() -> None:
    assert Story().does("append", "a").reads("a", "a").kinds() == ["doubled"]


def test_a_message_of_another_session_or_of_nobody_is_mixed_up() -> None:
    assert Story().does("append", "a", session="other").reads("a").reads("a", session="other").kinds() == ["mixed up"]
    assert Story().does("append", "a").reads("a", "z").kinds() == ["mixed up"]


def test_messages_of_one_agent_keep_their_order() -> None:
    assert Story().does("append", "a").does("append", "b").reads("b", "a").kinds() == ["out of order"]
    assert Story().does("append", "a", life=1).does("append", "b", life=2).reads("b", "a").kinds() == []


def test_what_was_stored_before_a_deletion_is_gone_after_it() -> None:
    assert Story().does("append", "a").does("delete", life=2).reads().kinds() == []
    assert Story().does("append", "a").does("delete", life=2).reads("a").kinds() == ["leaked after a deletion"]


def test_what_an_old_agent_is_told_is_stored_after_a_deletion_is_there() -> None:
    assert Story().does("append", "a").does("delete", life=2).does("append", "b").reads().kinds() == ["lost"]


def test_a_deletion_that_was_killed_may_have_removed_something_or_nothing() -> None:
    for found in ((), ("a",)):
        story = Story().does("append", "a").does("delete", life=2, answer="").dies(2).reads(*found)
        assert story.kinds() == []


def test_a_clean_up_may_remove_and_may_keep() -> None:
    for found in ((), ("a",)):
        assert Story().does("append", "a").does("clean_up", life=2).reads(*found).kinds() == []


def test_a_redacted_message_is_not_read_again() -> None:
    assert Story().does("append", "a").does("redact", "a").reads().kinds() == []
    assert Story().does("append", "a").does("redact", "a").reads("a").kinds() == ["leaked after a redaction"]
    assert Story().does("append", "a").does("redact", "a", answer="").dies().reads("a").kinds() == []


def test_a_session_that_cannot_be_read_is_damaged() -> None:
    broken = {"answer": FAILED, "error": "SessionException: damaged"}
    assert Story().does("append", "a").does("read", life=2, **broken).kinds() == ["damaged"]  # type: ignore[arg-type]
    assert Story().does("read", life=2, **broken, faulty=True).kinds() == []  # type: ignore[arg-type]


def test_a_backend_for_one_process_at_a_time_may_refuse_others_while_one_is_at_work() -> None:
    refused = {"answer": FAILED, "error": "SessionException: in use", "clear": True}
    story = Story()
    story.records.append(Record(story.tick(), 1, INVOKED, 0, "append", "s", "a"))
    story.does("open", life=2, **refused)  # type: ignore[arg-type]
    story.records.append(Record(story.tick(), 1, OK, 0, "append", "s", "a"))
    assert story.kinds(may_refuse=True) == []
    assert story.kinds() == ["damaged"]
    story.does("open", life=3, **refused)  # type: ignore[arg-type]
    assert story.kinds(may_refuse=True) == ["damaged"]


def test_a_process_that_does_not_end_is_told_of() -> None:
    assert anomalies(History([Record(1, 4, LIFE, -1, "hung", "s")]))[0].what == "life 4 did not end"


def test_a_history_is_written_and_read_line_by_line() -> None:
    story = Story().does("append", "a").reads("a", "b")
    lines = [record.to_json() for record in story.records]
    assert History.from_lines(lines).records == story.records
