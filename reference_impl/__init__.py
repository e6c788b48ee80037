"""Session managers that lose nothing, with the constructors of the SDK's own."""

from .file_session_manager import FileSessionManager, Repair, SessionInfo, Verification

__all__ = ["FileSessionManager", "Repair", "SessionInfo", "Verification"]
