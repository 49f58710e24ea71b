"""Cards made up by hypothesis: everything that a card can say, in any combination that Combine accepts."""

from __future__ import annotations

import math
import string

from hypothesis import strategies as st

from pocket_combine.card.model import (
    AutoMCStats,
    Card,
    Channel,
    Column,
    Constraint,
    Effect,
    ExternalArgument,
    Group,
    Nuisance,
    Parameter,
    RateParameter,
    ShapeRule,
)

_FIRST = string.ascii_letters + "_"
_LATER = _FIRST + string.digits + "-+.%é"

names = st.builds("".join, st.tuples(st.sampled_from(_FIRST), st.text(_LATER, max_size=12))).filter(
    lambda name: name not in ("bin", "process", "rate", "shapes", "r", "MH", "FAKE")
)
positive = st.floats(min_value=1e-300, max_value=1e300)
finite = st.floats(allow_nan=False, allow_infinity=False)
kappas = positive.filter(lambda value: value != 1)
SHAPE_KINDS = ("shape", "shapeN", "shapeU", "shape?")


def ranges(value: float) -> st.SearchStrategy[tuple[float, float] | None]:
    around = st.tuples(positive, positive).map(lambda widths: (value - widths[0], value + widths[1]))
    return st.none() | around.filter(lambda ends: ends[0] < ends[1] and all(map(math.isfinite, ends)))


@st.composite
def effects(draw: st.DrawFn, kind: str, columns: int) -> tuple[Effect, ...]:
    cell: st.SearchStrategy[Effect]
    if kind in ("lnN", "lnU") or "?" in kind:
        cell = st.none() | kappas | st.tuples(positive, positive)
    elif kind in ("trG", "dFD", "dFD2"):
        cell = st.none() | finite.filter(bool)
    elif kind == "gmM":
        cell = st.none() | st.just(draw(positive))
    else:
        cell = st.none() | positive
    row = draw(st.lists(cell, min_size=columns, max_size=columns).filter(lambda row: any(e is not None for e in row)))
    return tuple(row)


@st.composite
def nuisances(draw: st.DrawFn, columns: int) -> tuple[Nuisance, ...]:
    rows: list[Nuisance] = []
    morphing = draw(st.sampled_from(["shape", "shapeN"]))
    kinds = ["lnN", "lnU", "gmM", "trG", "unif", "dFD", "dFD2", morphing, f"{morphing}U", f"{morphing}?"]
    for name in draw(st.lists(names, unique=True, max_size=6)):
        kind = draw(st.sampled_from(kinds))
        arguments: tuple[float, ...] = ()
        if kind == "unif":
            arguments = draw(st.tuples(finite, finite).filter(lambda ends: ends[0] < ends[1]))
        elif kind.startswith("dFD"):
            arguments = (draw(positive),)
        template_name = draw(st.none() | names.map(lambda text: f"{text}_T{len(rows)}")) if "shape" in kind else None
        rows.append(Nuisance(name, kind, draw(effects(kind, columns)), arguments, draw(st.booleans()), template_name))
    return tuple(rows)


