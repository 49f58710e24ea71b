"""The command line reference in the documentation is complete and up to date."""

import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pocket_combine.cli import main

DOCS = Path(__file__).resolve().parents[2] / "docs"


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, (*path, name))


COMMANDS = dict(commands(main))


def test_reference_is_up_to_date() -> None:
    program = runpy.run_path(str(DOCS / "generate_cli_reference.py"))
    text = (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
    assert text == program["reference"](), "run: python docs/generate_cli_reference.py"


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_is_documented(path: tuple[str, ...]) -> None:
    text = (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
    command = COMMANDS[path]
    assert f"\n## `{' '.join(('pocket-combine', *path))}`\n" in text
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"--{parameter.name} has no help"
            assert all(f"{option}" in text for option in parameter.opts)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_examples_are_valid_command_lines(path: tuple[str, ...]) -> None:
    examples = getattr(COMMANDS[path], "examples", ())
    assert examples
    for example in examples:
        program, *arguments = shlex.split(example.partition(" > ")[0])
        assert program == "pocket-combine"
        assert len(example) <= 78, "does not fit into 80 columns"
        command: click.Command = main
        context = click.Context(main)
        while isinstance(command, click.Group):
            name, found, arguments = command.resolve_command(context, arguments)
            assert found is not None
            command, context = found, click.Context(found, info_name=name, parent=context)
        try:
            command.make_context(context.info_name, arguments)
        except click.exceptions.Exit as leaving:
            assert leaving.exit_code == 0  # noqa: PT017  the help option leaves
