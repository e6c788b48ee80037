"""What the installed SDK can do and older releases could not: each a feature with a name and a reason."""

from __future__ import annotations

from enum import Enum

from .release import SDK_VERSION


class SdkFeature(Enum):
    """Something that not every supported release of the SDK has. The value says what, for reports."""

    MESSAGE_UPDATES = "messages that stand in the history while they are streamed (1.57.2 and later)"
    TOOL_GROUPS = "tool calls of a voice agent in groups (1.57.2 and later)"
    CANCELLING = "BidiAgent.cancel() (1.57.2 and later)"
    DIRECT_TOOL_CALLS = "direct tool calls of a voice agent (1.54 and later)"
    SCHEDULED_RESTARTS = "a configuration of when a connection is restarted (1.53 and later)"
    RESTARTABLE_MODELS = "models with restart() (1.53 and later)"
    RESTART_ERRORS = "failed restarts that reach the caller (1.51 and later)"
    CANCELLED_ANSWERS = "answers of a text agent that end when they are cancelled (1.51 and later)"
    RESUMED_TEAMS = "graphs and swarms that go on where they were (1.51 and later)"
    SNAPSHOTS = "SnapshotSessionManager (1.51 and later)"
    VOICE_FOR_ALL = "voice agents for every session manager (1.58 and later), and this manager refuses them"

    @property
    def missing(self) -> str:
        """Why what needs it does not apply."""
        return f"strands-agents {SDK_VERSION} lacks {self.value}"


class SdkLacks(Exception):
    """The installed SDK cannot do what is asked for: whatever needs it does not apply."""

    def __init__(self, feature: SdkFeature) -> None:
        super().__init__(feature.missing)
        self.feature = feature

    def __reduce__(self) -> tuple[type[SdkLacks], tuple[SdkFeature]]:
        return type(self), (self.feature,)
