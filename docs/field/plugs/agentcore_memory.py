"""bedrock-agentcore's session manager, with a client of AgentCore Memory that keeps its events in memory."""

import itertools
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3
from bedrock_agentcore.memory.integrations.strands.config import AgentCoreMemoryConfig
from bedrock_agentcore.memory.integrations.strands.session_manager import AgentCoreMemorySessionManager
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator
from session_conformance.harness import Backend, Workspace

REGION = "us-east-1"


A_CALL = timedelta(milliseconds=1)
"""A call of the service takes longer than this. The package names events by their millisecond, and one that is early
by the one after: with answers in no time, what it names runs ahead of the clock, and of the next manager."""


@cache
def model() -> Any:
    """Return what botocore knows of the service."""
    return boto3.Session().client("bedrock-agentcore", region_name=REGION).meta.service_model


def refuse(operation: str, asked: dict[str, Any]) -> None:
    """Refuse what the service's own client refuses to send."""
    report = ParamValidator().validate(asked, model().operation_model(operation).input_shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


@dataclass
class Events:
    """The events of a memory, as the service's client lists them: the newest first, by their millisecond."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    meta: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(region_name=REGION))

    def create_event(self, **event: Any) -> dict[str, Any]:
        """Keep an event."""
        refuse("CreateEvent", event)
        stamp = event["eventTimestamp"]
        number = next(self.numbers)
        kept: dict[str, Any] = {
            **event,
            "eventId": f"{int(stamp.timestamp() * 1000):016d}#{number:08x}",
            "number": number,
        }
        self.kept = [*self.kept, kept]
        left = stamp + A_CALL - datetime.now(stamp.tzinfo)
        time.sleep(min(max(left, timedelta()), A_CALL).total_seconds())
        return {"event": kept}

    def list_events(self, **asked: Any) -> dict[str, Any]:
        """List events, a page at a time."""
        refuse("ListEvents", asked)
        wanted = asked.get("filter", {}).get("eventMetadata", [])
        found = [one for one in self.kept if _same_place(one, asked) and all(_matches(one, each) for each in wanted)]
        found.sort(key=lambda one: (one["eventTimestamp"], one["number"]), reverse=True)
        start, size = int(asked.get("nextToken", 0)), asked.get("maxResults", 20)
        more = {"nextToken": str(start + size)} if start + size < len(found) else {}
        return {"events": found[start : start + size], **more}

    def get_event(self, **asked: Any) -> dict[str, Any]:
        """Return an event."""
        refuse("GetEvent", asked)
        for one in self.kept:
            if one["eventId"] == asked["eventId"]:
                return {"event": one}
        error = {"Code": "ResourceNotFoundException", "Message": "there is no such event"}
        raise ClientError({"Error": error}, "GetEvent")

    def delete_event(self, **asked: Any) -> dict[str, Any]:
        """Remove an event."""
        refuse("DeleteEvent", asked)
        self.kept = [one for one in self.kept if one["eventId"] != asked["eventId"]]
        return {"eventId": asked["eventId"]}


def _same_place(event: dict[str, Any], asked: dict[str, Any]) -> bool:
    return all(event[name] == asked[name] for name in ("memoryId", "actorId", "sessionId"))


def _matches(event: dict[str, Any], asked: dict[str, Any]) -> bool:
    found = event.get("metadata", {}).get(asked["left"]["metadataKey"])
    if asked["operator"] == "EXISTS":
        return found is not None
    if asked["operator"] == "NOT_EXISTS":
        return found is None
    return bool(found == asked["right"]["metadataValue"])


@cache
def events(place: str) -> Events:
    """Return the memory of a workspace."""
    return Events()


def open_session(session_id: str, workspace: Workspace) -> AgentCoreMemorySessionManager:
    """Open a session."""
    config = AgentCoreMemoryConfig(memory_id="memory-0123456789", session_id=session_id, actor_id="someone")
    memory = events(str(workspace.folder))
    boto_session: Any = SimpleNamespace(region_name=REGION, client=lambda *names, **how: memory)
    return AgentCoreMemorySessionManager(config, region_name=REGION, boto_session=boto_session)


SESSIONS = Backend(name="bedrock-agentcore", open=open_session, in_process=True)
