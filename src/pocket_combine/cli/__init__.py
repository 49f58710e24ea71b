"""The command line: typed arguments to library calls, and their results to the terminal."""

from pocket_combine.cli.group import main

__all__ = ["main"]
