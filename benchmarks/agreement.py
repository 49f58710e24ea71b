"""Prints the table of `docs/explanation/agreement-with-combine.md` from a folder of reference cards.

    python benchmarks/agreement.py FOLDER

Each subfolder holds `datacard.txt`, its ROOT files, and `expected.json` with what Combine says about the card.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from pocket_combine.card.load import LoadedCard, load_card
from pocket_combine.inference.fitter import ROBUST_LEVEL
from pocket_combine.inference.questions import fit, limits, significance
from pocket_combine.inference.workspace import Blinding, make_workspace
from pocket_combine.likelihood import build_model

QUANTILES = ("minus2sigma", "minus1sigma", "median", "plus1sigma", "plus2sigma")


def likelihood_differences(loaded: LoadedCard, reference: dict[str, Any]) -> tuple[float, float]:
    """Return the largest relative difference of expected events and absolute one of the NLL, over all points."""
    model = build_model(loaded.card, loaded.templates)
    yields, nll = 0.0, 0.0
    nominal = math.nan
    for point in reference["points"]:
        values = {name: value for name, value in point["parameters"].items() if name in model.parameters}
        theta = model.parameters.vector(values)
        totals = model.expected(theta).totals
        for channel, content in point["yields"].items():
            wanted = np.array(content["total"])
            yields = max(yields, float(np.max(np.abs(totals[channel] - wanted) / np.maximum(np.abs(wanted), 1e-300))))
        found = float(model.nll(theta))
        nominal = found if point["name"] == "nominal" else nominal
        delta = point["nll"]["combine_delta"]
        if delta is not None:
            nll = max(nll, abs(found - nominal - delta))
    return yields, nll


def row(folder: Path) -> str:
    """Return the row of one card."""
    reference = json.loads((folder / "expected.json").read_text())
    loaded = load_card(folder / "datacard.txt", mass=float(reference["mass"]))
    yields, nll = likelihood_differences(loaded, reference)
    singles = reference["fits"]["singles"]
    low, high = reference["fits"]["r_range"]
    fitted = make_workspace(loaded.card, loaded.templates, kind=Blinding.OBSERVED, ranges={"r": (low, high)})
    interval = fit(fitted, level=ROBUST_LEVEL).interval("r")
    sigma = (singles["r_high"] - singles["r_low"]) / 2
    best = abs(interval.best - singles["r"]) / sigma
    ends = max(abs(interval.low - singles["r_low"]), abs(interval.high - singles["r_high"])) / sigma
    observed = make_workspace(loaded.card, loaded.templates, kind=Blinding.OBSERVED)
    limit = limits(observed)
    wanted = [reference["limits"][f"expected_{quantile}"] for quantile in QUANTILES]
    expected = max(abs(found.limit / value - 1) for found, value in zip(limit.expected, wanted, strict=True))
    combine_observed = reference["limits"].get("observed")
    seen = abs(limit.observed.limit / combine_observed - 1) if limit.observed and combine_observed else math.nan
    z = (reference.get("significance") or {}).get("observed")
    difference = abs(significance(observed).significance - z) if z is not None else math.nan
    cells = (
        f"{yields:.0e}",
        f"{nll:.0e}",
        f"{best:.2%}",
        f"{ends:.2%}",
        f"{expected:.2%}",
        f"{seen:.2%}",
        f"{difference:.0e}",
    )
    return f"| {folder.name} | {' | '.join(cell.replace('nan%', '–').replace('nan', '–') for cell in cells)} |"


def main() -> None:
    """Print the table."""
    print("| card | expected events | NLL | best fit | interval | expected limits | observed limit | significance |")
    print("|---|---|---|---|---|---|---|---|")
    for path in sorted(Path(sys.argv[1]).glob("*/expected.json")):
        print(row(path.parent), flush=True)


if __name__ == "__main__":
    main()
