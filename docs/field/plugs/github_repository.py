"""strands-github-storage, with a client that keeps the repository in memory and answers as PyGithub does."""

import base64
import hashlib
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from github import GithubException
from strands_github_storage import GithubStorage


@dataclass
class Repository:
    """The files of a branch. A path cannot be a file and a folder, as in git."""

    files: dict[str, bytes] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get_contents(self, path: str, ref: str) -> Any:
        """Return a file, whose content is base64 of its bytes, or a list for a folder."""
        if path in self.files:
            return self._file(path)
        below = [name for name in self.files if name.startswith(f"{path}/")]
        if not below:
            raise GithubException(404, {"message": "Not Found"}, {})
        return [self._file(name) for name in below]

    def create_file(self, path: str, message: str, content: Any, branch: str) -> None:
        """Commit a new file. PyGithub encodes text as UTF-8, and sends base64."""
        with self.lock:
            if path in self.files:
                raise GithubException(422, {"message": 'Invalid request.\n\n"sha" wasn\'t supplied.'}, {})
            self._refuse(path)
            self.files[path] = content if isinstance(content, bytes) else content.encode("utf-8")

    def update_file(self, path: str, message: str, content: Any, sha: str, branch: str) -> None:
        """Commit another version of a file, unless it was changed meanwhile."""
        with self.lock:
            self._expect(path, sha)
            self.files[path] = content if isinstance(content, bytes) else content.encode("utf-8")

    def delete_file(self, path: str, message: str, sha: str, branch: str) -> None:
        """Commit that a file is gone, unless it was changed meanwhile."""
        with self.lock:
            self._expect(path, sha)
            del self.files[path]

    def get_git_tree(self, sha: str, recursive: bool) -> Any:
        """Return the files of the branch."""
        if not self.files:
            raise GithubException(404, {"message": "Not Found"}, {})
        tree = [SimpleNamespace(path=path, type="blob") for path in sorted(self.files)]
        return SimpleNamespace(tree=tree, raw_data={"truncated": False})

    def _file(self, path: str) -> Any:
        data = self.files[path]
        return SimpleNamespace(content=base64.encodebytes(data).decode("ascii"), sha=_sha(data), path=path)

    def _expect(self, path: str, sha: str) -> None:
        if path not in self.files or _sha(self.files[path]) != sha:
            raise GithubException(409, {"message": f"{path} does not match {sha}"}, {})

    def _refuse(self, path: str) -> None:
        parts = path.split("/")
        folders = {"/".join(parts[:end]) for end in range(1, len(parts))}
        if "" in parts or folders & set(self.files) or any(name.startswith(f"{path}/") for name in self.files):
            raise GithubException(422, {"message": "path contains a malformed path component"}, {})


def _sha(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class Storage(GithubStorage):
    """A storage with a repository of its own: given nothing, it is one a workspace."""

    def __init__(self) -> None:
        repository = Repository()
        super().__init__("someone", "sessions", github=SimpleNamespace(get_repo=lambda name: repository))
