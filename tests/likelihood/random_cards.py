"""Small random cards that use everything the likelihood knows, for comparison with the slow twin."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pocket_combine.card.model import (
    FAKE,
    AutoMCStats,
    Card,
    Channel,
    Column,
    Constraint,
    Effect,
    ExternalArgument,
    Nuisance,
    Parameter,
    RateParameter,
    ShapeRule,
)
from pocket_combine.likelihood import Model
from pocket_combine.templates import FloatArray, Templates

FORMULAS: dict[str, Callable[..., float]] = {
    "(@0*(1+0.1*@1))": lambda a, b: a * (1 + 0.1 * b),
    "@0*@1/2.0": lambda a, b: a * b / 2.0,
    "TMath::Exp(0.2*@0)*@1^2": lambda a, b: math.exp(0.2 * a) * b**2,
    "max(@0,@1)-0.1*min(@0,@1)": lambda a, b: max(a, b) - 0.1 * min(a, b),
    "@0>1.5?@1:1.5*sqrt(@1/1.5)": lambda a, b: b if a > 1.5 else 1.5 * math.sqrt(b / 1.5),
    "(@0-2*@1)": lambda a, b: a - 2 * b,
}
PROCESSES = ("sigA", "sigB", "bkgA", "bkgB", "bkgC")


@dataclass(frozen=True)
class Case:
    """A card with its templates and a map of parameters of interest."""

    card: Card
    templates: dict[str, Templates]
    pois: dict[str, str] | None


def random_case(seed: int) -> Case:
    """Return a card; the same seed gives the same one."""
    return _Maker(seed).case()


def random_point(model: Model, rng: np.random.Generator) -> FloatArray:
    """Return parameter values inside their ranges, Gaussian ones up to a few standard deviations away."""
    values = []
    for parameter in model.parameters:
        low, high = parameter.range
        if parameter.kind in ("gmN", "gmM", "rateParam", "extArg") or "poisson" in str(parameter.constraint):
            value = parameter.initial * float(rng.uniform(0.6, 1.5))
        elif parameter.is_signal_strength:
            value = float(rng.uniform(0.0, 2.5))
        else:
            value = parameter.initial + 1.2 * float(rng.normal())
        values.append(min(max(value, low + 1e-3), high - 1e-3))
    return np.array(values)


class _Maker:
    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.columns: list[Column] = []
        self.morphing: dict[tuple[str, str], str] = {}
        self.contents: dict[str, dict[str, FloatArray]] = {}
        self.varied: dict[str, dict[tuple[str, str], tuple[FloatArray, FloatArray]]] = {}

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def case(self) -> Case:
        names = [f"c{i}" for i in range(int(self.rng.integers(1, 4)))]
        counting = self.chance(0.15)
        fake = [name for name in names if counting or self.chance(0.15)]
        for name in names:
            self._fill_channel(name, is_fake=name in fake)
        rows = [self._row(f"n{i}") for i in range(int(self.rng.integers(3, 9)))]
        if self.chance(0.3):
            rows.append(self._sideband("side"))
        if rows[0].kind == "lnN":
            rows.append(self._log_normal(rows[0].name, "lnN"))
        shapes = () if counting else (ShapeRule("*", "*", "f.root", "h"), *(ShapeRule("*", c, FAKE) for c in fake))
        card = Card(
            tuple(Channel(name, float(self.rng.poisson(12)) if name in fake else -1.0) for name in names),
            tuple(self.columns),
            shapes,
            tuple(rows),
            (Parameter("pSym", 1.0, 0.1), Parameter("pAsym", 0.2, (0.3, 0.5), (-1.0, 3.0))),
            (ExternalArgument("ext", 1.3), ExternalArgument("fixed", 0.7, constant=True)),
            rate_parameters=self._rate_parameters(),
            constraints=self._constraints(),
            mc_stats=tuple(self._mc_stats(name) for name in names if name not in fake and self.chance(0.6)),
        )
        return Case(card, {name: self._templates(name) for name in names if name not in fake}, self._pois())

    # ------------------------------------------------------------------ columns and templates

    def _fill_channel(self, name: str, *, is_fake: bool) -> None:
        bins = int(self.rng.integers(1, 6))
        for process in ["bkgA", *(p for p in PROCESSES if p != "bkgA" and self.chance(0.6))]:
            total = 10 ** self.uniform(0, 2)
            rate = total
            if not is_fake:
                contents = self.rng.random(bins) + 0.1
                contents[self.rng.random(bins) < 0.15] = 0.0
                contents[0] += 1.0
                if bins > 2 and self.chance(0.2):
                    contents[1] = -0.02
                contents *= total / contents.sum()
                self.contents.setdefault(name, {})[process] = contents
                rate = -1.0 if self.chance(0.5) else total * self.uniform(0.995, 1.005)
            if process == "bkgC" and self.chance(0.3):
                rate = 0.0
            self.morphing[name, process] = "shapeN" if self.chance(0.4) else "shape"
            self.columns.append(Column(name, process, 0 if process.startswith("sig") else 1, rate))

    def _templates(self, name: str) -> Templates:
        nominal = self.contents[name]
        bins = next(iter(nominal.values())).size
        variances = {}
        for process, contents in nominal.items():
            per_event = 10 ** self.uniform(-1.5, 0.7)
            variances[process] = np.abs(contents) * per_event
            variances[process][self.rng.random(bins) < 0.1] = 0.0
            variances[process][(contents == 0) & (self.rng.random(bins) < 0.5)] = per_event**2
        total = np.sum(list(nominal.values()), axis=0)
        observation = self.rng.poisson(np.maximum(total, 0.0)) + (0.5 if self.chance(0.2) else 0.0)
        return Templates.of(
            np.arange(bins + 1.0),
            dict(nominal),
            dict(self.varied.get(name, {})),
            variances=variances,
            observation=observation,
        )

    # ------------------------------------------------------------------ rows

    def _row(self, name: str) -> Nuisance:
        kind = str(self.rng.choice(["lnN", "lnN", "lnU", "gmM", "trG", "unif", "dFD", *["shape"] * 9]))
        if kind in ("lnN", "lnU"):
            return self._log_normal(name, kind)
        if kind == "shape":
            return self._shape(name)
        value = self.uniform(0.05, 0.3)
        sign = -1.0 if kind in ("trG", "dFD") and self.chance(0.5) else 1.0
        effects = tuple(sign * value if self.chance(0.5) else None for _ in self.columns)
        arguments: dict[str, tuple[float, ...]] = {"unif": (-1.0, 2.0), "dFD": (5.0,)}
        return Nuisance(name, kind, effects, arguments.get(kind, ()))

    def _log_normal(self, name: str, kind: str) -> Nuisance:
        return Nuisance(name, kind, tuple(self._kappa() if self.chance(0.7) else None for _ in self.columns))

    def _kappa(self) -> Effect:
        if self.chance(0.4):
            return self.uniform(0.8, 1.3)
        if self.chance(0.2):
            return (1 / 1.1, 1.1000001)
        return (self.uniform(0.7, 1.1), self.uniform(0.9, 1.4))

    def _sideband(self, name: str) -> Nuisance:
        chosen = int(self.rng.integers(len(self.columns)))
        return Nuisance(
            name,
            "gmN",
            tuple(0.7 if i == chosen else None for i in range(len(self.columns))),
            (float(self.rng.integers(0, 12)),),
        )

    def _shape(self, name: str) -> Nuisance:
        """A row of one family; columns of the other family are left out."""
        family = "shapeN" if self.chance(0.4) else "shape"
        kinds = {"shape": ("shape", "shape?", "shapeU"), "shapeN": ("shapeN", "shapeN?", "shapeN")}[family]
        chosen = str(self.rng.choice(kinds, p=(0.7, 0.2, 0.1)))
        effects: list[Effect] = []
        for column in self.columns:
            contents = self.contents.get(column.channel, {}).get(column.process)
            if self.morphing[column.channel, column.process] != family or self.chance(0.2):
                effects.append(None)
            elif contents is None or ("?" in chosen and self.chance(0.3)):
                effects.append(1.15)
            else:
                effects.append(float(self.rng.choice([1.0, 1.0, 0.5, 0.3, 2.0])))
                variation = self._vary(contents)
                self.varied.setdefault(column.channel, {})[column.process, name] = variation
        return Nuisance(name, chosen, tuple(effects))

    def _vary(self, contents: FloatArray) -> tuple[FloatArray, FloatArray]:
        size = 10 ** self.uniform(-2.5, -0.3)
        up = contents * (1 + size * self.rng.normal(size=contents.size))
        down = contents * (1 - size * self.rng.normal(size=contents.size))
        if self.chance(0.15):
            down = contents.copy()
        if self.chance(0.2):
            up[-1] = 0.0
        up[0], down[0] = abs(up[0]) + 0.1, abs(down[0]) + 0.1
        if self.chance(0.2):
            # Yield effects below a permille on both sides are dropped.
            up, down = (varied * contents.sum() * 1.0004 / varied.sum() for varied in (up, down))
        return up, down

    # ------------------------------------------------------------------ other lines

    def _rate_parameters(self) -> tuple[RateParameter, ...]:
        lines = []
        if self.chance(0.5):
            lines.append(RateParameter("free", "*", "bkg*", 1.2))
        if self.chance(0.5):
            lines.append(RateParameter("ranged", "c0", "bkgA", 0.9, (0.0, 5.0)))
        if self.chance(0.6):
            formula = str(self.rng.choice(list(FORMULAS)[:5]))
            lines.append(RateParameter("formula", "c*", "bkgA", formula=formula, arguments=("pSym", "ext")))
            if self.chance(0.5):
                arguments = ("formula", "fixed")
                lines.append(RateParameter("nested", "*", "*A", formula="@0*@1/2.0", arguments=arguments))
        return tuple(lines)

    def _constraints(self) -> tuple[Constraint, ...]:
        if self.chance(0.7):
            return ()
        return (Constraint("smooth", "(@0-2*@1)", ("pSym", "pAsym"), 0.4 if self.chance(0.5) else "ext"),)

    def _mc_stats(self, name: str) -> AutoMCStats:
        threshold = float(self.rng.choice([-1.0, 0.0, 0.0, 5.0, 30.0, 1000.0]))
        return AutoMCStats(name, threshold, self.chance(0.4), 2 if self.chance(0.3) else 1)

    def _pois(self) -> dict[str, str] | None:
        if self.chance(0.7):
            return None
        signals = {f"/{column.process}": None for column in self.columns if column.is_signal}
        result = {f".*{signal}": f"mu{signal[1:]}[1,0,10]" for signal in signals}
        return {".*/.*": "1", **result, "c0/bkgA": "kappa[0.8,0,3]"}
