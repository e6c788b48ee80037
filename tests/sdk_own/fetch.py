"""Fetches the source of the release of the SDK that is installed, with its tests: ``python fetch.py FOLDER``."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path


def main(folder: Path) -> None:
    """Put the source into the folder, if it is not there yet.

    Raises:
        CalledProcessError: pip could not download it; what it said is on standard error.
    """
    if folder.exists():
        return
    release = f"strands-agents=={version('strands-agents')}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "strands-agents"]
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        subprocess.run([*pip, "--dest", work, release], check=True)
        (archive,) = Path(work).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(work, filter="data")
        (source,) = (path for path in Path(work).iterdir() if path.is_dir())
        source.rename(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
