"""Small cards with numbers that can be checked by hand, and an odd habit of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pocket_combine.io.root import write_templates
from pocket_combine.templates import Templates

DATACARD = """\
# Made by hand for the tests
imax 2 number of channels
jmax 2 number of processes minus 1
kmax * number of nuisance parameters
-------------------------------------------------------------------------------
shapes * * shapes.root $CHANNEL/$PROCESS $CHANNEL/$PROCESS_$SYSTEMATIC
-------------------------------------------------------------------------------
bin          SR   CR
observation  60   295
-------------------------------------------------------------------------------
bin                 SR     SR     SR  CR    CR
process             signal ttbar  dy  ttbar dy
process             0      1      2   1     2
rate                12     40     -1  200   100
-------------------------------------------------------------------------------
lumi          lnN   1.025  1.025  -   1.025 -   # the yield of dy is free
xsec_ttbar    lnN   -  0.95/1.05  -  0.95/1.05 -
CMS_scale_j   shape 1      1      1   1     1
CMS_btag      shape 1      1      -   -     -
CMS_fake      gmN 25 -     -      0.4 -     -
SF_dy rateParam * dy 1 [0,5]
experiment group = lumi CMS_scale_j CMS_btag
theory group = xsec_ttbar
* autoMCStats 40
CR autoMCStats 0
nuisance edit freeze CMS_btag
"""

COUNTING = """\
Counting experiment of the tutorial
imax 1
jmax 2
kmax 3
bin bin1
observation 0
# signal first
bin bin1 bin1 bin1
process ggH WW others
process 0 1 2
rate 1.47 0.64 0.22
lumi lnN 1.11 - 1.11 lumi affects what comes from simulation
WW_norm gmN 4 - 0.16 -   # 4 events in the sideband
others_norm lnN - - 1.30
"""

REVISED = (
    DATACARD.replace("xsec_ttbar", "ttbar_xsec")
    .replace("1.025", "1.05 ")
    .replace("[0,5]", "[0,3]")
    .replace("CMS_fake      gmN 25 -     -      0.4 -     -\n", "")
)
"""`DATACARD` after another week."""

UNFINISHED = COUNTING.replace("lnN - - 1.30", "lnM - - 1.30").replace("gmN 4", "gmN x")


NAMES = """\
luminosity:
  lumi_(13TeV|13p6TeV):
    description: Integrated luminosity
jets:
  CMS_scale_j:
    description: Jet energy scale
  CMS_btag_(light|heavy):
    description: Efficiency of b tagging
"""

OWN_NAMES = """\
CMS_fake:
  class: custom
  description: Closure of the fake-rate method
CMS_btag:
  class: jetz
  description: ""
"""


def templates() -> dict[str, Templates]:
    """The templates of `DATACARD`."""
    values = {"signal": [2.0, 4.0, 6.0], "ttbar": [20.0, 12.0, 8.0], "dy": [5.0, 3.0, 2.0]}
    up = np.array([1.05, 1.1, 1.2])
    varied: dict[tuple[str, str], tuple[Any, Any]] = {
        (process, "CMS_scale_j"): (up * numbers, numbers / up) for process, numbers in values.items()
    }
    varied["signal", "CMS_btag"] = ([2.2, 4.0, 5.8], [1.8, 4.0, 6.2])
    varied["ttbar", "CMS_btag"] = ([25.0, 15.0, 10.0], [15.0, 9.0, 6.0])
    errors = {"signal": [0.01, 0.02, 0.03], "ttbar": [2.0, 1.2, 0.8], "dy": [0.5, 0.3, 2.0]}
    inside = Templates.of([0, 100, 200, 300], values, varied, variances=errors, observation=[28, 19, 13])
    control = {"ttbar": [150.0, 50.0], "dy": [60.0, 40.0]}
    moved = {
        (process, "CMS_scale_j"): ([*numbers[:1], 1.1 * numbers[1]], numbers) for process, numbers in control.items()
    }
    return {"SR": inside, "CR": Templates.of([0, 1, 2], control, moved, observation=[205, 90])}


def write_cards(folder: Path) -> None:
    """Write cards, of which `unfinished.txt` cannot be read, with the templates of `datacard.txt`, and names."""
    files = {
        "datacard.txt": DATACARD,
        "second.txt": COUNTING.replace("observation 0", "observation 2"),
        "revised.txt": REVISED,
        "counting.txt": COUNTING,
        "unfinished.txt": UNFINISHED,
        "master.yml": NAMES,
        "own.yml": OWN_NAMES,
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    write_templates(folder / "shapes.root", templates(), layout="directories")
