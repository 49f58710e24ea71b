"""What commands print, to the letter, at 80 and at 200 columns.

The expected screens are in `golden/`. After a change that is meant, write them anew and look at the difference:

    POCKET_COMBINE_WRITE_GOLDEN=1 pytest tests/cli/test_golden_screens.py
    git diff tests/cli/golden
"""

from pathlib import Path
from typing import Any

import pytest
from screens import check_screen
from small_project import ANALYSIS, CONTENTS, MISSPELLED, NEGATIVE, write_project

GOLDEN = Path(__file__).parent / "golden"

BUILD = "build analysis.py output_all.coffea -o cards"

CHANNELS = [f"SR_with_{number}_jets" for number in range(4, 13)]
MANY_CHANNELS = {
    "analysis": f"{ANALYSIS}\ncategories = dict.fromkeys({CHANNELS}, 'mass')\n",
    "contents": {key: dict.fromkeys(CHANNELS, values["CR"]) for key, values in CONTENTS.items()},
}

SCREENS: dict[str, tuple[str, dict[str, Any]]] = {
    "help": ("--help", {}),
    "help-inspect": ("inspect --help", {}),
    "help-build": ("build --help", {}),
    "help-demo": ("demo --help", {}),
    "inspect": ("inspect output_all.coffea", {}),
    "inspect-json": ("inspect output_all.coffea --json", {}),
    "build": (BUILD, {}),
    "build-many-channels": (BUILD, MANY_CHANNELS),
    "build-blind": (f"{BUILD} --blind", {}),
    "build-warning": (BUILD, {"contents": NEGATIVE}),
    "build-error": (BUILD, {"analysis": MISSPELLED}),
    "build-error-no-strict": (f"{BUILD} --no-strict", {"analysis": MISSPELLED}),
    "build-json": (f"{BUILD} --json", {"contents": NEGATIVE}),
    "broken-analysis": (BUILD, {"analysis": "years = ['2017']\nmc_processes = {}\ncategories = {}\n"}),
    "missing-outputs": ("build analysis.py a.coffea b.coffea", {}),
    "unknown-command": ("biuld", {}),
}


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command, project = SCREENS[name]
    write_project(tmp_path, **project)
    monkeypatch.chdir(tmp_path)
    check_screen(GOLDEN / f"{name}.{width}.txt", command, width)


def test_every_golden_screen_is_tested() -> None:
    assert sorted(path.name for path in GOLDEN.iterdir()) == sorted(
        f"{name}.{w}.txt" for name in SCREENS for w in (80, 200)
    )
