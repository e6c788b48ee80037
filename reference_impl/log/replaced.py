"""Replaced methods: private ones of the SDK's managers that subclasses override, and what stands for them here.

They are never called here, so a subclass that encrypts in ``_write_file()`` would store everything in clear. It is
refused when it is made, and not when somebody reads what it stored.
"""

from __future__ import annotations

_AT_REST = "give the constructor at_rest=, whose seal() and open() are given all bytes that are stored and read"
_FOLDER = "give the constructor the folder, storage_dir=, or the prefix of the keys, prefix="
_REPOSITORY = "override the public methods, which are called as the SDK calls them"

INSTEAD = {
    "_read_file": _AT_REST,
    "_write_file": _AT_REST,
    "_read_s3_object": _AT_REST,
    "_write_s3_object": _AT_REST,
    "_get_session_path": _FOLDER,
    "_get_agent_path": _FOLDER,
    "_get_message_path": _FOLDER,
    "_get_multi_agent_path": _FOLDER,
    "_default_storage_dir": _FOLDER,
    "_prune_held_records": _REPOSITORY,
}
"""By the name of a private method of the SDK's managers, what to do instead of overriding it."""


def refuse_replaced(subclass: type, base: type) -> None:
    """Refuse a subclass that overrides what is not called.

    Args:
        subclass: The subclass.
        base: The class from which on methods are this package's and the SDK's own.

    Raises:
        TypeError: It has such a method; the text names it and what to do instead.
    """
    for name, instead in INSTEAD.items():
        for owner in subclass.__mro__:
            if name in vars(owner) and owner not in base.__mro__:
                raise TypeError(
                    f"{subclass.__qualname__}: {owner.__qualname__}.{name}() overrides a private method of the SDK's"
                    f" session managers, which {base.__qualname__} does not have and would never call; {instead}"
                )
