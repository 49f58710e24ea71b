"""What a card holds that its text cannot say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from pocket_combine.card.lexical import BEGINS_WITH_DIGIT, shown, word_problem
from pocket_combine.card.model import FAKE, Card, Effect

__all__ = ["problems_of"]


def problems_of(card: Card) -> list[str]:
    """Return one sentence for everything in a card that the format cannot express.

    What the format can express and Combine refuses, such as a channel whose name begins with a digit, is not here: it
    is a finding where cards are built and an error where they are read.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column
        >>> problems_of(Card((Channel("1SR", 3),), (Column("1SR", "sig nal", 0, 1.0),)))
        ["process 'sig nal' holds a blank, which splits a word of the card in two"]
    """
    return [
        *_channel_problems(card),
        *_column_problems(card),
        *_shape_problems(card),
        *_nuisance_problems(card),
        *_parameter_problems(card),
        *_name_problems(card),
    ]


def _words(what: str, names: Iterable[str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        problem = word_problem(what, name)
        if problem:
            yield problem


def _parameter_names(what: str, names: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with the first words of lines below the rate row."""
    for name in dict.fromkeys(names):
        problem = word_problem(what, name)
        if problem:
            yield problem
        elif BEGINS_WITH_DIGIT.match(name):
            yield f"{what} {shown(name)} begins with a digit; Combine would call it {shown('theta' + name)}"
        elif name.startswith("--"):
            yield f"{what} {shown(name)} begins with '--', which begins a comment"
        elif name.endswith("[nofloat]"):
            yield f"{what} {shown(name)} ends in '[nofloat]'; set no_float instead"


def _numbers(place: str, numbers: Iterable[float | None]) -> Iterator[str]:
    for number in numbers:
        if number is not None and not math.isfinite(number):
            yield f"{place}: {number} is not a finite number"


def _channel_problems(card: Card) -> Iterator[str]:
    names = [channel.name for channel in card.channels]
    yield from _words("channel", names)
    for name in names:
        if not card.columns_of(name):
            yield f"channel {shown(name)} has no process, and a card cannot say that"
    for channel in card.channels:
        yield from _numbers(f"channel {channel.name}, observation", [channel.observation])
    missing = [channel.name for channel in card.channels if channel.observation is None]
    if missing and len(missing) < len(names):
        yield f"channel {shown(missing[0])} has no observation while others have one; give all of them one, or none"
    appearance = list(dict.fromkeys(column.channel for column in card.columns))
    if missing and len(missing) == len(names) and len(appearance) == len(names) and appearance != names:
        yield "without observations the channels must stand in the order in which their columns appear"


def _column_problems(card: Card) -> Iterator[str]:
    yield from _words("process", (column.process for column in card.columns))
    for column in card.columns:
        yield from _numbers(f"{column.place}, rate", [column.rate])


def _shape_problems(card: Card) -> Iterator[str]:
    for rule in card.shapes:
        place = f"shapes of process {rule.process}, channel {rule.channel}"
        words = {"process": rule.process, "channel": rule.channel, "file": rule.path}
        if rule.path == FAKE:
            if rule.nominal or rule.systematic:
                yield f"{place}: {FAKE} takes no template names"
        else:
            words["template name"] = rule.nominal
            if rule.systematic:
                words["name of varied templates"] = rule.systematic
        for what, word in words.items():
            # Nothing is cut at '#' above the rate row.
            problem = word_problem(what, word.replace("#", "_"))
            if problem:
                yield f"{place}: {problem}"


def _nuisance_problems(card: Card) -> Iterator[str]:
    yield from _parameter_names("nuisance", (row.name for row in card.nuisances))
    yield from _words("template name", (row.template_name for row in card.nuisances if row.template_name is not None))
    seen: dict[Effect, bool] = {}
    for row in card.nuisances:
        place = f"nuisance {row.name} ({row.kind})"
        yield from _numbers(place, row.arguments)
        if word_problem("kind", row.kind):
            yield f"{place}: not a kind of nuisance"
        for effect in dict.fromkeys(row.effects):
            if effect not in seen:
                seen[effect] = _is_finite(effect)
            if not seen[effect]:
                yield f"{place}: {effect} is not a finite number"


def _is_finite(effect: Effect) -> bool:
    if isinstance(effect, tuple):
        return all(map(math.isfinite, effect))
    return effect is None or math.isfinite(effect)


def _parameter_problems(card: Card) -> Iterator[str]:
    for parameter in card.parameters:
        sigma = parameter.sigma if isinstance(parameter.sigma, tuple) else (parameter.sigma,)
        yield from _numbers(f"param {parameter.name}", (parameter.mean, *sigma, *(parameter.range or ())))
    for extra in card.external_arguments:
        yield from _numbers(f"extArg {extra.name}", (extra.value, *(extra.range or ())))
    for rate in card.rate_parameters:
        place = f"rateParam {rate.name}"
        yield from _words(f"{place}: pattern", (rate.channel, rate.process))
        yield from _numbers(place, (rate.value, *(rate.range or ())))
        if (rate.formula is None) == (rate.value is None):
            yield f"{place}: has neither or both of a value and a formula, expected one of them"
        if rate.formula is not None:
            yield from _words(f"{place}: formula", [rate.formula])
            yield from _words(f"{place}: argument", rate.arguments)
    for constraint in card.constraints:
        place = f"constr {constraint.name}"
        yield from _words(f"{place}: formula", [constraint.formula])
        yield from _words(f"{place}: argument", constraint.arguments)
        for variable in constraint.defined:
            yield from _numbers(place, (variable.value, *(variable.range or ())))
            if variable.name not in (*constraint.arguments, constraint.sigma):
                yield f"{place}: defines {variable.name}, which it does not use"
            if variable.constant == (variable.range is not None):
                yield f"{place}: variable {variable.name} must be either constant or have a range"
        if not isinstance(constraint.sigma, str):
            yield from _numbers(place, [constraint.sigma])


def _name_problems(card: Card) -> Iterator[str]:
    yield from _parameter_names("param", (parameter.name for parameter in card.parameters))
    yield from _parameter_names("constr", (constraint.name for constraint in card.constraints))
    yield from _parameter_names("flatParam", card.flat_parameters)
    yield from _parameter_names("extArg", (extra.name for extra in card.external_arguments))
    yield from _parameter_names("rateParam", (rate.name for rate in card.rate_parameters))
    yield from _parameter_names("group", (group.name for group in card.groups))
    for group in card.groups:
        yield from _words(f"group {group.name}: member", group.members)
    yield from _words("autoMCStats channel", (line.channel for line in card.mc_stats))
    for line in card.mc_stats:
        yield from _numbers(f"autoMCStats of {line.channel}", [line.threshold])
    yield from _words("frozen parameter", card.frozen)
