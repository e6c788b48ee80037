"""Session managers that lose nothing, with the constructors of the SDK's own."""

from .file_session_manager import FileSessionManager
from .log.inspection import Repair, SessionInfo, Verification
from .s3_session_manager import S3SessionManager

__all__ = ["FileSessionManager", "Repair", "S3SessionManager", "SessionInfo", "Verification"]
