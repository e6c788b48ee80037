"""Tool results in messages: what they say, and who said it."""

from __future__ import annotations

from collections.abc import Container

from session_conformance.harness import Run, violated
from session_conformance.harness.sdk import Message
from session_conformance.harness.timeline import ModelStarted, bidi_metadata, one_message


def results_of(messages: list[Message], *, kind: str | None = None) -> list[dict[str, object]]:
    """Return the tool results in some messages, of one bidi kind (``tool_dispatch``, ``tool_result``) if asked.

    A message that says nothing of its kind, as those of strands.experimental.bidi, may be of any.
    """
    return [
        dict(block["toolResult"])
        for message in messages
        if kind is None or bidi_metadata(message).get("kind", kind) == kind
        for block in message["content"]
        if "toolResult" in block
    ]


def expect_no_made_up_success(run: Run, unfinished: Container[object]) -> None:
    """Report a violation if a tool that never ended is restored with a result that says anything but error.

    What the SDK's voice agent says as it starts a tool ("Its result will follow") has the status success, too: it is
    no result of the tool, and comes back as it was said.

    Args:
        run: A conversation in several processes, in which tools were killed.
        unfinished: The ids of those tools' uses.

    Raises:
        Violation: A restore claims that one of them succeeded.
    """
    said = results_of([call.message for call in run.timeline.hooks("message_added") if call.message is not None])
    starts = run.timeline.of(ModelStarted)
    looks: list[tuple[list[Message], list[ModelStarted]]] = [(start.messages, [start]) for start in starts]
    for messages, at in [*looks, (run.stored.messages, [])]:
        for message in messages:
            for result in results_of([message]):
                dispatched = bidi_metadata(message).get("kind") == "tool_dispatch" or result in said
                if result["toolUseId"] in unfinished and result.get("status") != "error" and not dispatched:
                    violated(
                        f"{run.scenario.name}: {result['toolUseId']} never ended, and no result says that it succeeded",
                        f"{one_message(message)} came back, with the status {result.get('status')!r}",
                        run.timeline,
                        *at,
                    )
