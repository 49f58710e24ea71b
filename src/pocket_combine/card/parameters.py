"""Lines that define parameters: `param`, `flatParam`, `extArg`, `rateParam` and `constr`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pocket_combine.card.draft import Draft, Placed
from pocket_combine.card.lexical import read_number, read_range, shown
from pocket_combine.card.model import Constraint, ExternalArgument, Parameter, RateParameter
from pocket_combine.card.rows import split_no_float
from pocket_combine.errors import counted

__all__ = ["read_param", "read_flat_param", "read_ext_arg", "read_rate_param", "read_constr"]

_COMMA = re.compile(r",(?![^\[]*\])")  # not those inside brackets
_INLINE = re.compile(r"(?P<name>[^\[\]]+)\[(?P<numbers>[^\[\]]*)\]")


def read_param(draft: Draft, line: int, name: str, words: Sequence[str]) -> None:
    """Read `name param mean sigma [low,high]`."""
    name, no_float = split_no_float(name)
    place = f"param {name}"
    if len(words) < 3:
        draft.notes.problem(line, f"{place}: expected 'name param MEAN SIGMA [LOW,HIGH]'")
        return
    try:
        mean = read_number(words[1])
        sigma = _read_sigma(words[2])
        limits = read_range(words[3]) if len(words) == 4 else None
    except ValueError as error:
        draft.notes.problem(line, f"{place}: {error}")
        return
    if len(words) > 4 and words[3].startswith("["):
        draft.notes.warn(
            "ignored-range",
            line,
            f"{place}: Combine ignores the range {shown(words[3])} because other words follow it",
            "end the line after the range",
        )
    if limits is not None and not limits[0] <= mean <= limits[1]:
        draft.notes.problem(line, f"{place}: the mean {words[1]} is outside the range {words[3]}")
        return
    draft.parameters.append(Placed(line, Parameter(name, mean, sigma, limits, no_float)))


def _read_sigma(word: str) -> float | tuple[float, float]:
    if "/" not in word:
        sigma = read_number(word)
        if not sigma > 0:
            raise ValueError(f"sigma {shown(word)} is not above 0")
        return sigma
    low, _, high = word.partition("/")
    if not (low.startswith("-") and high.startswith("+")):
        raise ValueError(f"sigma {shown(word)}: two widths are written -below/+above, with both signs")
    below, above = read_number(low[1:]), read_number(high[1:])
    if not (below > 0 and above > 0):
        raise ValueError(f"sigma {shown(word)}: both widths must be above 0")
    return below, above


def read_flat_param(draft: Draft, line: int, name: str, words: Sequence[str]) -> None:
    """Read `name flatParam`; further words have no effect."""
    if name.endswith("_norm"):
        draft.notes.problem(
            line,
            f"flatParam {name}: parameters that end in _norm belong to a RooFit pdf: parametric cards are not read",
        )
        return
    if len(words) > 1:
        draft.notes.warn("extra-words", line, f"flatParam {name}: words from {shown(words[1])} on are ignored")
    draft.flat_parameters.setdefault(name, line)


def read_ext_arg(draft: Draft, line: int, name: str, words: Sequence[str]) -> None:
    """Read `name extArg value [low,high]` or `name extArg value [const]`."""
    place = f"extArg {name}"
    if len(words) < 2 or len(words) > 3:
        draft.notes.problem(line, f"{place}: expected 'name extArg VALUE', with [LOW,HIGH] or [const] after it or not")
        return
    if any(":" in word for word in words[1:]):
        draft.notes.problem(line, f"{place}: {shown(words[1])} is an object of a RooFit workspace, which is not read")
        return
    try:
        value = read_number(words[1])
        constant = words[2:] == ["[const]"]
        limits = read_range(words[2]) if len(words) == 3 and not constant else None
    except ValueError as error:
        draft.notes.problem(line, f"{place}: {error}")
        return
    if limits is not None and not limits[0] <= value <= limits[1]:
        draft.notes.problem(line, f"{place}: the value {words[1]} is outside the range {words[2]}")
        return
    argument = ExternalArgument(name, value, limits, constant)
    earlier = draft.external_arguments.get(name)
    if earlier is not None and earlier.value != argument:
        message = f"{place} is defined again; Combine drops the definition in line {earlier.line}"
        draft.notes.warn("repeated-parameter", line, message)
    draft.external_arguments[name] = Placed(line, argument)


def read_rate_param(draft: Draft, line: int, name: str, words: Sequence[str]) -> None:
    """Read `name rateParam CHANNEL PROCESS value [low,high]` or `… formula argument,argument`."""
    place = f"rateParam {name}"
    if not 4 <= len(words) <= 5:
        hint = "; write a range without blanks" if len(words) > 5 and words[4].startswith("[") else ""
        draft.notes.problem(
            line,
            f"{place}: {counted(len(words) + 1, 'word')}, expected "
            f"'name rateParam CHANNEL PROCESS VALUE [LOW,HIGH]' or '… FORMULA ARGUMENT,ARGUMENT'{hint}",
        )
        return
    channel, process = words[1:3]
    is_range = len(words) == 5 and "[" in words[4] and "]" in words[4]
    if ".root" in words[3] and ":" in words[3]:
        draft.notes.problem(line, f"{place}: {shown(words[3])} is an object of a RooFit workspace, which is not read")
        return
    if len(words) == 5 and not is_range:
        parameter = RateParameter(name, channel, process, formula=words[3], arguments=tuple(words[4].split(",")))
    else:
        try:
            value = read_number(words[3])
            limits = read_range(words[4]) if is_range else None
        except ValueError as error:
            hint = "; a formula needs its arguments after it" if "@" in words[3] else ""
            draft.notes.problem(line, f"{place}: {error}{hint}")
            return
        if limits is not None and not limits[0] <= value <= limits[1]:
            draft.notes.problem(line, f"{place}: the value {words[3]} is outside the range {words[4]}")
            return
        parameter = RateParameter(name, channel, process, value=value, range=limits)
    if draft.complete and _matches_something(draft, line, parameter):
        draft.rate_parameters.append(Placed(line, parameter))


def _matches_something(draft: Draft, line: int, parameter: RateParameter) -> bool:
    place = f"rateParam {parameter.name}"
    if "*" not in parameter.channel and "*" not in parameter.process:
        unknown = [
            f"no {what} {shown(found)}{draft.notes.hint(found, existing)}"
            for what, found, existing in (
                ("channel", parameter.channel, draft.channels),
                ("process", parameter.process, draft.processes),
            )
            if found not in existing
        ]
        for message in unknown:
            draft.notes.problem(line, f"{place}: {message}")
        if unknown:
            return False
    elif not any(parameter.matches(channel, process) for channel in draft.channels for process in draft.processes):
        patterns = f"channel {shown(parameter.channel)} and process {shown(parameter.process)}"
        draft.notes.problem(line, f"{place}: nothing matches {patterns}")
        return False
    is_pattern = "*" in parameter.channel + parameter.process
    place_exists = (parameter.channel, parameter.process) in draft.places
    if not (any(parameter.matches(*found) for found in draft.places) if is_pattern else place_exists):
        draft.notes.warn(
            "rate-parameter-without-effect",
            line,
            f"{place}: channel {parameter.channel} has no process {parameter.process}, so the parameter does nothing",
        )
    return True


def read_constr(draft: Draft, line: int, name: str, words: Sequence[str]) -> None:
    """Read `name constr formula [arguments] sigma`."""
    place = f"constr {name}"
    if not 3 <= len(words) <= 4:
        draft.notes.problem(
            line,
            f"{place}: {counted(len(words) + 1, 'word')}, expected 'name constr FORMULA [ARGUMENT,ARGUMENT] SIGMA'",
        )
        return
    written = _COMMA.split(words[2].strip("{}")) if len(words) == 4 else []
    defined: list[ExternalArgument] = []
    try:
        arguments = tuple(_name_of(word, defined) for word in written)
        sigma: float | str
        try:
            sigma = read_number(words[-1])
        except ValueError:
            sigma = _name_of(words[-1], defined)
    except ValueError as error:
        draft.notes.problem(line, f"{place}: {error}")
        return
    if not isinstance(sigma, str) and not sigma > 0:
        draft.notes.problem(line, f"{place}: sigma {words[-1]} is not above 0")
        return
    draft.constraints.append(Placed(line, Constraint(name, words[1], arguments, sigma, tuple(defined))))


def _name_of(word: str, defined: list[ExternalArgument]) -> str:
    """Return the name in `name`, `name[value]` or `name[value,low,high]`, and note what the word defines."""
    if "[" not in word:
        return word
    found = _INLINE.fullmatch(word)
    numbers = [read_number(part) for part in found["numbers"].split(",")] if found else []
    if found is None or len(numbers) not in (1, 3):
        raise ValueError(f"{shown(word)} is neither a name nor name[value] nor name[value,low,high]")
    limits = (numbers[1], numbers[2]) if len(numbers) == 3 else None
    if limits is not None and not limits[0] <= numbers[0] <= limits[1]:
        raise ValueError(f"{shown(word)}: the value is outside the range")
    defined.append(ExternalArgument(found["name"], numbers[0], limits, constant=limits is None))
    return found["name"]
