"""A small card with templates in a folder, for reports that are made in seconds."""

from __future__ import annotations

from pathlib import Path

from small_cards import card_of

from pocket_combine.card.load import LoadedCard, load_card
from pocket_combine.card.model import AutoMCStats, Group, RateParameter
from pocket_combine.card.pair import dump_pair
from pocket_combine.templates import Templates

OBSERVED = (52.0, 33.0, 24.0)


def write_card(folder: Path, observed: tuple[float, ...] = OBSERVED) -> Path:
    """Write `card.txt` and `card.root` with one channel, three nuisances and a rate parameter."""
    templates = {
        "SR": Templates.of(
            [0.0, 1.0, 2.0, 3.0],
            {"sig": [1.0, 4.0, 9.0], "tt": [30.0, 20.0, 8.0], "dy": [20.0, 9.0, 4.0]},
            {
                ("tt", "JES"): ([33.0, 20.5, 7.0], [27.0, 19.5, 9.0]),
                ("sig", "JES"): ([1.0, 4.2, 9.4], [1.0, 3.8, 8.6]),
            },
            observation=observed,
        )
    }
    card = card_of(
        templates,
        {
            "lumi": ("lnN", {"sig": 1.02, "dy": 1.02}),
            "norm_dy": ("lnN", {"dy": 1.3}),
            "JES": ("shape", {"tt": 1.0, "sig": 1.0}),
        },
        observations={"SR": sum(observed)},
        rate_parameters=(RateParameter("SF_tt", "*", "tt", 1.0, (0.0, 5.0)),),
        groups=(Group("theory", ("norm_dy",)),),
        mc_stats=(AutoMCStats("SR", 10.0),),
    )
    folder.mkdir(parents=True, exist_ok=True)
    dump_pair(card, templates, folder / "card.txt")
    return folder / "card.txt"


def loaded_card(folder: Path, observed: tuple[float, ...] = OBSERVED) -> LoadedCard:
    """The same, read."""
    return load_card(write_card(folder, observed))
