"""Reports that no run has written: everything that a report can hold, and benchmarks with invented numbers."""

from dataclasses import dataclass, replace
from typing import Any

from session_conformance.harness import Reading, Result, Timeline, Verdict
from session_conformance.harness.reporting import BackendReport, Package, Report
from session_conformance.harness.timeline import (
    Failed,
    HookCalled,
    ModelEmitted,
    ModelReceived,
    ModelStarted,
    ProcessStarted,
    ToolRan,
    UserSent,
    excerpt,
)
from session_conformance.harness.verdicts import Growth, Matrix, Measure

NASTY = "<script>alert('x')</script> & \"quotes\" | pipe ``` fence </details> @everybody #12 \x00\x1b[31m \ud800 漢字🙂"
"""What a manager may be tried with, and what may therefore stand in any text of a report."""


@dataclass(frozen=True)
class Declared(Result):
    """A result with the reason for which its violation is declared as known."""

    known: str = ""


def result(backend: str, id: str, outcome: str = "met", **more: Any) -> Result:
    kind = Declared if "known" in more else Result
    sentence = f"What {id} asks for is so."
    command = f"pytest --session-manager={backend} -k {id}"
    level = more.pop("level", "MUST")
    return kind(backend, id, level, outcome, sentence, "the field's practice: tests", command=command, **more)


def timeline() -> Timeline:
    """A conversation with every lifeline, in which what the tool said is told of before it is stored."""
    stored: Any = Reading(messages=[{"role": "user", "content": [{"text": "Hello"}]}])
    message: Any = {"role": "user", "content": [{"text": "Sunny " * 60}], "tracking_id": "0123456789"}
    return Timeline(
        [
            ProcessStarted(number=1),
            ModelStarted(connection=1),
            UserSent(content="Hello"),
            ModelReceived(connection=1, content=[{"text": "Hello"}], stored=stored),
            ModelEmitted(connection=1, type="tool_use"),
            ToolRan(name="weather", tool_use_id="w-1"),
            ToolRan(name="weather", tool_use_id="w-1", what="ends"),
            HookCalled(event="message_added", position="early", message=message, stored=stored),
            Failed(where="agent.send()", type="OSError", error=NASTY),
        ]
    )


def benchmarks(factor: float, slope: float) -> list[Measure]:
    """Numbers of a backend whose appends cost ``factor`` floors, and grow with the history by ``slope``."""
    found = []
    for size in (0, 100, 1_000, 10_000):
        floor = 0.0008
        median = floor * factor * (1 + slope * size)
        found.append(
            Measure(
                "append", "seconds", median, median * 0.9, median * 1.6, 20, "append one message", size,
                floor, "one write and fdatasync of the same bytes",
            )
        )  # fmt: skip
    for size in (100, 10_000):
        floor, median = 1e-5 * size, 1.7e-5 * size * factor
        found.append(
            Measure(
                "restore", "seconds", median, median, median * 1.1, 5, "restore a session", size,
                floor, "reading and parsing the same bytes",
            )
        )  # fmt: skip
    found.append(Measure("stored", "bytes", 312.5 * factor, 312.5, 700, 1, "bytes stored a message"))
    return found


def report() -> Report:
    """Everything that a report can hold."""
    events = excerpt(timeline(), 7)
    matrix = Matrix.of(
        "what came of each damage",
        "damage",
        [("cut short", "clear error"), ("cut short", "wrong history"), ("bit | flipped", "exact history")],
        columns=["exact history", "clear error", "wrong history"],
        bad=["wrong history"],
        note="No more were looked at.",
    ).to_dict()
    good = [result("good", "LIF-01"), result("good", "ORD-01"), result("good", "COR-01", matrix=matrix)]
    good.append(result("good", "S3A-01", "not applicable", reason="needs s3: a bucket"))
    good.append(result("good", "S3A-09", measured="1.01 requests a message"))
    bad = [
        result("bad", "LIF-01", "could not be judged", reason="KeyError: 'x'"),
        result("bad", "ORD-01", "violated", expected="stored", found=NASTY, evidence=NASTY, events=events),
        result("bad", "COR-01", "violated", expected="exact", found="other", matrix=matrix, known="issue 7 is open"),
        result("bad", "UPD-06", known="was broken once"),
        result("bad", "CNT-06", "violated", level="SHOULD", expected="a", found="b"),
        result("bad", "XYZ-01"),
    ]
    return Report(
        [
            BackendReport(
                Verdict("good", good, 5),
                "pkg:Good",
                {"url": "db:///{workdir}"},
                ["ON_DISK", "FRESH_PROCESS"],
                "session manager",
                benchmarks(1.2, 0),
                [Growth("append", 0.02)],
                Package("pkg-of-tests", "2.7.1"),
            ),
            BackendReport(
                Verdict("bad", bad, 5),
                "pkg:Bad",
                benchmarks=benchmarks(3, 0.01),
                growth=[Growth("append", 1.4)],
            ),
            BackendReport(Verdict("unjudged")),
        ],
        command="pytest --session-manager=good --session-manager=bad",
        seeds={"hypothesis": 4711},
        requirements=5,
        versions={"python": "3.11.0", "strands-agents": "1.62.0"},
        created="2026-01-02T03:04:05+00:00",
    )


def with_outcomes(backend: str, outcomes: dict[str, str], measured: list[Measure] | None = None) -> Report:
    """A report of one backend."""
    results = [result(backend, id, outcome) for id, outcome in outcomes.items()]
    return replace(report(), backends=[BackendReport(Verdict(backend, results), benchmarks=measured or [])])
