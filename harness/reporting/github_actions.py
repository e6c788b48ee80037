"""GitHub Actions: one line a finding, which the runner shows as an annotation beside the pull request.

The form is that of GitHub's documentation, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..verdicts import Level, Outcome, Result, Verdict


def in_github_actions(environment: Mapping[str, str]) -> bool:
    """Whether a process with these environment variables is a step of a GitHub workflow."""
    return environment.get("GITHUB_ACTIONS") == "true"


def workflow_commands(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield one workflow command for each requirement that is not simply met.

    A MUST violation, a stale known violation and what could not be judged are errors, a SHOULD violation is a warning,
    or an error where it fails the run, a known violation a notice.
    """
    for verdict in verdicts:
        for result in verdict.results:
            kind, text = _finding(result, verdict)
            if kind:
                title = _property(f"{result.id} ({result.level}), {result.backend}")
                yield f"::{kind} title={title}::{_message(text)}"


def _finding(result: Result, verdict: Verdict) -> tuple[str, str]:
    about = f"{result.sentence}\nexpected: {result.expected}\nfound: {result.found}"
    if result.is_known:
        return "notice", f"known violation ({result.known}): {about}"
    if result.is_stale:
        return "error", f"met, and listed as a known violation ({result.known}): take it out of the list"
    if result.outcome == Outcome.BROKEN.value:
        return "error", f"could not be judged: {result.reason}"
    if result.outcome == Outcome.VIOLATED.value:
        about += f"\nwhose: {result.whose}" if result.whose else ""
        if verdict.own_only and result.inherited:
            return "warning", about
        return "error" if result.level == Level.MUST.value or verdict.fails_on is Level.SHOULD else "warning", about
    return "", ""


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
