"""The console command: judge, list, explain, report, compare, and write what a project begins with."""

from .cli import main

__all__ = ["main"]
