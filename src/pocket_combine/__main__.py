"""The command `pocket-combine`, and `python -m pocket_combine`."""

from __future__ import annotations

from pocket_combine.execution.threads import compute_with_one_thread

__all__ = ["main"]


def main() -> None:
    """Run the command with the arguments of this process."""
    compute_with_one_thread()
    from pocket_combine.cli import main as command  # noqa: PLC0415  it imports NumPy, which starts the threads

    command(prog_name="pocket-combine")


if __name__ == "__main__":
    main()