@st.composite
def cards(draw: st.DrawFn) -> Card:
    """Return a strategy for cards."""
    channel_names = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    processes = draw(st.lists(names, min_size=2, max_size=4, unique=True))
    observed = draw(st.booleans())
    with_shapes = draw(st.booleans())
    counts = st.floats(min_value=0, max_value=1e12)
    channels = tuple(
        Channel(name, draw(counts | (st.just(-1.0) if with_shapes else counts)) if observed else None)
        for name in channel_names
    )
    columns = []
    for channel in channel_names:
        rate = positive | (st.just(-1.0) if with_shapes else positive)
        chosen = draw(st.lists(st.sampled_from(processes[1:]), min_size=1, unique=True))
        for process in draw(st.permutations([processes[0], *chosen])):
            signal = process == processes[0]
            process_id = draw(st.integers(-9, 0) if signal else st.integers(1, 99))
            columns.append(Column(channel, process, process_id, draw(rate)))
    rows = draw(nuisances(len(columns)))
    taken = {row.name for row in rows}
    free = names.filter(lambda name: name not in taken)
    present = list(dict.fromkeys(column.process for column in columns))
    parameters, extras, rates, constraints = draw(_parameters(free, channel_names, present))
    known = [
        *taken,
        *(item.name for item in parameters),
        *(item.name for item in extras),
        *(p.name for p in rates if p.formula is None),
    ]
    groups: tuple[Group, ...] = ()
    if known:
        members = st.lists(st.sampled_from(known), min_size=1, unique=True)
        groups = tuple(Group(name, tuple(draw(members))) for name in draw(st.lists(names, unique=True, max_size=2)))
    shapes: tuple[ShapeRule, ...] = ()
    if with_shapes:
        shapes = (
            ShapeRule(
                "*",
                "*",
                "shapes_$MASS.root",
                "$CHANNEL/$PROCESS",
                draw(st.sampled_from(["", "$CHANNEL/$PROCESS_$SYSTEMATIC"])),
            ),
        )
        shapes += tuple(
            ShapeRule("*", channel, f"{channel}.root", "$PROCESS#1") for channel in channel_names if draw(st.booleans())
        )
    mc_stats = st.builds(
        AutoMCStats, st.sampled_from([*channel_names, "*"]), finite, st.booleans(), st.sampled_from([1, 2])
    )
    return Card(
        channels,
        tuple(columns),
        shapes=shapes,
        nuisances=rows,
        parameters=parameters,
        external_arguments=extras,
        flat_parameters=tuple(draw(st.lists(names.map(lambda name: f"{name}_flat"), unique=True, max_size=2))),
        rate_parameters=rates,
        constraints=constraints,
        groups=groups,
        mc_stats=tuple(draw(st.lists(mc_stats, max_size=3))),
        frozen=tuple(draw(st.lists(st.sampled_from(known), unique=True))) if known else (),
    )


@st.composite
def _parameters(
    draw: st.DrawFn, free: st.SearchStrategy[str], channels: list[str], processes: list[str]
) -> tuple[tuple[Parameter, ...], tuple[ExternalArgument, ...], tuple[RateParameter, ...], tuple[Constraint, ...]]:
    chosen = draw(st.lists(free, unique=True, max_size=8))
    parameters, extras, rates, constraints = [], [], [], []
    patterns = (st.sampled_from([*channels, "*"]), st.sampled_from([*processes, "*"]))
    arguments = ["r", "MH"]
    for name in chosen:
        value = draw(st.floats(min_value=-1e6, max_value=1e6))
        limits = draw(ranges(value))
        what = draw(st.sampled_from(["param", "extArg", "rateParam", "formula", "constr"]))
        if what == "param":
            sigma = draw(positive | st.tuples(positive, positive))
            parameters.append(Parameter(name, value, sigma, limits, draw(st.booleans())))
            arguments.append(name)
        elif what == "extArg":
            constant = draw(st.booleans())
            extras.append(ExternalArgument(name, value, None if constant else limits, constant))
            arguments.append(name)
        elif what == "rateParam":
            where = (draw(patterns[0]), draw(patterns[1]))
            rates.append(RateParameter(name, *where, value=value, range=limits))
            arguments.append(name)
        else:
            used = tuple(draw(st.lists(st.sampled_from(arguments), min_size=1, max_size=3)))
            formula = "+".join(f"(@{position}*2)" for position in range(len(used)))
            if what == "formula":
                rates.append(RateParameter(name, draw(patterns[0]), draw(patterns[1]), formula=formula, arguments=used))
            else:
                width: float | str = draw(positive | st.sampled_from(arguments))
                variable = ExternalArgument(f"{name}_x", value, limits, constant=limits is None)
                inline = draw(st.booleans())
                if inline:
                    used, formula = (*used, variable.name), f"{formula}-@{len(used)}"
                constraints.append(Constraint(name, formula, used, width, (variable,) if inline else ()))
    return tuple(parameters), tuple(extras), tuple(rates), tuple(constraints)
