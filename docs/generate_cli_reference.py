"""Writes `docs/reference/command-line.md` from the help texts of the commands.

Run it after every change of a command:

    python docs/generate_cli_reference.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from pocket_combine.cli import main

REFERENCE = Path(__file__).parent / "reference" / "command-line.md"

_INTRODUCTION = """\
# Command line

<!-- Written by docs/generate_cli_reference.py; changes made here are lost. -->

Commands write what they were asked for to standard output, and messages, log and progress to standard error. `--json`
gives reports that programs can read. In a file or a pipe there is no progress bar, and tables are as wide as what is in
them; `COLUMNS` says otherwise. `NO_COLOR` switches colours off.

| exit status | meaning |
|---|---|
| 0 | all is well |
| 1 | done, with findings of the severity of `--fail-on` or worse; for `cards diff`: the cards differ |
| 2 | failed: the message on standard error says why |
| 130 | ended by Ctrl-C |
"""


def contexts(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[click.Context]:
    """Yield the context of a command and of all commands below it."""
    context = click.Context(command, info_name=name, parent=parent, terminal_width=80, **command.context_settings)
    yield context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            below = command.get_command(context, child)
            if below is not None:
                yield from contexts(below, child, context)


def reference() -> str:
    """Return the text of the reference."""
    parts = [_INTRODUCTION]
    for context in contexts(main, "pocket-combine"):
        path = context.command_path
        parts.append(f"\n## `{path}`\n\n```text\n$ {path} --help\n{context.get_help().rstrip()}\n```\n")
    return "".join(parts)


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
