"""A correct storage of another design: an object a file, whose name is its key in base 32: any key can be one."""

import asyncio
import base64
import hashlib
import os
import uuid
from pathlib import Path

from strands.types.exceptions import StorageError


class EncodedStorage:
    """Writes a file beside, syncs it, and renames it. What is said of an object names its key: none knows its file."""

    def __init__(self, storage_dir: str) -> None:
        self._folder = Path(storage_dir).absolute() / "objects"

    def _path(self, key: str) -> Path:
        try:
            name = base64.b32encode(key.encode()).decode().rstrip("=").lower()
        except UnicodeError as error:
            raise StorageError(f"{key!r} is no key: {error}") from error
        if not 0 < len(name) < 240:
            raise StorageError(f"a key has 1 to 149 bytes, and this is {key!r:.60}")
        return self._folder / name

    async def write(self, key: str, data: bytes) -> None:
        await asyncio.to_thread(self._write, self._path(key), key, bytes(data))

    def _write(self, path: Path, key: str, data: bytes) -> None:
        temporary = self._folder / f".{uuid.uuid4().hex}"
        try:
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(_sum(key, data) + data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            for folder in (self._folder, self._folder.parent):
                descriptor = os.open(folder, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        except OSError as error:
            raise StorageError(f"{key!r} cannot be written: {error}") from error

    async def read(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            found = await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"{key!r} cannot be read: {error.strerror}") from error
        if found[:32] != _sum(key, found[32:]):
            raise StorageError(f"{key!r} is damaged")
        return found[32:]

    async def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    async def list(self, query: str) -> list[str]:
        names = [path.name.upper() for path in self._folder.glob("*") if not path.name.startswith(".")]
        keys = [base64.b32decode(name + "=" * (-len(name) % 8)).decode() for name in names]
        return sorted(key for key in keys if key.startswith(query))


def _sum(key: str, data: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + data).digest()
