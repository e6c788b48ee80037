"""Privileges: what root may do and others may not, given up by one thread, so that a denied permission is denied."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

_VERSION_3 = 0x20080522  # _LINUX_CAPABILITY_VERSION_3, capget(2)
_OVERRIDE_PERMISSIONS = (1 << 1) | (1 << 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, capabilities(7)


def obey_permissions() -> None:
    """Let file permissions bind this thread, even if it runs as root.

    Under Linux root's right to ignore them is a capability of each thread, which it can give up by itself.
    """
    capget = getattr(ctypes.CDLL(None, use_errno=True), "capget", None)
    if os.name != "posix" or os.geteuid() != 0 or capget is None:
        return
    header = struct.pack("Ii", _VERSION_3, 0)
    data = ctypes.create_string_buffer(24)
    if capget(header, data) != 0:
        return
    effective, *others = struct.unpack("6I", data.raw)
    ctypes.CDLL(None).capset(header, struct.pack("6I", effective & ~_OVERRIDE_PERMISSIONS, *others))


def are_obeyed(path: Path) -> bool:
    """Whether this thread cannot read a file that nobody may read. A thread that runs as root can."""
    try:
        path.read_bytes()
    except PermissionError:
        return True
    return False
