"""Words for several parameters, as Combine knows them."""

from __future__ import annotations

from typing import Any

import pytest

from pocket_combine.card.parser import parse_card
from pocket_combine.errors import CardError
from pocket_combine.inference.workspace import Workspace, make_workspace

CARD = """imax 1
bin SR
observation 9
bin SR SR
process sig bkg
process 0 1
rate 3 6
CMS_a lnN 1.1 1.1
CMS_b lnN 1.1 -
flat lnU - 1.5
lumi lnN 1.02 -
norm rateParam SR bkg 1 [0,5]
theory group = CMS_a lumi
"""


def workspace(**options: Any) -> Workspace:
    return make_workspace(parse_card(CARD), {}, **options)


def frozen(**options: Any) -> list[str]:
    return [item.name for item in workspace(**options).model.parameters if item.frozen]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"freeze": ["lumi", "CMS_b"]}, ["CMS_b", "lumi"]),
        ({"freeze": ["rgx{CMS_.}"]}, ["CMS_a", "CMS_b"]),
        ({"freeze": ["var{.*m.*}"]}, ["lumi", "norm"]),
        # Not the rate parameter, which is none of the nuisances, and not what is of interest.
        ({"freeze": ["allConstrainedNuisances"]}, ["CMS_a", "CMS_b", "flat", "lumi"]),
        ({"freeze": ["allConstrainedNuisances"], "redefine_pois": ["lumi"]}, ["CMS_a", "CMS_b", "flat"]),
        ({"freeze_groups": ["theory"]}, ["CMS_a", "lumi"]),
        ({"freeze_groups": ["^theory"]}, ["CMS_b", "flat"]),
    ],
)
def test_words_for_several_parameters(options: dict[str, Any], names: list[str]) -> None:
    assert frozen(**options) == names


def test_all_problems_at_once() -> None:
    with pytest.raises(CardError) as error:
        workspace(freeze=["lumy", "rgx{CMS_c.*}", "rgx{(}"], freeze_groups=["theorie", "^x"])
    text = str(error.value)
    for part in (
        "no parameter 'lumy' in the model: did you mean 'lumi'",
        "no parameter matches 'rgx{CMS_c.*}'",
        "'(' is not a regular expression",
        "no group 'theorie' in the model: did you mean 'theory'",
        "no group 'x' in the model",
    ):
        assert part in text
