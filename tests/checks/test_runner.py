"""Running checks: selection, order, robustness, and what is written about them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import reference_cards
from hypothesis import given
from hypothesis import strategies as st
from small_cards import Row, card_of

from pocket_combine.card.model import AutoMCStats, Card, Nuisance
from pocket_combine.checks import CODES, NAMING_CODES, Thresholds, findings_to_dict, read_file_contents, run_checks
from pocket_combine.checks.registry import CHECKS
from pocket_combine.errors import DeclarationError
from pocket_combine.findings import Severity
from pocket_combine.templates import Templates

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "checks.md"


def example() -> tuple[Card, dict[str, Templates]]:
    own = Templates.of(
        [0, 1, 2],
        {"sig": [1.0, 2.0], "bkg": [10.0, -1.0]},
        {("bkg", "A"): ([20.0, 1.0], [19.0, 1.0])},
        observation=[9, 1],
    )
    return card_of({"SR": own}, {"A": ("shape", {"bkg": 1.0}), "idle": ("lnN", {})}), {"SR": own}


def test_codes_belong_to_one_check_each() -> None:
    codes = [code for check in CHECKS for code in check.codes]
    assert len(codes) == len(set(codes))
    assert tuple(codes) == CODES


def test_selection() -> None:
    card, templates = example()
    everything = run_checks(card, templates)
    assert {"negative-bin", "nuisance-without-effect", "same-direction-normalisation"} <= {
        found.code for found in everything
    }
    assert {found.code for found in everything} <= set(CODES)
    some = run_checks(card, templates, select=["negative-*", "nuisance-without-effect"])
    assert some == [found for found in everything if found.code in ("negative-bin", "nuisance-without-effect")]
    with pytest.raises(DeclarationError, match=r"there is no check 'empty-proces', did you mean 'empty-process'"):
        run_checks(card, templates, select=["empty-proces"])


def test_order_does_not_depend_on_the_run() -> None:
    card, templates = example()
    assert run_checks(card, templates) == run_checks(card, dict(templates))


def test_json() -> None:
    card, templates = example()
    found = run_checks(card, templates, select=["negative-bin", "nuisance-without-effect"])
    report = json.loads(json.dumps(findings_to_dict(found)))
    assert report["counts"] == {
        "severity": {"error": 0, "warning": 1, "info": 1},
        "code": {"negative-bin": 1, "nuisance-without-effect": 1},
    }
    assert report["findings"][0] == {
        "code": "negative-bin",
        "severity": "warning",
        "place": "channel SR, process bkg, bin 1",
        "message": "negative content in 1 of 2 bins, down to -1",
        "advice": "Combine takes such a bin as almost empty: merge bins or treat negative weights",
        "numbers": {"lowest": -1.0},
        "channel": "SR",
        "process": "bkg",
        "bins": [1],
    }


def test_thresholds_are_checked() -> None:
    with pytest.raises(DeclarationError) as caught:
        Thresholds(visible=float("nan"), duplicate=-1.0)
    assert len(caught.value.problems) == 2


numbers = st.one_of(st.sampled_from([0.0, -1.0, 1e-300, 1e300, -1e300, 1e-9]), st.floats(-1e6, 1e6))
effects = st.one_of(st.none(), st.floats(), st.tuples(st.floats(), st.floats()))


@given(st.data(), st.integers(1, 7), st.sampled_from(["shape", "shapeN", "shape?", "shapeU", "lnN", "lnU", "trG"]))
def test_nothing_in_a_card_raises(data: st.DataObject, bins: int, kind: str) -> None:
    row = st.lists(numbers, min_size=bins, max_size=bins)
    nominal = {name: data.draw(row) for name in ("sig", "bkg")}
    pairs = {("bkg", name): (data.draw(row), data.draw(row)) for name in ("A", "B_2018")}
    templates = {"SR": Templates.of(np.arange(bins + 1.0), nominal, pairs, observation=data.draw(row))}
    rates = {("SR", "lost"): data.draw(numbers), ("CR", "bkg"): data.draw(numbers)}
    rows: dict[str, Row] = {name: (kind, {"bkg": 1.0}) for name in ("A", "B_2018", "nowhere")}
    card = card_of(templates, rows, rates=rates, mc_stats=[AutoMCStats("*", data.draw(numbers))])
    odd = Nuisance("odd", kind, tuple(data.draw(effects) for _ in card.columns), arguments=(0.0, 1.0))
    card = Card(card.channels, card.columns, nuisances=(*card.nuisances, odd), mc_stats=card.mc_stats)
    found = run_checks(card, templates)
    json.dumps(findings_to_dict(found), allow_nan=False)
    assert {finding.code for finding in found} <= set(CODES)


def test_empty_cards() -> None:
    assert run_checks(Card((), ()), {}) == []


@reference_cards.needed
def test_reference_cards() -> None:
    """Cards that were made with one defect have the finding for it, and the sound one has none."""

    def codes(name: str) -> set[str]:
        loaded, mass = reference_cards.loaded(name), float(reference_cards.expected(name)["mass"])
        files = read_file_contents(loaded.card, directory=reference_cards.FOLDER / name, mass=mass)
        found = run_checks(loaded.card, loaded.templates, files=files)
        return {finding.code for finding in found if finding.severity >= Severity.WARNING}

    assert codes("synthetic-plain") == set()
    assert codes("synthetic-mcstats") == set()
    assert codes("synthetic-empty-bin") == {"empty-background-bin"}
    assert codes("synthetic-signal-only-bin") == {"empty-background-bin"}
    assert codes("synthetic-negative-bin") == {"negative-bin"}
    assert codes("synthetic-zero-process") == {"empty-process"}
    assert codes("synthetic-up-eq-down") == {"identical-up-down", "same-direction-normalisation"}
    assert codes("synthetic-same-side") == {"same-direction-normalisation", "one-sided-bins"}
    assert codes("synthetic-bb-lite") == {"large-bin-error", "mc-stats-few-events"}
    assert "nuisance-equals-nominal" in codes("template-vhbb-zee")


def test_every_code_is_described_and_nothing_else() -> None:
    described = re.findall(r"^### `([\w-]+)`", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(described) == len(set(described))
    assert sorted(described) == sorted((*CODES, *NAMING_CODES))


def test_every_threshold_is_described() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, value in vars(Thresholds()).items():
        assert f"| `{name}` | {value:g} |" in page
