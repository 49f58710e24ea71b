"""What every question starts from: a model, data, and how fits are made."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from pocket_combine._version import __version__
from pocket_combine.card.model import Card, Channel
from pocket_combine.card.writer import write_card
from pocket_combine.errors import CardError
from pocket_combine.inference.fitter import BestFit, FitOptions, Fitter
from pocket_combine.inference.selection import selected_parameters
from pocket_combine.inference.usable import reason
from pocket_combine.likelihood import Data, Model, build_model
from pocket_combine.results import Provenance
from pocket_combine.templates import FloatArray, Templates

__all__ = ["Blinding", "Workspace", "card_hash", "make_workspace"]


class Blinding(Enum):
    """What the data of a workspace are.

    `OBSERVED`: the observation. `ASIMOV`: the expectation at the initial parameter values; the observation is not used.
    `FREQUENTIST_ASIMOV`: the expectation after a fit to the observation, with global observables moved (Combine's
    `--toysFrequentist`); depends on the observation.
    """

    OBSERVED = "observed"
    ASIMOV = "asimov"
    FREQUENTIST_ASIMOV = "frequentist asimov"


@dataclass(frozen=True, eq=False)
class Workspace:
    """A model with data, start values and options.

    Attributes:
        model: The model.
        data: The data that fits use.
        kind: What the data are.
        start: `start[parameter]`, the values that fits start from and that frozen parameters keep.
        options: How fits are made.
        card: SHA-256 of card and templates, without the observation where the workspace is blind.
        settings: The arguments that it was made with, for results.
    """

    model: Model
    data: Data
    kind: Blinding
    start: FloatArray
    options: FitOptions
    card: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_blind(self) -> bool:
        """Whether nothing depends on the observation."""
        return self.kind is Blinding.ASIMOV

    @property
    def floating_pois(self) -> tuple[str, ...]:
        """Names of the parameters of interest that are not frozen."""
        parameters = self.model.parameters
        return tuple(name for name in parameters.pois if not parameters.get(name).frozen)

    @property
    def poi(self) -> str:
        """The first parameter of interest that is not frozen.

        Raises:
            CardError: If all are frozen.
        """
        if not self.floating_pois:
            frozen = ", ".join(self.model.parameters.pois)
            raise CardError(
                f"{frozen} is frozen, so that no parameter of interest is left; name another one of interest"
            )
        return self.floating_pois[0]

    def asked_parameter(self, name: str | None = None) -> str:
        """Return the name of the parameter that a question is about: a given one, or the first of interest.

        Raises:
            CardError: If it is frozen or not in the model.
        """
        if name is not None and self.model.parameters.get(name).frozen:
            raise CardError(f"{name} is frozen: nothing can be asked about it")
        return self.poi if name is None else name

    @property
    def injected(self) -> FloatArray:
        """`theta[parameter]` of data before any fit: start values, and signal strengths as expected."""
        return _injected(self.model, self.start, self.settings.get("expect_signal"))

    def fitter(self, data: Data | None = None, *, explicit: Iterable[str] = (), keep_ranges: bool = False) -> Fitter:
        """Return fits of the data, or of other data of the same model.

        Args:
            data: Other data.
            explicit: Bin parameters that are not profiled analytically: those to be scanned.
            keep_ranges: Whether nuisances keep the ranges of Combine's workspace.
        """
        likelihood = self.model.likelihood(self.data if data is None else data, explicit=explicit)
        options = dataclasses.replace(self.options, keep_ranges=keep_ranges or self.options.keep_ranges)
        return Fitter(likelihood, options)

    def start_of(self, fitter: Fitter) -> FloatArray:
        """Return the start values in the order of a fitter's parameters."""
        result: FloatArray = self.start[self.model.parameters.indices(fitter.parameters.names)]
        return result

    def provenance(self, seed: int | None = None, **options: Any) -> Provenance:
        """Return where a result comes from."""
        return Provenance(self.card, __version__, self.kind.value, {**self.settings, **options}, seed)


