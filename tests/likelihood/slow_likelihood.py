"""The likelihood once more, slow and obvious: one number at a time, in the order of the formulas.

It shares no code with `pocket_combine.likelihood` and takes the same `Card` and `Templates`. Parameters are a
dictionary from name to value; formulas are Python callables given by their text.
"""

from __future__ import annotations

import fnmatch
import math
import re
import struct
from collections.abc import Callable, Mapping

from pocket_combine.card.model import Card, Column, Effect, Nuisance
from pocket_combine.templates import Templates

Formulas = Mapping[str, Callable[..., float]]
Variation = tuple[float, float, list[float], list[float]]
"""Strength, value of the nuisance, template up, template down."""


def smooth_step(u: float) -> float:
    """h(u), continued by the sign."""
    if u >= 1:
        return 1.0
    if u <= -1:
        return -1.0
    return u * (3 * u**4 - 10 * u**2 + 15) / 8


def log_normal(theta: float, log_down: float, log_up: float) -> float:
    """The logarithm of the yield ratio of an asymmetric log-normal."""
    return theta * ((log_up - log_down) / 2 + (log_up + log_down) / 2 * smooth_step(2 * theta))


class Twin:
    """Expected events and negative log-likelihood of a card."""

    def __init__(
        self,
        card: Card,
        templates: Mapping[str, Templates],
        *,
        formulas: Formulas | None = None,
        pois: Mapping[str, str] | None = None,
        exact: bool = False,
    ) -> None:
        self.card = card
        self.templates = templates
        self.formulas = dict(formulas or {})
        self.exact = exact
        self.floor = 0.0 if exact else 1e-9
        self.pois: dict[str, float] = {}
        self.scaling: dict[tuple[str, str], str | None] = {}
        self._map_pois(pois)
        self.columns = [column for column in card.columns if self._is_kept(column)]
        self.longest = max((t.bins for t in templates.values()), default=1)
        self.initial: dict[str, float] = {}
        self._collect_parameters()
        self.bin_parameters: dict[tuple[str, int], list[tuple[str, str, str | None, float]]] = {}
        for channel in card.channels:
            self._decide_bin_parameters(channel.name)

    # ------------------------------------------------------------------ what is in the model

    def _map_pois(self, pois: Mapping[str, str] | None) -> None:
        if pois is None:
            self.pois["r"] = 1.0
            for column in self.card.columns:
                self.scaling[column.channel, column.process] = "r" if column.is_signal else None
            return
        for column in self.card.columns:
            scale: str | None = None
            for patterns, expression in pois.items():
                name, _, rest = expression.partition("[")
                if rest:
                    self.pois.setdefault(name, float(rest.rstrip("]").split(",")[0]))
                for pattern in patterns.split(","):
                    if re.match(pattern, f"{column.channel}/{column.process}"):
                        scale = None if name == "1" else name
            self.scaling[column.channel, column.process] = scale

    def _is_kept(self, column: Column) -> bool:
        if self.scaling[column.channel, column.process] == "0":
            return False
        return column.rate != 0 or self._count(column) is not None

    def _effect(self, nuisance: Nuisance, column: Column) -> Effect:
        effect = nuisance.effects[self.card.column_index[column.channel, column.process]]
        if nuisance.kind in ("lnN", "lnU") and effect == 1.0:
            return None
        is_shape = nuisance.kind.startswith("shape") and "?" not in nuisance.kind
        return None if is_shape and column.channel not in self.templates else effect

    def _is_shape(self, nuisance: Nuisance, column: Column) -> bool:
        if not nuisance.kind.startswith("shape"):
            return False
        if "?" in nuisance.kind:
            templates = self.templates.get(column.channel)
            return templates is not None and (column.process, nuisance.name) in templates.pairs
        return True

    def _count(self, column: Column) -> tuple[float, float] | None:
        """(sideband count, alpha) of the column's gmN row."""
        for nuisance in self.card.nuisances:
            effect = self._effect(nuisance, column)
            if nuisance.kind == "gmN" and effect is not None:
                assert isinstance(effect, float)
                return nuisance.arguments[0], effect
        return None

    def _collect_parameters(self) -> None:
        self.initial.update(self.pois)
        for nuisance in self.card.nuisances:
            cells = [effect for effect in (self._effect(nuisance, column) for column in self.columns) if effect]
            if not cells:
                continue
            start = 0.0
            if nuisance.kind == "gmN":
                start = nuisance.arguments[0] + 1
            elif nuisance.kind == "gmM":
                start = 1.0
            elif nuisance.kind == "unif":
                start = (nuisance.arguments[0] + nuisance.arguments[1]) / 2
            self.initial.setdefault(nuisance.name, start)
        for parameter in self.card.parameters:
            self.initial[parameter.name] = parameter.mean
        for argument in self.card.external_arguments:
            self.initial[argument.name] = argument.value
        for rate in self.card.rate_parameters:
            if rate.value is not None:
                self.initial.setdefault(rate.name, rate.value)

    # ------------------------------------------------------------------ rounding

    def single(self, value: float) -> float:
        if self.exact:
            return value
        return float(struct.unpack("f", struct.pack("f", value))[0])

    def decimals(self, value: float) -> float:
        return value if self.exact else round(value, 6)

    def digits(self, value: float) -> float:
        return value if self.exact else float(f"{value:.6g}")

    # ------------------------------------------------------------------ section 3: normalisation

    def auto_mc_stats(self, channel: str) -> tuple[float, bool, int] | None:
        result = None
        for line in self.card.mc_stats:
            if fnmatch.fnmatchcase(channel, line.channel):
                result = (line.threshold, line.include_signal, line.hist_mode)
        return result

    def formula_values(self, theta: Mapping[str, float]) -> dict[str, float]:
        values = dict(theta)
        waiting = {rate.name: rate for rate in self.card.rate_parameters if rate.formula is not None}
        while waiting:
            for name, rate in list(waiting.items()):
                if all(argument in values for argument in rate.arguments):
                    values[name] = self.formulas[rate.formula](*(values[a] for a in rate.arguments))  # type: ignore[index]  # not None here
                    del waiting[name]
        return values

    def normalisation(self, column: Column, theta: Mapping[str, float]) -> float:
        """C of a column."""
        values = self.formula_values(theta)
        log_sum = 0.0
        log_normals = 0
        factors = []
        scale = self.scaling[column.channel, column.process]
        if scale is not None:
            factors.append(values[scale])
        for nuisance in self.card.nuisances:
            effect = self._effect(nuisance, column)
            if effect is None or nuisance.name not in self.initial:
                continue
            value = theta[nuisance.name]
            if self._is_shape(nuisance, column):
                log_sum += self._shape_normalisation(column, nuisance, effect, value)
            elif nuisance.kind in ("lnN", "lnU") or "?" in nuisance.kind:
                log_normals += 1
                log_sum += self._log_of_log_normal(effect, value)
            elif nuisance.kind in ("gmN", "gmM"):
                factors.append(value)
            elif not nuisance.kind.startswith("shape"):
                assert isinstance(effect, float)
                factors.append(1 + self.decimals(effect) * value)
        for line in self.card.rate_parameters:
            if fnmatch.fnmatchcase(column.channel, line.channel) and fnmatch.fnmatchcase(column.process, line.process):
                factors.append(values[line.name])
        base = self._base(column)
        if not factors and not log_normals:
            base = self.digits(base)
        return base * math.exp(log_sum) * math.prod(factors)

    def _base(self, column: Column) -> float:
        templates = self.templates.get(column.channel)
        count = self._count(column)
        if templates is not None and self.auto_mc_stats(column.channel) is not None:
            return 1.0 if count is None or count[0] == 0 else 1 / count[0]
        if count is not None:
            return count[1]
        if templates is not None and column.rate == -1:
            return float(sum(templates.values[templates.column_index[column.process]].tolist()))
        return column.rate

    def _log_of_log_normal(self, effect: Effect, value: float) -> float:
        if isinstance(effect, tuple):
            down, up = effect
            if not self.exact and abs(down * up - 1) < 1e-5:
                down = 1 / up
            return log_normal(value, math.log(down), math.log(up))
        assert effect is not None
        return value * math.log(effect)

    def _shape_normalisation(self, column: Column, nuisance: Nuisance, strength: Effect, value: float) -> float:
        settings = self.auto_mc_stats(column.channel)
        if settings is not None and settings[2] == 2:
            return 0.0
        assert isinstance(strength, float)
        templates = self.templates[column.channel]
        row = templates.pair_index[column.process, nuisance.name]
        nominal = sum(templates.values[templates.column_index[column.process]].tolist())
        up = sum(templates.up[row].tolist()) / nominal
        down = sum(templates.down[row].tolist()) / nominal
        if not self.exact and abs(up - 1) < 1e-3 and abs(down - 1) < 1e-3:
            return 0.0
        return log_normal(value, math.log(self.decimals(down**strength)), math.log(self.decimals(up**strength)))

    # ------------------------------------------------------------------ section 4: morphing

    def template(self, column: Column, theta: Mapping[str, float]) -> list[float]:
        """T of a column: fractions in path A, events in path B, and 1 in a counting channel."""
        if column.channel not in self.templates:
            return [1.0]
        templates = self.templates[column.channel]
        nominal = [self.single(v) for v in templates.values[templates.column_index[column.process]].tolist()]
        morphs = []
        logarithmic = False
        for nuisance in self.card.nuisances:
            effect = self._effect(nuisance, column)
            if effect is None or not self._is_shape(nuisance, column):
                continue
            assert isinstance(effect, float)
            logarithmic = "shapeN" in nuisance.kind
            row = templates.pair_index[column.process, nuisance.name]
            up = [self.single(v) for v in templates.up[row].tolist()]
            down = [self.single(v) for v in templates.down[row].tolist()]
            morphs.append((effect, theta[nuisance.name], up, down))
        settings = self.auto_mc_stats(column.channel)
        if settings is None:
            return self._template_of_fractions(nominal, morphs, logarithmic)
        if settings[2] == 1:
            morphs = [(s, x, self._rescaled(up, nominal), self._rescaled(down, nominal)) for s, x, up, down in morphs]
        return self._template_of_events(nominal, morphs, logarithmic)

    def _template_of_fractions(self, nominal: list[float], morphs: list[Variation], logarithmic: bool) -> list[float]:
        base = self._fractions(nominal)
        varied = [(s, x, self._fractions(up), self._fractions(down)) for s, x, up, down in morphs]
        if logarithmic:
            result = self._morph_logarithms(base, varied)
        else:
            start = list(base)
            if morphs and len(base) < self.longest:
                start = [max(value, self.floor) for value in base]
            result = [max(value, self.floor) for value in self._morph(start, base, varied)]
        total = sum(result)
        if not morphs:
            total += (self.longest - len(base)) * self.floor
        return [value / total for value in result] if total > 0 else result

    def _template_of_events(self, nominal: list[float], morphs: list[Variation], logarithmic: bool) -> list[float]:
        if logarithmic:
            result = self._morph_logarithms(nominal, morphs)
            total = sum(result)
            result = [value * sum(nominal) / total for value in result]
        else:
            result = self._morph(nominal, nominal, morphs)
        return [max(value, self.floor) for value in result]

    @staticmethod
    def _width(morphs: list[Variation]) -> float:
        return min([1.0] + [strength for strength, _, _, _ in morphs])

    def _morph(self, start: list[float], base: list[float], morphs: list[Variation]) -> list[float]:
        result = list(start)
        for strength, theta, up, down in morphs:
            x = strength * theta
            step = smooth_step(x / self._width(morphs))
            for j, nominal in enumerate(base):
                result[j] += x / 2 * ((up[j] - down[j]) + step * (up[j] + down[j] - 2 * nominal))
        return result

    def _morph_logarithms(self, base: list[float], morphs: list[Variation]) -> list[float]:
        result = [math.log(value) if value > 0 else -999.0 for value in base]
        for strength, theta, up, down in morphs:
            x = strength * theta
            step = smooth_step(x / self._width(morphs))
            for j, nominal in enumerate(base):
                a = math.log(up[j] / nominal) if up[j] > 0 and nominal > 0 else 0.0
                b = math.log(down[j] / nominal) if down[j] > 0 and nominal > 0 else 0.0
                result[j] += x / 2 * ((a - b) + step * (a + b))
        return [math.exp(value) for value in result]

    @staticmethod
    def _fractions(contents: list[float]) -> list[float]:
        total = sum(contents)
        return [value / total for value in contents] if total > 0 else contents

    def _rescaled(self, varied: list[float], nominal: list[float]) -> list[float]:
        total = sum(varied)
        return [self.single(value * (sum(nominal) / total)) for value in varied] if total > 0 else varied

    # ------------------------------------------------------------------ section 5: bin parameters

    def errors(self, column: Column) -> list[float]:
        templates = self.templates[column.channel]
        return [math.sqrt(v) for v in templates.variances[templates.column_index[column.process]].tolist()]

    def _decide_bin_parameters(self, channel: str) -> None:
        settings = self.auto_mc_stats(channel)
        if settings is None or settings[0] < 0 or channel not in self.templates:
            return
        threshold, include_signal, _ = settings
        columns = [column for column in self.columns if column.channel == channel]
        counted = [column for column in columns if include_signal or not column.is_signal]
        for j in range(self.templates[channel].bins):
            total = 0.0
            square = 0.0
            for column in counted:
                c = self.normalisation(column, self.initial)
                total += c * self.template(column, self.initial)[j]
                square += (c * self.errors(column)[j]) ** 2
            if square <= 0:
                continue
            entries: list[tuple[str, str, str | None, float]] = []
            name = f"prop_bin{channel}_bin{j}"
            if math.floor(0.5 + total**2 / square) > threshold:
                entries.append((name, "total", None, 0.0))
            else:
                for column in columns:
                    e = self.errors(column)[j]
                    t = self.template(column, self.initial)[j]
                    if e <= 0:
                        continue
                    events = math.floor(0.5 + t**2 / e**2)
                    own = f"{name}_{column.process}"
                    if t > 0 and t >= 0.999 * e and events <= threshold:
                        entries.append((own, "poisson", column.process, float(events)))
                    else:
                        entries.append((own, "gaussian", column.process, 0.0))
            self.bin_parameters[channel, j] = entries
        for (owner, _), entries in self.bin_parameters.items():
            if owner == channel:
                for name, kind, _, count in entries:
                    self.initial[name] = count if kind == "poisson" else 0.0

    # ------------------------------------------------------------------ expected events

    def process_yields(self, theta: Mapping[str, float]) -> dict[str, dict[str, list[float]]]:
        """Expected events per channel, process and bin, without bin parameters."""
        result: dict[str, dict[str, list[float]]] = {channel.name: {} for channel in self.card.channels}
        for column in self.columns:
            c = self.normalisation(column, theta)
            result[column.channel][column.process] = [c * t for t in self.template(column, theta)]
        return result

    def totals(self, theta: Mapping[str, float]) -> dict[str, list[float]]:
        """Expected events per channel and bin, with bin parameters."""
        yields = self.process_yields(theta)
        result = {}
        for channel in self.card.channels:
            columns = [column for column in self.columns if column.channel == channel.name]
            bins = self.templates[channel.name].bins if channel.name in self.templates else 1
            totals = [sum(yields[channel.name][column.process][j] for column in columns) for j in range(bins)]
            path_b = channel.name in self.templates and self.auto_mc_stats(channel.name) is not None
            for j in range(bins if path_b else 0):
                for name, kind, process, count in self.bin_parameters.get((channel.name, j), []):
                    for column in columns:
                        error = self.normalisation(column, theta) * self.errors(column)[j]
                        if kind == "poisson" and column.process == process:
                            totals[j] += yields[channel.name][process][j] * (theta[name] / count - 1)
                        if kind == "gaussian" and column.process == process:
                            totals[j] += error * theta[name]
                    if kind == "total":
                        square = sum((self.normalisation(c, theta) * self.errors(c)[j]) ** 2 for c in columns)
                        totals[j] += theta[name] * math.sqrt(square)
                totals[j] = max(totals[j], self.floor)
            result[channel.name] = totals
        return result

    # ------------------------------------------------------------------ section 7: the likelihood

    def constraint(self, theta: Mapping[str, float], observables: Mapping[str, float]) -> float:
        """Sum of the constraint terms; `observables` holds those global observables that were moved."""
        result = 0.0
        done = set()
        for nuisance in self.card.nuisances:
            if nuisance.name in self.initial and nuisance.name not in done:
                done.add(nuisance.name)
                result += self._row_constraint(nuisance, theta[nuisance.name], observables.get(nuisance.name))
        for parameter in self.card.parameters:
            shift = theta[parameter.name] - observables.get(parameter.name, parameter.mean)
            sigma = parameter.sigma
            if isinstance(sigma, tuple):
                sigma = sigma[0] if shift < 0 else sigma[1]
            result += shift**2 / (2 * sigma**2)
        for line in self.card.constraints:
            width = theta[line.sigma] if isinstance(line.sigma, str) else line.sigma
            result += self.formulas[line.formula](*(theta[a] for a in line.arguments)) ** 2 / (2 * width**2)
        for entries in self.bin_parameters.values():
            for name, kind, _, count in entries:
                if kind == "poisson":
                    observed = observables.get(name, count)
                    result += theta[name] - observed * math.log(theta[name]) + math.lgamma(observed + 1)
                else:
                    result += (theta[name] - observables.get(name, 0.0)) ** 2 / 2
        return result

    def _row_constraint(self, nuisance: Nuisance, value: float, observable: float | None) -> float:
        if nuisance.kind in ("lnU", "unif", "shapeU"):
            return 0.0
        if nuisance.kind == "gmN":
            count = nuisance.arguments[0] if observable is None else observable
            return value - count * math.log(value) + math.lgamma(count + 1)
        if nuisance.kind == "gmM":
            v = next(effect for effect in nuisance.effects if effect is not None)
            assert isinstance(v, float)
            a = self.digits(1 / v**2) if observable is None else observable
            b = self.digits(v**2)
            return -(a - 1) * math.log(value / b) + value / b + math.lgamma(a) + math.log(b)
        shift = value - (observable or 0.0)
        if nuisance.kind == "dFD":
            a = nuisance.arguments[0]
            return math.log(2 * (1 + math.exp(a * (shift - 1))) * (1 + math.exp(-a * (shift + 1))))
        return shift**2 / 2

    def nll(
        self,
        theta: Mapping[str, float],
        observations: Mapping[str, list[float]] | None = None,
        observables: Mapping[str, float] | None = None,
        masks: tuple[str, ...] = (),
    ) -> float:
        """The value of section 7.1, constants included."""
        result = self.constraint(theta, observables or {})
        totals = self.totals(theta)
        for channel in self.card.channels:
            if channel.name in masks:
                continue
            data = (observations or {}).get(channel.name)
            if data is None:
                data = self.observed(channel.name)
            expected = totals[channel.name]
            columns = [column for column in self.columns if column.channel == channel.name]
            path_b = channel.name in self.templates and self.auto_mc_stats(channel.name) is not None
            result += sum(expected) if path_b else sum(self.normalisation(column, theta) for column in columns)
            events = sum(data)
            result -= events
            if events > 0:
                result += events * math.log(events)
            for n, value in zip(data, expected, strict=True):
                if n > 0:
                    result -= n * math.log(value) if value > 0 else -math.inf
        return result

    def observed(self, channel: str) -> list[float]:
        if channel in self.templates:
            observation = self.templates[channel].observation
            assert observation is not None
            return [self.single(value) for value in observation.tolist()]
        observation_number = next(item.observation for item in self.card.channels if item.name == channel)
        assert observation_number is not None
        return [observation_number]
