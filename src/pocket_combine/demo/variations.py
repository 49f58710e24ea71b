"""Systematic variations of toy events: weights on the same events, or shifted energies that move events about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pocket_combine.demo.events import ToyEvents, ToyProcess
from pocket_combine.templates import FloatArray

__all__ = ["Measured", "weight_variations", "energy_variations"]

# How strongly a relative energy shift moves the number of jets and the discriminant (the latter as its log-odds).
_JETS_PER_ENERGY = 6.0
_LOG_ODDS_PER_ENERGY = 5.0
_DISTANCE_PER_ENERGY = 0.5


@dataclass(frozen=True)
class Measured:
    """What the selection and the histograms see of events; one entry per event.

    Attributes:
        jets: Number of jets.
        discriminant: The discriminant.
        distance: Angular distance of the closest pair of b jets.
    """

    jets: FloatArray
    discriminant: FloatArray
    distance: FloatArray

    @classmethod
    def of(cls, events: ToyEvents, shift: FloatArray | float = 0.0) -> Measured:
        """Return what is measured if all energies are too large by the relative `shift`."""
        odds = events.discriminant / (1.0 - events.discriminant) * np.exp(_LOG_ODDS_PER_ENERGY * shift)
        return cls(
            np.floor(events.jets + _JETS_PER_ENERGY * shift),
            odds / (1.0 + odds),
            np.clip(events.distance * (1.0 - _DISTANCE_PER_ENERGY * shift), 0.4, 3.99),
        )


def weight_variations(process: ToyProcess, events: ToyEvents) -> dict[str, FloatArray]:
    """Return the logarithm of the weight factor of each event at +1 standard deviation, by name of the variation."""
    momentum, tags = events.momentum, events.tags
    more_jets = np.floor(events.jets) - 4.0 - process.more_jets
    signal_like = np.log(events.discriminant / (1.0 - events.discriminant))
    signal_like = signal_like - signal_like.mean()
    electron, muon = events.is_electron, 1.0 - events.is_electron
    more_tags = tags - 2.0
    true_tags = 2.0 + more_tags * (1.0 - process.charm - process.light)
    light = 0.02 + process.light * more_tags
    charm = 0.1 + process.charm * more_tags
    factors = {
        "pileup": 0.015 * (events.pileup + 0.4 * more_jets),
        "sf_ele_reco": 0.006 * electron,
        "sf_ele_id": (0.012 + 0.004 * momentum) * electron,
        "sf_ele_trigger": (0.010 - 0.003 * momentum) * electron,
        "sf_mu_id": 0.006 * muon,
        "sf_mu_iso": (0.004 + 0.001 * momentum) * muon,
        "sf_mu_trigger": (0.005 - 0.002 * momentum) * muon,
        "sf_btag_hf": 0.015 * true_tags + 0.006 * momentum,
        "sf_btag_hfstats1": 0.008 * true_tags * momentum / 2.0,
        "sf_btag_hfstats2": 0.005 * true_tags * (momentum**2 - 1.0) / 2.0,
        "sf_btag_lf": 0.10 * light,
        "sf_btag_lfstats1": 0.05 * light * momentum,
        "sf_btag_lfstats2": 0.03 * light * (momentum**2 - 1.0),
        "sf_btag_cferr1": 0.12 * charm,
        "sf_btag_cferr2": 0.06 * charm * momentum,
        "sf_qcd_renorm_scale": 0.08 + 0.03 * more_jets,
        "sf_qcd_factor_scale": 0.02 - 0.02 * signal_like,
        "sf_partonshower_isr": 0.04 * more_jets,
        "sf_partonshower_fsr": 0.03 * signal_like + 0.02 * (momentum**2 - 1.0),
        "sf_lhe_pdf": 0.015 * signal_like,
        "sf_alphas": 0.008 + 0.004 * momentum,
    }
    if process.sample.startswith("TTbar"):
        factors["sf_top_pt"] = -0.02 * momentum
    return factors


def energy_variations(period: str, process: ToyProcess, events: ToyEvents) -> dict[str, FloatArray]:
    """Return the relative energy shift of each event at +1 standard deviation, by name of the variation.

    The sources of the jet energy scale that differ from year to year carry the year in their name, and exist only
    in histograms of that year.
    """
    year = period.split("_", maxsplit=1)[0]
    eta = events.pseudorapidity
    barrel, endcap, forward = eta < 1.3, (eta >= 1.3) & (eta < 2.0), eta >= 2.0
    electron, muon = events.is_electron, 1.0 - events.is_electron
    flavour = 1.0 - process.charm - 2.0 * process.light
    shifts = {
        "JES_Absolute": np.full(eta.size, 0.008),
        f"JES_Absolute_{year}": np.full(eta.size, 0.005),
        "JES_BBEC1": 0.006 * barrel + 0.003 * endcap,
        f"JES_BBEC1_{year}": 0.003 * barrel + 0.008 * endcap,
        "JES_EC2": 0.006 * forward,
        f"JES_EC2_{year}": 0.008 * forward,
        "JES_HF": 0.002 * forward,
        f"JES_HF_{year}": 0.003 * forward,
        "JES_RelativeBal": 0.006 * eta / 2.4,
        f"JES_RelativeSample_{year}": 0.004 * eta / 2.4,
        "JES_FlavorQCD": np.full(eta.size, 0.008 * flavour),
        "JER": 0.008 * events.smearing,
        "met_unclustered": 0.003 * np.tanh(events.pileup),
        "ele_scale": 0.0015 * electron,
        "ele_smear": 0.0015 * electron * events.smearing,
        "mu_scale": 0.001 * muon,
    }
    return {name: np.asarray(shift, dtype=np.float64) for name, shift in shifts.items()}
