"""Shell scripts for the steps that run inside a CMSSW + Combine environment."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pocket_combine.build.write import file_name_problem, make_folder
from pocket_combine.card.merging import merged_kind
from pocket_combine.card.model import Card
from pocket_combine.errors import CardError, DeclarationError
from pocket_combine.io.atomic import atomic_write
from pocket_combine.names import name_problem

__all__ = ["combination_script", "fit_scripts", "conflicts", "write_script"]

_HEAD = "#!/usr/bin/env bash\nset -euo pipefail\n"


def combination_script(
    channels: Mapping[str, str], *, card_name: str, workspace_name: str, channel_masks: bool = False
) -> str:
    """Return the script that merges cards with `combineCards.py` and builds the workspace with `text2workspace.py`.

    Args:
        channels: Name of the channel by file name of its card.
        card_name: File name of the combined card.
        workspace_name: File name of the workspace.
        channel_masks: Whether the workspace gets a mask for every channel.

    Raises:
        DeclarationError: If there is no card, a name is not a plain file name, or two cards have the same channel. All
            problems are listed.

    Examples:
        >>> print(combination_script({"SR.txt": "SR_run3"}, card_name="all.txt", workspace_name="ws.root"))
        #!/usr/bin/env bash
        set -euo pipefail
        cd "$(dirname "${BASH_SOURCE[0]}")"
        combineCards.py SR_run3=SR.txt > all.txt
        text2workspace.py all.txt -o ws.root
        <BLANKLINE>
    """
    problems = [file_name_problem("card_name", card_name), file_name_problem("workspace_name", workspace_name)]
    problems += [file_name_problem("the file name of a card", name) for name in channels]
    if not channels:
        problems.append("there is no card to combine")
    if card_name in channels:
        problems.append(f"card_name {card_name!r} is one of the cards to combine, which the script would overwrite")
    files: dict[str, list[str]] = {}
    for file_name, channel in channels.items():
        files.setdefault(channel, []).append(file_name)
    problems += [
        f"channel {channel!r} is in {' and '.join(names)}: give the cards another bin_prefix or bin_suffix"
        for channel, names in files.items()
        if len(names) > 1
    ]
    found = [problem for problem in problems if problem]
    if found:
        raise DeclarationError(found)
    arguments = [f"{channel}={file_name}" for file_name, channel in channels.items()]
    workspace = ["text2workspace.py", card_name, "-o", workspace_name] + ["--channel-masks"] * channel_masks
    lines = [
        _HEAD + 'cd "$(dirname "${BASH_SOURCE[0]}")"',
        f"{shlex.join(['combineCards.py', *arguments])} > {shlex.quote(card_name)}",
        shlex.join(workspace),
    ]
    return "\n".join(lines) + "\n"


def conflicts(cards: Mapping[str, Card]) -> list[str]:
    """Return what `combineCards.py` or Combine would refuse about cards together.

    These are a process that is signal in one card and background in another, and a nuisance whose kinds do not go
    together (a log-normal and a shape do: they become `shape?`).

    Args:
        cards: The cards, by name for the messages.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column
        >>> cards = {name: Card((Channel(name, 1),), (Column(name, "tt", id, 1.0),)) for id, name in enumerate("ab")}
        >>> conflicts(cards)
        ["process 'tt' is signal in a and background in b, which Combine refuses: give it one is_signal"]
    """
    signs: dict[str, dict[bool, str]] = {}
    for name, card in cards.items():
        for column in card.columns:
            signs.setdefault(column.process, {}).setdefault(column.is_signal, name)
    problems = [
        f"process {process!r} is signal in {where[True]} and background in {where[False]}, which Combine refuses: "
        "give it one is_signal"
        for process, where in signs.items()
        if len(where) == 2
    ]
    kinds: dict[str, dict[str, str]] = {}
    for name, card in cards.items():
        for row in card.nuisances:
            kind = " ".join([row.kind, *(f"{number:g}" for number in row.arguments)])
            kinds.setdefault(row.name, {}).setdefault(kind, name)
    problems += [
        f"nuisance {nuisance!r} is {' and '.join(f'{kind} in {name}' for kind, name in where.items())}, which "
        "combineCards.py refuses: give it one typ, or two names"
        for nuisance, where in kinds.items()
        if len(where) > 1 and not _go_together(where)
    ]
    return problems


def _go_together(kinds: Iterable[str]) -> bool:
    """Return whether `combineCards.py` can write one row for a nuisance with these kinds in different cards."""
    joined, *others = kinds
    for kind in others:
        merged = merged_kind(joined, kind)
        if merged is None:
            return False
        joined = merged
    return True


def write_script(path: str | os.PathLike[str], text: str) -> None:
    """Write an executable script, whole or not at all.

    Raises:
        CardError: If it cannot be written.
    """
    target = Path(path)
    try:
        with atomic_write(path) as file:
            file.write(text.encode())
        # Executable for everyone who may read it.
        target.chmod(target.stat().st_mode | ((target.stat().st_mode & 0o444) >> 2))
    except OSError as error:
        raise CardError(f"{target}: cannot be written: {error.strerror or error}") from error


def fit_scripts(
    directory: str | os.PathLike[str],
    workspace_name: str = "workspace.root",
    *,
    mass: str = "125",
    masks: Sequence[str] = (),
    expect_signal: float = 1.0,
    r_range: tuple[float, float] = (-10.0, 10.0),
    points: int = 50,
    toys: int = 500,
) -> list[Path]:
    """Write the usual Combine commands on a workspace, one executable script a question, and return their paths.

    Every script exists for data (`…_data.sh`) and for Asimov data (`…_asimov.sh`): `singles` (best fit with interval),
    `scan`, `diagnostics` (with pre- and post-fit shapes), `limits`, `impacts` (three steps and the figure) and
    `goodness_of_fit` (for data only).

    Args:
        directory: Where to write; made where it does not exist.
        workspace_name: File name of the workspace in that directory.
        mass: Value of Combine's `-m`.
        masks: Channels to mask; the workspace needs `--channel-masks`.
        expect_signal: Signal strength of the Asimov data.
        r_range: Range of `r` in fits and the scan.
        points: Points of the scan.
        toys: Toys of the goodness of fit.

    Raises:
        DeclarationError: If a name or number cannot stand in a command; all problems are listed.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     [path.name for path in fit_scripts(folder)][:3]
        ['singles_data.sh', 'singles_asimov.sh', 'scan_data.sh']
    """
    _check_fit_arguments(workspace_name, mass, masks, expect_signal, r_range, points, toys)
    low, high = (f"{edge:g}" for edge in r_range)
    base = ["-d", workspace_name, "-m", mass]
    fit_range = ["--rMin", low, "--rMax", high]
    mask = ["--setParameters", ",".join(f"mask_{channel}=1" for channel in masks)] if masks else []
    samples: dict[str, list[str]] = {"data": [], "asimov": ["-t", "-1", "--expectSignal", f"{expect_signal:g}"]}
    texts: dict[str, str] = {}
    for question in ("singles", "scan", "diagnostics", "limits", "impacts"):
        for sample, asimov in samples.items():
            commands = _commands(question, f"_{question}_{sample}", [*base, *mask, *asimov], fit_range, points)
            texts[f"{question}_{sample}.sh"] = _script(commands)
    texts["goodness_of_fit_data.sh"] = _script(_goodness_of_fit([*base, *mask], toys))
    folder = make_folder(directory)
    for name, text in texts.items():
        write_script(folder / name, text)
    return [folder / name for name in texts]


def _check_fit_arguments(
    workspace_name: str,
    mass: str,
    masks: Sequence[str],
    expect_signal: float,
    r_range: tuple[float, float],
    points: int,
    toys: int,
) -> None:
    problems = [file_name_problem("workspace_name", workspace_name, ".root")]
    try:
        float(mass)
    except ValueError:
        problems.append(f"mass is {mass!r}, expected a number as text")
    if isinstance(masks, str):
        problems.append(f"masks is the text {masks!r}, expected a list of channels: [{masks!r}]")
    else:
        problems += [name_problem("channel", channel) for channel in masks]
    if not math.isfinite(expect_signal):
        problems.append(f"expect_signal is {expect_signal!r}, expected a finite number")
    low, high = r_range
    if not low < high or not math.isfinite(high - low):
        problems.append(f"r_range is {r_range!r}, expected (low, high) with low < high")
    for name, value in (("points", points), ("toys", toys)):
        if value < 1:
            problems.append(f"{name} is {value!r}, expected at least 1")
    found = [problem for problem in problems if problem]
    if found:
        raise DeclarationError(found)


def _commands(
    question: str, name: str, common: list[str], fit_range: list[str], points: int
) -> list[tuple[str, list[str]]]:
    """Return (comment, command) of the steps that answer a question with Combine."""
    single = ["combine", "-M"]
    if question == "singles":
        fit = [*single, "MultiDimFit", "--algo", "singles", "--robustFit", "1", *common, *fit_range, "-n", name]
        return [("Best fit of r with its 68% interval from the profile likelihood.", fit)]
    if question == "scan":
        fit = [*single, "MultiDimFit", "--algo", "grid", "--points", str(points), *common, *fit_range, "-n", name]
        return [("Profile likelihood of r on a grid.", fit)]
    if question == "diagnostics":
        shapes = ["--saveShapes", "--saveWithUncertainties", "--saveNormalizations"]
        fit = [*single, "FitDiagnostics", *shapes, *common, *fit_range, "-n", name]
        return [("Signal+background and background-only fits, with pre- and post-fit shapes.", fit)]
    if question == "limits":
        blind = ["--run", "blind"] if "-t" in common else []
        return [("Asymptotic CLs limits.", [*single, "AsymptoticLimits", *blind, *_without_toys(common), "-n", name])]
    impacts = ["combineTool.py", "-M", "Impacts", *common]
    robust = ["--robustFit", "1", *fit_range, "-n", name]
    json_name = f"impacts{name}.json"
    return [
        ("Impacts, step 1: the initial fit.", [*impacts, "--doInitialFit", *robust]),
        ("Impacts, step 2: one fit per nuisance.", [*impacts, "--doFits", *robust]),
        ("Impacts, step 3: collect the fits.", [*impacts, "-o", json_name, "-n", name]),
        ("The figure.", ["plotImpacts.py", "-i", json_name, "-o", f"impacts{name}"]),
    ]


def _without_toys(common: list[str]) -> list[str]:
    """Return the options without the Asimov ones: blind limits make their own Asimov data."""
    return common[: common.index("-t")] if "-t" in common else common


def _goodness_of_fit(common: list[str], toys: int) -> list[tuple[str, list[str]]]:
    test = ["combine", "-M", "GoodnessOfFit", "--algo", "saturated", *common]
    mass = f"{float(common[common.index('-m') + 1]):g}"  # as combine writes it into names of files
    data = f"higgsCombine_goodness_of_fit.GoodnessOfFit.mH{mass}.root"
    toy_file = f"higgsCombine_goodness_of_fit_toys.GoodnessOfFit.mH{mass}.1.root"
    collect = ["combineTool.py", "-M", "CollectGoodnessOfFit", "--input", data, toy_file, "-m", mass]
    return [
        ("Saturated goodness of fit of the data.", [*test, "-n", "_goodness_of_fit"]),
        (
            "Its distribution in toys with randomised global observables.",
            [*test, "-t", str(toys), "--toysFrequentist", "-s", "1", "-n", "_goodness_of_fit_toys"],
        ),
        ("The p-value.", [*collect, "-o", "goodness_of_fit.json"]),
    ]


def _script(commands: Sequence[tuple[str, list[str]]]) -> str:
    lines = [_HEAD + 'cd "$(dirname "${BASH_SOURCE[0]}")"']
    for comment, command in commands:
        lines += [f"# {comment}", shlex.join(command)]
    return "\n".join(lines) + "\n"
