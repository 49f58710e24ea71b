"""Toy events: a few processes that resemble a search for ttH(bb) with one lepton.

The numbers are invented. They are chosen such that the templates behave like those of a real analysis: a signal of a
few standard deviations, a background that looks much like it, control regions that constrain it, weights of both signs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pocket_combine.templates import FloatArray

__all__ = ["LUMINOSITY", "PROCESSES", "DATA_ERAS", "ToyProcess", "ToyEvents", "simulate", "observe"]

LUMINOSITY = {"2022_preEE": 7.98, "2022_postEE": 26.67, "2023_preBPix": 17.79, "2023_postBPix": 9.45, "2024": 108.96}
"""Integrated luminosity per data-taking period, in inverse femtobarn."""

DATA_ERAS = {
    "2022_preEE": "CD",
    "2022_postEE": "EFG",
    "2023_preBPix": "C",
    "2023_postBPix": "D",
    "2024": "CDEFGHI",
}
"""Eras of data taking in each period; each is one dataset per data sample."""

_TAGS = np.array([2, 3, 4])
_SIMULATED_TAGS = np.array([0.6, 0.2, 0.2])
_FEWEST_JETS = 4
_MOST_JETS = 10


@dataclass(frozen=True)
class ToyProcess:
    """What distinguishes one process from another.

    Attributes:
        sample: Key of the histograms, `Sample__subsample` for a part of a sample.
        datasets: Names of its datasets, without the year.
        cross_section: Of its datasets, in picobarn, for the metadata only.
        events: Expected events after the preselection per inverse femtobarn.
        more_jets: Mean number of jets beyond four.
        tags: Probabilities of two, three and four b tags.
        discriminant: The two parameters of the beta distribution of the discriminant.
        distance: Mean distance of the closest pair of b jets.
        negative: Fraction of simulated events with a negative weight.
        charm: Share of additional tags that come from charm quarks.
        light: Share of additional tags that come from light quarks.
    """

    sample: str
    datasets: tuple[str, ...]
    cross_section: float
    events: float
    more_jets: float
    tags: tuple[float, float, float]
    discriminant: tuple[float, float]
    distance: float
    negative: float = 0.0
    charm: float = 0.0
    light: float = 0.0


_TTBAR = ("TTTo2L2Nu", "TTToLNu2Q")

PROCESSES = (
    ToyProcess("ttHTobb", ("ttHTobb",), 0.332, 5.0, 2.2, (0.25, 0.45, 0.30), (4.0, 1.7), 1.5, negative=0.01),
    ToyProcess("TTbar__bb", _TTBAR, 504.0, 80.0, 1.8, (0.43, 0.45, 0.12), (2.1, 2.8), 1.3, negative=0.004),
    ToyProcess("TTbar__cc", _TTBAR, 504.0, 75.0, 1.6, (0.80, 0.18, 0.02), (1.9, 2.8), 1.6, negative=0.004, charm=0.8),
    ToyProcess("TTbar__lf", _TTBAR, 504.0, 260.0, 1.1, (0.957, 0.04, 0.003), (1.7, 3.0), 1.9, 0.004, 0.2, 0.7),
    ToyProcess("SingleTop", ("TWminusBtoLNu2Q",), 15.8, 18.0, 1.0, (0.89, 0.10, 0.01), (1.8, 2.8), 1.9, 0.01, 0.2, 0.4),
    ToyProcess("WJets", ("WtoLNu_2Jets",), 64481.0, 14.0, 1.0, (0.945, 0.05, 0.005), (1.7, 2.8), 1.8, 0.06, 0.4, 0.4),
    ToyProcess("DYJets", ("DYto2L_2Jets",), 6688.0, 6.0, 1.0, (0.93, 0.06, 0.01), (1.7, 2.8), 1.8, 0.06, 0.3, 0.4),
    ToyProcess("TTV", ("TTLL_MLL-50",), 0.0864, 5.0, 1.9, (0.70, 0.25, 0.05), (2.4, 2.6), 1.5, 0.1, 0.3, 0.1),
    ToyProcess("VV", ("WW",), 80.23, 1.2, 1.0, (0.95, 0.045, 0.005), (1.7, 2.8), 1.8, 0.0, 0.4, 0.4),
)
"""The simulated processes."""


@dataclass(frozen=True)
class ToyEvents:
    """Selected events of one process in one period, before any variation. Every array has one entry per event.

    Attributes:
        weight: Nominal weight; 1 for data.
        jets: Four or more. Its whole part is the number of jets, the rest how close the next jet is to the threshold.
        tags: Number of b tags: 2, 3 or 4.
        discriminant: Between 0 and 1, higher for signal.
        distance: Angular distance of the closest pair of b jets.
        momentum: Transverse momentum of the leading jet, standardised.
        pileup: Number of further collisions, standardised.
        pseudorapidity: Absolute pseudorapidity of the leading jet.
        smearing: Random number for the jet energy resolution, standardised.
        is_electron: Whether the lepton is an electron, else it is a muon.
    """

    weight: FloatArray
    jets: FloatArray
    tags: FloatArray
    discriminant: FloatArray
    distance: FloatArray
    momentum: FloatArray
    pileup: FloatArray
    pseudorapidity: FloatArray
    smearing: FloatArray
    is_electron: FloatArray


def simulate(process: ToyProcess, period: str, generator: np.random.Generator, *, share: float) -> ToyEvents:
    """Return simulated events whose weights add up, on average, to the expected yield.

    Events with many b tags are simulated more often than they occur, with smaller weights.

    Args:
        process: The process.
        period: Data-taking period, a key of `LUMINOSITY`.
        generator: Source of random numbers.
        share: Part of the process that these events stand for, for a process of several datasets.
    """
    luminosity = LUMINOSITY[period]
    count = int(2500 + 60 * luminosity)
    choice = generator.choice(3, size=count, p=_SIMULATED_TAGS)
    weight = (np.array(process.tags) / _SIMULATED_TAGS)[choice] * (share * process.events * luminosity / count)
    # Scale factors: around one, independent of what is measured.
    weight *= generator.gamma(400.0, 1.0 / 400.0, size=count)
    sign = np.where(generator.random(count) < process.negative, -1.0, 1.0)
    weight *= sign / (1.0 - 2.0 * process.negative)
    return _events(process, weight, _TAGS[choice].astype(np.float64), generator)


def observe(process: ToyProcess, period: str, generator: np.random.Generator) -> ToyEvents:
    """Return a Poisson-distributed number of events as they occur, each with weight 1."""
    count = int(generator.poisson(process.events * LUMINOSITY[period]))
    tags = _TAGS[generator.choice(3, size=count, p=process.tags)]
    return _events(process, np.ones(count), tags.astype(np.float64), generator)


def _events(process: ToyProcess, weight: FloatArray, tags: FloatArray, generator: np.random.Generator) -> ToyEvents:
    count = weight.size
    jets = np.minimum(_FEWEST_JETS + generator.poisson(process.more_jets, size=count), _MOST_JETS)
    discriminant = np.clip(generator.beta(*process.discriminant, size=count), 1e-6, 1.0 - 1e-6)
    signal_like = np.log(discriminant / (1.0 - discriminant))
    return ToyEvents(
        weight=weight,
        jets=jets + generator.random(count),
        tags=tags,
        discriminant=discriminant,
        distance=np.clip(generator.gamma(6.0, process.distance / 6.0, size=count), 0.4, 3.99),
        momentum=(generator.standard_normal(count) + 0.4 * signal_like) / 1.1,
        pileup=generator.standard_normal(count),
        pseudorapidity=2.4 * generator.random(count) ** 1.3,
        smearing=generator.standard_normal(count),
        is_electron=(generator.random(count) < 0.42).astype(np.float64),
    )
