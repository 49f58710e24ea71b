"""A datacard as a model: expected events, likelihoods of data, Asimov data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pocket_combine.errors import CardError
from pocket_combine.likelihood.columns import Machinery
from pocket_combine.likelihood.contents import single_precision
from pocket_combine.likelihood.data import Data
from pocket_combine.likelihood.engine import Engine, EngineState
from pocket_combine.likelihood.formula_constraints import FormulaConstraints
from pocket_combine.likelihood.nll import Likelihood
from pocket_combine.likelihood.parameters import ParameterList
from pocket_combine.likelihood.shares import cell_shifts, shifted_rows
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["ExpectedEvents", "Model", "ModelChannel"]


@dataclass(frozen=True, eq=False)
class ModelChannel:
    """A channel of a model.

    Attributes:
        name: Its name.
        bins: Where its bins are among the bins of the model.
        edges: Bin edges; (0, 1) for a counting channel.
        processes: Names of its processes, in the order of the card.
        is_signal: Whether each process is a signal.
        machinery: How templates become expected events.
        is_masked: Whether its Poisson terms are left out.
    """

    name: str
    bins: slice
    edges: FloatArray
    processes: tuple[str, ...]
    is_signal: tuple[bool, ...]
    machinery: Machinery
    is_masked: bool

    @property
    def bin_count(self) -> int:
        """Number of bins."""
        return int(self.bins.stop - self.bins.start)


@dataclass(frozen=True, eq=False)
class ExpectedEvents:
    """Expected events by channel; with several points, these are the first axis.

    Attributes:
        processes: `processes[channel][…, process, bin]`, without bin parameters.
        shifted: `shifted[channel][…, process, bin]`, with bin parameters; where a bin has one parameter its shift is
            divided among the processes in proportion to their squared errors, as Combine does.
        totals: `totals[channel][…, bin]`, with bin parameters: the sum of `shifted`, cropped as in the likelihood.
    """

    processes: Mapping[str, FloatArray]
    shifted: Mapping[str, FloatArray]
    totals: Mapping[str, FloatArray]


class Model:
    """Expected events of a card as a function of its parameters. Made by `build_model`.

    Vectors of parameters have the order of `parameters`: parameters of interest, nuisance rows, `param` lines, rate
    parameters, `extArg` lines, all in the order of the card, then bin parameters by channel, bin and process.

    Args:
        parameters: All parameters.
        channels: The channels.
        engine: The Poisson part of the likelihood.
        columns: `columns[channel][process]`: cells of each process of each channel.
        formulas: Terms of `constr` lines, if there are any.
        data: The observation, if there is one.
        exact: Whether Combine's roundings are left out.
    """

    def __init__(
        self,
        parameters: ParameterList,
        channels: tuple[ModelChannel, ...],
        engine: Engine,
        columns: Mapping[str, IntArray],
        formulas: FormulaConstraints | None,
        data: Data | None,
        *,
        exact: bool,
    ) -> None:
        self.parameters = parameters
        self.channels = channels
        self.data = data
        self.is_exact = exact
        self._engine = engine
        self._cells = columns
        self._formulas = formulas
        self._nothing_profiled = engine.bins.plan(np.zeros(engine.bins.count, dtype=bool))

    @property
    def bin_count(self) -> int:
        """Number of bins of all channels."""
        return self._engine.yields.layout.bin_count

    @property
    def has_formula_constraints(self) -> bool:
        """Whether `constr` lines add terms that are no constraint of one parameter."""
        return self._formulas is not None

    @cached_property
    def bin_parameters(self) -> tuple[str, ...]:
        """Names of the parameters of autoMCStats."""
        return self.parameters.names[self._engine.size :]

    # ------------------------------------------------------------------ likelihood

    def likelihood(
        self,
        data: Data | None = None,
        *,
        profile: bool = True,
        explicit: Iterable[str] = (),
        frozen: Iterable[str] = (),
    ) -> Likelihood:
        """Return the negative log-likelihood of data.

        Args:
            data: The data; the observation by default.
            profile: Whether bin parameters take their best values instead of being parameters of the function.
            explicit: Bin parameters that are parameters nevertheless: those to be scanned or kept fixed. Frozen ones
                and those of interest are so anyway.
            frozen: Parameters to be held constant, beside those that the model freezes.

        Raises:
            CardError: If there is no observation, or a name is not in the model.

        Examples:
            >>> from pocket_combine.card.model import Card, Channel, Column
            >>> from pocket_combine.likelihood import build_model
            >>> card = Card((Channel("SR", 4),), (Column("SR", "sig", 0, 1.0), Column("SR", "bkg", 1, 2.0)))
            >>> likelihood = build_model(card, {}).likelihood()
            >>> likelihood.value(np.array([[1.0], [2.0]])).round(6)
            array([0.150728, 0.      ])
            >>> float(likelihood.hessian(np.array([2.0])).item())  # 1 / (number of events)
            0.25
        """
        parameters = self.parameters.changed(frozen=frozen) if frozen else self.parameters
        positions = parameters.indices(explicit)
        profiled = np.full(self._engine.bins.count, profile)
        profiled[positions[positions >= self._engine.size] - self._engine.size] = False
        own = set(parameters.pois)
        profiled &= ~np.array([parameters.get(name).frozen or name in own for name in self.bin_parameters], dtype=bool)
        chosen = self.data if data is None else data
        if chosen is None:
            raise CardError("the card has no observation; give data, for instance Asimov data of the model")
        self._check(chosen)
        masked = np.array([channel.is_masked for channel in self.channels])
        channels = self._engine.yields.layout.bin_channel
        return Likelihood(
            self._engine,
            parameters,
            self._formulas,
            np.where(masked[channels], -1, channels),
            chosen,
            profiled,
        )

    def _check(self, data: Data) -> None:
        bins, parameters = data.observations.shape[-1], data.global_observables.shape[-1]
        if bins != self.bin_count or parameters != len(self.parameters):
            raise CardError(
                f"data of {bins} bins and {parameters} global observables do not fit a model of {self.bin_count} bins "
                f"and {len(self.parameters)} parameters"
            )
        observations = np.atleast_2d(data.observations)
        wrong = np.flatnonzero((~np.isfinite(observations) | (observations < 0)).any(axis=0))
        problems = [
            f"channel {channel.name}, bin {bin_ - channel.bins.start}: the observation {observations[:, bin_].min():g} "
            "is no number of events"
            for channel in self.channels
            for bin_ in wrong[(wrong >= channel.bins.start) & (wrong < channel.bins.stop)].tolist()
        ]
        if problems:
            raise CardError(problems)

    def nll(self, theta: FloatArray, data: Data | None = None) -> FloatArray:
        """Return the negative log-likelihood at `theta[…, parameter]`, all parameters given; see `Likelihood`."""
        return self.likelihood(data, profile=False).value(theta)

    def gradient(self, theta: FloatArray, data: Data | None = None) -> FloatArray:
        """Return `gradient[…, parameter]` of `nll`."""
        return self.likelihood(data, profile=False).gradient(theta)

    def hessian(self, theta: FloatArray, data: Data | None = None) -> FloatArray:
        """Return `hessian[…, parameter, parameter]` of `nll`."""
        return self.likelihood(data, profile=False).hessian(theta)

    def fisher(self, theta: FloatArray) -> FloatArray:
        """Return `fisher[…, parameter, parameter]`, the expected Hessian if `theta[…, parameter]` is true."""
        nothing = Data(np.zeros(self.bin_count), self.parameters.observables)
        return self.likelihood(nothing, profile=False).fisher(theta)

    # ------------------------------------------------------------------ expected events and data

    def totals(self, theta: FloatArray) -> FloatArray:
        """Return `totals[…, bin]`, expected events in the bins of all channels, bin parameters included."""
        state = self._state(theta, 0)
        return _leading(theta, state.bins.expected[:-1].T)

    def total_jacobian(self, theta: FloatArray) -> FloatArray:
        """Return `jacobian[…, bin, parameter]`, the derivatives of `totals`."""
        with np.errstate(all="ignore"):
            return _leading(theta, self._engine.expected_rows(self._state(theta, 1)))

    def shifted_jacobian(self, theta: FloatArray, channel: str) -> FloatArray:
        """Return `jacobian[…, process, bin, parameter]`, the derivatives of `expected(theta).shifted[channel]`."""
        with np.errstate(all="ignore"):
            return _leading(theta, shifted_rows(self._engine, self._state(theta, 1), self._cells[channel]))

    def expected(self, theta: FloatArray) -> ExpectedEvents:
        """Return expected events by channel, process and bin at `theta[…, parameter]`."""
        state = self._state(theta, 0)
        layout = self._engine.yields.layout
        yields = state.yields.columns.yields[layout.cell_column] * state.yields.templates
        shifted = yields + cell_shifts(self._engine, state)
        processes, moved, totals = {}, {}, {}
        for channel in self.channels:
            cells = self._cells[channel.name]
            processes[channel.name] = _leading(theta, yields[cells].transpose(2, 0, 1))
            moved[channel.name] = _leading(theta, shifted[cells].transpose(2, 0, 1))
            totals[channel.name] = _leading(theta, state.bins.expected[channel.bins].T)
        return ExpectedEvents(processes, moved, totals)

    def asimov(self, theta: FloatArray, *, move_global_observables: bool = False) -> Data:
        """Return Asimov data: the expectation at `theta[…, parameter]`.

        Args:
            theta: All parameters.
            move_global_observables: Whether global observables move to where `theta` is preferred, as Combine does for
                `--toysFrequentist`; otherwise they are those of the card.
        """
        observations = single_precision(self.totals(theta), exact=self.is_exact)
        observables = self.parameters.observables
        if move_global_observables:
            vectors = np.atleast_2d(theta).T
            moved = self.parameters.constraints.observables_at(vectors, observables[:, None])
            observables = _leading(theta, moved.T)
        return Data(observations, observables)

    def _state(self, theta: FloatArray, order: int) -> EngineState:
        vectors = np.atleast_2d(np.asarray(theta, dtype=np.float64)).T
        if vectors.shape[0] != len(self.parameters):
            raise ValueError(f"theta has {vectors.shape[0]} parameters, the model has {len(self.parameters)}")
        observed = np.zeros((self.bin_count + 1, 1))
        size = self._engine.size
        observables = self.parameters.observables[size:, None]
        with np.errstate(all="ignore"):
            return self._engine.evaluate(
                np.ascontiguousarray(vectors[:size]),
                vectors[size:],
                observed,
                observables,
                self._nothing_profiled,
                order,
            )


def _leading(theta: FloatArray, result: FloatArray) -> FloatArray:
    """Return a result with points first, without that axis where there is one vector."""
    return result[0] if np.ndim(theta) == 1 else result
