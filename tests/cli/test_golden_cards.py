"""What the commands for cards print, to the letter, at 80 and at 200 columns.

The expected screens are in `golden_cards/`. After a change that is meant, write them anew and look at the difference:

    POCKET_COMBINE_WRITE_GOLDEN=1 pytest tests/cli/test_golden_cards.py
    git diff tests/cli/golden_cards
"""

from pathlib import Path

import pytest
from cards_folder import write_cards
from screens import check_screen

GOLDEN = Path(__file__).parent / "golden_cards"

SCREENS = {
    "help": "cards --help",
    "help-check": "cards check --help",
    "help-combine": "cards combine --help",
    "help-diff": "cards diff --help",
    "help-format": "cards format --help",
    "help-names": "cards names --help",
    "help-rename": "cards rename --help",
    "help-select": "cards select --help",
    "help-show": "cards show --help",
    "show": "cards show datacard.txt",
    "show-counting": "cards show counting.txt",
    "show-unfinished": "cards show unfinished.txt",
    "show-nuisance": "cards show datacard.txt --nuisance CMS_* --nuisance SF_dy",
    "show-nuisance-counting": "cards show counting.txt --nuisance WW_norm",
    "show-nuisance-unknown": "cards show counting.txt --nuisance WW_nrom",
    "format": "cards format counting.txt",
    "format-check": "cards format --check counting.txt datacard.txt",
    "format-check-json": "cards format --check counting.txt datacard.txt --json",
    "check": "cards check datacard.txt",
    "check-clean": "cards check counting.txt --ignore large-*",
    "check-all": "cards check datacard.txt --all --fail-on warning",
    "check-select": "cards check datacard.txt --select large-* --threshold normalisation_effect=0.05",
    "check-unknown": "cards check datacard.txt --select larg-normalisation-effect",
    "check-threshold": "cards check datacard.txt --threshold normalization_effect=0.05",
    "check-json": "cards check counting.txt --json",
    "diff": "cards diff datacard.txt revised.txt",
    "diff-same": "cards diff counting.txt counting.txt",
    "diff-same-json": "cards diff counting.txt counting.txt --json",
    "diff-both-standard-input": "cards diff - -",
    "combine": "cards combine -S low=counting.txt .=datacard.txt --xc CR",
    "combine-refused": "cards combine low=counting.txt .=datacard.txt",
    "combine-json": "cards combine low=counting.txt high=second.txt -o combined/card.txt --json",
    "combine-file": "cards combine low=counting.txt high=second.txt -o combined/card.txt",
    "combine-twice": "cards combine counting.txt counting.txt -o combined/card.txt",
    "combine-same": "cards combine low=counting.txt high=counting.txt -o combined/card.txt",
    "select": "cards select datacard.txt -o selected --drop-channel CR --scale tt*=2 --freeze CMS_*",
    "select-unknown": "cards select datacard.txt -o selected --channel VR --drop-nuisance JES",
    "rename": "cards rename datacard.txt -o renamed --channel SR=signal_region --nuisance CMS_btag=CMS_eff_b",
    "rename-json": "cards rename counting.txt -o renamed --process WW=qqWW --json",
    "rename-refused": "cards rename datacard.txt -o renamed --nuisance CMS_btag=CMS_scale_j",
    "rename-itself": "cards rename datacard.txt -o . --nuisance CMS_btag=CMS_eff_b",
    "names": "cards names datacard.txt --dictionary master.yml --analysis own.yml",
    "names-template": "cards names datacard.txt --dictionary master.yml --template --cadi HIG-25-001",
    "names-json": "cards names datacard.txt --dictionary master.yml --analysis own.yml --json",
    "format-several": "cards format counting.txt datacard.txt",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small cards; commands write beside them only."""
    path = tmp_path_factory.mktemp("cards")
    write_cards(path)
    return path


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, width: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name.startswith("names"):
        pytest.importorskip("yaml")
    monkeypatch.chdir(folder)
    check_screen(GOLDEN / f"{name}.{width}.txt", SCREENS[name], width)


def test_every_golden_screen_is_tested() -> None:
    assert sorted(path.name for path in GOLDEN.iterdir()) == sorted(
        f"{name}.{width}.txt" for name in SCREENS for width in (80, 200)
    )
