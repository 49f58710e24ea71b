"""The help of `plot`, of each of its commands and of `report`, to the letter, at 80 and at 200 columns.

After a change of the screens that is meant: `POCKET_COMBINE_WRITE_GOLDEN=1 pytest tests/cli/test_plot_screens.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from screens import check_screen

from pocket_combine.cli.plots.group import plot

GOLDEN = Path(__file__).parent / "golden_plots"

SCREENS = {"plot": "plot --help", "report": "report --help"}
SCREENS |= {f"plot-{name}": f"plot {name} --help" for name in plot.homes}


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, width: int) -> None:
    check_screen(GOLDEN / f"{name}.{width}.txt", SCREENS[name], width)


def test_every_golden_screen_is_tested() -> None:
    found = sorted(path.name for path in GOLDEN.iterdir())
    assert found == sorted(f"{name}.{width}.txt" for name in SCREENS for width in (80, 200))