def card_hash(card: Card, templates: Mapping[str, Templates], *, blind: bool = False) -> str:
    """Return the SHA-256 of a card and its templates, which does not depend on files or their names.

    Args:
        card: The card.
        templates: Templates by channel.
        blind: Whether the observation is left out, so that the hash tells nothing about it.
    """
    digest = hashlib.sha256()
    if blind:
        card = dataclasses.replace(card, channels=tuple(Channel(channel.name, -1.0) for channel in card.channels))
        templates = {name: dataclasses.replace(part, observation=None) for name, part in templates.items()}
    digest.update(write_card(dataclasses.replace(card, shapes=())).encode())
    for channel in sorted(templates):
        part = templates[channel]
        digest.update(repr((channel, part.columns, part.pairs)).encode())
        for name in ("edges", "values", "variances", "up", "down", "observation"):
            array = getattr(part, name)
            digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def make_workspace(
    card: Card,
    templates: Mapping[str, Templates],
    *,
    kind: Blinding = Blinding.ASIMOV,
    expect_signal: float | None = None,
    pois: Mapping[str, str] | None = None,
    masks: Sequence[str] = (),
    freeze: Sequence[str] = (),
    freeze_groups: Sequence[str] = (),
    values: Mapping[str, float] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    options: FitOptions | None = None,
    mass: float | None = None,
    exact: bool = False,
    redefine_pois: Sequence[str] = (),
) -> Workspace:
    """Return a workspace of a card.

    Args:
        card: The card.
        templates: Templates by channel.
        kind: What the data are; without the observation by default.
        expect_signal: Value of every signal strength (parameter of the physics model) in Asimov data, in toys that
            are not frequentist, and in all toys for the goodness of fit; its start value by default, in frequentist
            toys for the goodness of fit its best one.
        pois: Signal strengths by pattern, see `build_model`.
        masks: Channels to leave out.
        freeze: Parameters to hold constant; see `selected_parameters` for words that stand for several.
        freeze_groups: Groups of parameters to hold constant; `^NAME` for all nuisances but those of a group.
        values: Start values, also of Asimov data and frozen parameters.
        ranges: Ranges of parameters.
        options: How fits are made.
        mass: Value of `MH` in formulas.
        exact: Whether Combine's roundings are left out.
        redefine_pois: Parameters of interest in place of the signal strengths, which float on unless they are frozen.

    Raises:
        CardError: If a name is not in the model, a parameter of interest is frozen, or the card has no observation
            where it is needed.
    """
    build = functools.partial(
        build_model, card, templates, pois=pois, masks=masks, ranges=ranges, mass=mass, exact=exact
    )
    model = build(redefine_pois=redefine_pois)
    frozen = selected_parameters(model.parameters, freeze, freeze_groups)
    if frozen:
        model = build(redefine_pois=redefine_pois, frozen=frozen)
    _check_interest(model, redefine_pois)
    options = options or FitOptions()
    options = dataclasses.replace(options, ranges={**options.ranges, **(ranges or {})})
    start = model.parameters.vector(values or {})
    settings = {
        "expect_signal": None if expect_signal is None else float(expect_signal),
        "pois": dict(pois) if pois else None,
        "masks": list(masks),
        "freeze": list(freeze),
        "freeze_groups": list(freeze_groups),
        "values": dict(values or {}),
        "ranges": {name: list(limits) for name, limits in (ranges or {}).items()},
        "exact": exact,
        "mass": mass,
        "redefine_pois": list(redefine_pois),
        "starts": options.starts if options.starts > 1 else None,
        "seed_of_starts": options.seed if options.starts > 1 else None,
    }
    # Numbers are told, a signal strength of 0 among them.
    settings = {name: value for name, value in settings.items() if value or isinstance(value, float)}
    data = _data(model, kind, _injected(model, start, expect_signal), options)
    digest = card_hash(card, templates, blind=kind is Blinding.ASIMOV)
    return Workspace(model, data, kind, start, options, digest, settings)


def _injected(model: Model, start: FloatArray, expect_signal: float | None) -> FloatArray:
    result: FloatArray = start.copy()
    if expect_signal is not None:
        result[[at for at, item in enumerate(model.parameters) if item.is_signal_strength]] = expect_signal
    return result


def _check_interest(model: Model, redefined: Sequence[str]) -> None:
    problems = [
        f"{name} is frozen and cannot be of interest" for name in redefined if model.parameters.get(name).frozen
    ]
    if problems:
        raise CardError(problems)


def _data(model: Model, kind: Blinding, injected: FloatArray, options: FitOptions) -> Data:
    if kind is Blinding.ASIMOV:
        return model.asimov(injected)
    if model.data is None:
        raise CardError("the card has no observation, so that nothing but Asimov data can be fitted")
    if kind is Blinding.OBSERVED:
        return model.data
    fit = conditional_fit(model, model.data, injected, options)
    return model.asimov(fit, move_global_observables=True)


def conditional_fit(
    model: Model, data: Data, values: FloatArray, options: FitOptions, fixed: Sequence[str] | None = None
) -> FloatArray:
    """Return all parameters after a fit with some parameters fixed, to make data at: nuisances keep their ranges.

    Combine lifts ranges in `MultiDimFit` and `FitDiagnostics` (`src/FitterAlgoBase.cc`), but not where it makes Asimov
    data and toys (`src/AsymptoticLimits.cc`, `src/Combine.cc`).

    Args:
        model: The model.
        data: The data.
        values: `values[parameter]`: where parameters are fixed, and where the others start.
        options: How the fit is made.
        fixed: Names of the fixed parameters; those of interest by default.

    Raises:
        CardError: If the fit fails.
    """
    likelihood = model.likelihood(data)
    fitter = Fitter(likelihood, dataclasses.replace(options, keep_ranges=True))
    own = values[model.parameters.indices(fitter.parameters.names)]
    positions = fitter.parameters.indices(model.parameters.pois if fixed is None else fixed)
    best: BestFit = fitter.best(own, {int(at): float(own[at]) for at in positions})
    if not best.is_minimum:
        raise CardError(f"the fit with fixed parameters of interest failed: {reason(best)}")
    return likelihood.complete(best.theta)
