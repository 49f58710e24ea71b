"""Card → text. The parser is its exact inverse: `parse_card(write_card(card)) == card`.

Numbers are printed as the shortest text that reads back exactly, columns are as wide as their widest word, and the
output depends on nothing but the card.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pocket_combine.card.lexical import format_number
from pocket_combine.card.model import (
    FAKE,
    Card,
    Constraint,
    Effect,
    ExternalArgument,
    Nuisance,
    Parameter,
    RateParameter,
    ShapeRule,
)
from pocket_combine.card.renames import WrittenRow, exact_pattern, plan_rows
from pocket_combine.card.writable import problems_of
from pocket_combine.errors import CardError
from pocket_combine.io.atomic import atomic_write

__all__ = ["write_card", "dump_card", "dump_text", "line_of", "written_nuisances"]

_RULER = "-" * 80
_GAP = "  "


def write_card(card: Card, *, comment: str = "") -> str:
    """Return the text of a card.

    Nuisance rows without any effect are left out, and so are their names in groups and among the frozen parameters:
    Combine would refuse those.

    Args:
        card: The card.
        comment: Lines to stand at the top, without `#`.

    Raises:
        CardError: If the card holds something that the format cannot express: a blank in a name, a channel without a
            process, a number that is not finite, …. All problems are listed.

    Examples:
        >>> from pocket_combine.card.model import Card, Channel, Column, Nuisance
        >>> print(write_card(Card(
        ...     channels=(Channel("SR", 25),),
        ...     columns=(Column("SR", "signal", 0, 3.2), Column("SR", "background", 1, 21.0)),
        ...     nuisances=(Nuisance("lumi", "lnN", (1.016, None)),),
        ... )))
        imax 1 number of channels
        jmax 1 number of processes minus 1
        kmax 1 number of nuisance parameters
        --------------------------------------------------------------------------------
        bin          SR
        observation  25
        --------------------------------------------------------------------------------
        bin           SR      SR
        process       signal  background
        process       0       1
        rate          3.2     21
        --------------------------------------------------------------------------------
        lumi     lnN  1.016   -
        <BLANKLINE>
    """
    nuisances = written_nuisances(card)
    rows, inexpressible = plan_rows(nuisances, card.columns)
    problems = [*problems_of(card), *inexpressible]
    if problems:
        raise CardError(problems)
    lines = [f"# {line}" for line in comment.splitlines()] + _counts(card, nuisances)
    for block in (
        _shapes(card.shapes),
        _observation(card),
        _table(card, rows),
        _parameters(card),
        _closing(card, nuisances),
    ):
        lines += [_RULER, *block] if block else []
    return "\n".join(lines) + "\n"


def dump_card(card: Card, path: str | os.PathLike[str], *, comment: str = "") -> None:
    """Write a card to a file, whole or not at all; a path that ends in `.gz` is compressed.

    Args:
        card: The card.
        path: Where to write.
        comment: Lines to stand at the top, without `#`.

    Raises:
        CardError: As `write_card`, or if the file cannot be written.

    Examples:
        >>> import tempfile
        >>> from pocket_combine.card.model import Channel, Column
        >>> card = Card((Channel("SR", 3),), (Column("SR", "sig", 0, 1.0), Column("SR", "bkg", 1, 2.0)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     dump_card(card, Path(folder) / "datacard.txt")
        ...     (Path(folder) / "datacard.txt").read_text() == write_card(card)
        True
    """
    dump_text(write_card(card, comment=comment), path)


def dump_text(text: str, path: str | os.PathLike[str]) -> None:
    """Write the text of a card to a file, whole or not at all; a path that ends in `.gz` is compressed.

    Args:
        text: The text.
        path: Where to write.

    Raises:
        CardError: If the file cannot be written.
    """
    content = text.encode()
    if Path(path).suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    try:
        with atomic_write(path) as file:
            file.write(content)
    except OSError as error:
        raise CardError(f"{os.fspath(path)}: cannot be written: {error.strerror or error}") from error


def written_nuisances(card: Card) -> tuple[Nuisance, ...]:
    """Return the nuisance rows that have an effect on some column."""
    return tuple(row for row in card.nuisances if any(effect is not None for effect in row.effects))


def _counts(card: Card, nuisances: Sequence[Nuisance]) -> list[str]:
    processes = {column.process for column in card.columns}
    counted = len(nuisances) + len(card.parameters) + len(card.constraints)
    return [
        f"imax {len(card.channels)} number of channels",
        f"jmax {len(processes) - 1} number of processes minus 1",
        f"kmax {counted} number of nuisance parameters",
    ]


def _shapes(rules: Sequence[ShapeRule]) -> list[str]:
    rows = []
    for rule in rules:
        source = [FAKE] if rule.path == FAKE else [rule.path, rule.nominal, rule.systematic]
        rows.append(["shapes", rule.process, rule.channel, *source])
    return list(_aligned(rows))


def _observation(card: Card) -> list[str]:
    if all(channel.observation is None for channel in card.channels):
        return []
    names = [channel.name for channel in card.channels]
    observed = [format_number(channel.observation or 0.0) for channel in card.channels]
    return list(_aligned([["bin", *names], ["observation", *observed]]))


def _table(card: Card, rows: Sequence[WrittenRow]) -> list[str]:
    head = [
        ["bin", "", *(column.channel for column in card.columns)],
        ["process", "", *(column.process for column in card.columns)],
        ["process", "", *(str(column.process_id) for column in card.columns)],
        ["rate", "", *(format_number(column.rate) for column in card.columns)],
    ]
    texts: dict[Effect, str] = {}
    lines = list(_aligned([*head, *(_words(row, texts) for row in rows)]))
    table = lines[: len(head)]
    if rows:
        table.append(_RULER)
    for row, line in zip(rows, lines[len(head) :], strict=True):
        table += [line] if row.name is not None else []
        table += row.edits
    return table


def _words(row: WrittenRow, texts: dict[Effect, str]) -> list[str]:
    """Return the words of a row; `texts` remembers what was formatted before."""
    if row.name is None:
        return []
    name = f"{row.name}[nofloat]" if row.nuisance.no_float else row.name
    cells = []
    for effect in row.effects:
        text = texts.get(effect)
        if text is None:
            text = texts[effect] = _format_effect(effect)
        cells.append(text)
    return [name, " ".join([row.nuisance.kind, *map(format_number, row.nuisance.arguments)]), *cells]


def _format_effect(effect: Effect) -> str:
    if effect is None:
        return "-"
    if isinstance(effect, tuple):
        return "/".join(map(format_number, effect))
    return format_number(effect)


def _parameters(card: Card) -> list[str]:
    return [
        *map(line_of, card.parameters),
        *map(line_of, card.constraints),
        *(f"{name} flatParam" for name in card.flat_parameters),
        *map(line_of, card.external_arguments),
        *map(line_of, card.rate_parameters),
    ]


def line_of(definition: Parameter | Constraint | ExternalArgument | RateParameter) -> str:
    """Return the line of a card that defines a parameter or a constraint.

    Examples:
        >>> line_of(Parameter("mass", 125.0, 0.1, (120.0, 130.0)))
        'mass param 125 0.1 [120,130]'
    """
    if isinstance(definition, Parameter):
        words = _parameter(definition)
    elif isinstance(definition, Constraint):
        words = _constraint(definition)
    elif isinstance(definition, ExternalArgument):
        words = _external_argument(definition)
    else:
        words = _rate_parameter(definition)
    return " ".join(words)


def _parameter(parameter: Parameter) -> list[str]:
    name = f"{parameter.name}[nofloat]" if parameter.no_float else parameter.name
    if isinstance(parameter.sigma, tuple):
        sigma = "-{}/+{}".format(*map(format_number, parameter.sigma))
    else:
        sigma = format_number(parameter.sigma)
    return [name, "param", format_number(parameter.mean), sigma, *_range(parameter.range)]


def _constraint(constraint: Constraint) -> list[str]:
    defined = {variable.name: variable for variable in constraint.defined}

    def text(name: str) -> str:
        variable = defined.pop(name, None)
        if variable is None:
            return name
        return f"{name}[{','.join(map(format_number, (variable.value, *(variable.range or ()))))}]"

    arguments = [",".join(map(text, constraint.arguments))] if constraint.arguments else []
    sigma = text(constraint.sigma) if isinstance(constraint.sigma, str) else format_number(constraint.sigma)
    return [constraint.name, "constr", constraint.formula, *arguments, sigma]


def _external_argument(argument: ExternalArgument) -> list[str]:
    limits = ["[const]"] if argument.constant else _range(argument.range)
    return [argument.name, "extArg", format_number(argument.value), *limits]


def _rate_parameter(parameter: RateParameter) -> list[str]:
    where = [parameter.name, "rateParam", parameter.channel, parameter.process]
    if parameter.formula is not None:
        return [*where, parameter.formula, ",".join(parameter.arguments)]
    return [*where, format_number(1.0 if parameter.value is None else parameter.value), *_range(parameter.range)]


def _range(limits: tuple[float, float] | None) -> list[str]:
    return [] if limits is None else ["[{},{}]".format(*map(format_number, limits))]


def _closing(card: Card, nuisances: Sequence[Nuisance]) -> list[str]:
    unwritten = {row.name for row in card.nuisances} - {row.name for row in nuisances}
    unwritten -= {parameter.name for parameter in card.parameters}
    lines = []
    for group in card.groups:
        members = [member for member in group.members if member not in unwritten]
        if members:
            lines.append(f"{group.name} group = {' '.join(members)}")
    for line in card.mc_stats:
        signal = int(line.include_signal)
        lines.append(f"{line.channel} autoMCStats {format_number(line.threshold)} {signal} {line.hist_mode}")
    lines += [f"nuisance edit freeze {exact_pattern(name)}" for name in card.frozen if name not in unwritten]
    return lines


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows with every column as wide as its widest word; an empty row gives an empty line."""
    widths: list[int] = []
    for row in rows:
        widths += [0] * (len(row) - len(widths))
        widths = [*map(max, widths, map(len, row)), *widths[len(row) :]]
    for row in rows:
        yield _GAP.join(map(str.ljust, row, widths)).rstrip()
