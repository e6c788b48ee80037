"""The console command: what it does to whole sessions, and the way to what judges session managers."""

from .cli import main

__all__ = ["main"]
