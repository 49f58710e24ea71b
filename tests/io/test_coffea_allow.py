"""Names that the caller allows knowingly."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from assembly import ONE, build, group, mapping, name, new, text
from outputs import make_output, save_output, save_pickle

from pocket_combine.errors import DeclarationError, OutputFileError, UnsafePickleError
from pocket_combine.io.coffea import load_output, read_contents
from pocket_combine.io.pickles.inert import Placeholder


class Cuts:
    """A class of an analysis, with a state and items of its own."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold


class Tagged:
    """A class with slots."""

    __slots__ = ("tag",)

    tag: str


class Items(list[int]):
    """A list of an analysis."""


class Named(dict[str, int]):
    """A dictionary of an analysis."""


CUTS = f"{Cuts.__module__}.Cuts"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return save_output(make_output() | {"columns": {"cuts": Cuts(25.0), "half": Fraction(1, 2)}}, tmp_path / "o.coffea")


def test_a_list_of_names_is_imported_and_run(path: Path) -> None:
    columns = load_output(path, allow=[CUTS, "fractions.Fraction"])["columns"]
    assert type(columns["cuts"]) is Cuts
    assert columns["cuts"].threshold == 25.0
    assert columns["half"] == Fraction(1, 2)


def test_none_reads_an_inert_placeholder(path: Path) -> None:
    output = load_output(path, allow={CUTS: None, "fractions.Fraction": None})
    assert repr(output["columns"]["cuts"]) == f"<placeholder for {CUTS}>"
    assert output["columns"]["half"].name == "fractions.Fraction"
    assert output.yields("nJets")["SR"]["TTbar"]["TTbar_2018"] > 0


def test_a_placeholder_takes_all_that_the_file_does_with_it(tmp_path: Path) -> None:
    values = [Items([1, 2, 3]), Named(a=1, b=2), Tagged(), frozenset()]
    module = Cuts.__module__
    allow = {f"{module}.{name}": None for name in ("Tagged", "Named", "Items")}
    read = read_contents(save_output(values, tmp_path / "values.coffea"), allow=allow)
    assert [repr(value) for value in read[:3]] == [
        f"<placeholder for {module}.{name}>" for name in ("Items", "Named", "Tagged")
    ]
    added = b"\x80\x05" + name("mycode", "Members") + pickle.MARK + ONE + pickle.ADDITEMS + b"."
    path = save_pickle(added, tmp_path / "added.coffea")
    assert repr(read_contents(path, allow={"mycode.Members": None})) == "<placeholder for mycode.Members>"


def test_a_function_in_place_of_a_name(path: Path) -> None:
    allow = {CUTS: None, "fractions.Fraction": lambda *parts: ("fraction", *parts)}
    assert load_output(path, allow=allow)["columns"]["half"][0] == "fraction"


def test_all_refused_names_are_told_at_once(path: Path) -> None:
    with pytest.raises(UnsafePickleError, match=rf"need: {CUTS}, fractions\.Fraction\. Nothing"):
        load_output(path)
    with pytest.raises(UnsafePickleError, match=r"need: fractions\.Fraction\. Nothing"):
        load_output(path, allow=[CUTS])


@pytest.mark.parametrize("protocol", [2, 5])
def test_states_items_and_members_of_allowed_classes(protocol: int, tmp_path: Path) -> None:
    tagged = Tagged()
    tagged.tag = "x"
    values = [tagged, Named(a=1), Items([1, 2]), Decimal("1.5")]
    module = Cuts.__module__
    allow = [f"{module}.Tagged", f"{module}.Named", f"{module}.Items", "decimal.Decimal"]
    path = save_output(values, tmp_path / "values.coffea", protocol=protocol)
    read = read_contents(path, allow=allow)
    assert read[0].tag == "x"
    assert [type(value) for value in read] == [Tagged, Named, Items, Decimal]
    assert read[1:] == values[1:]


def test_an_allowed_class_itself_cannot_be_changed_by_the_file(tmp_path: Path) -> None:
    attack = build(name(Cuts.__module__, "Cuts"), group(pickle.NONE, mapping(threshold=ONE)))
    path = save_pickle(b"\x80\x05" + attack + b".", tmp_path / "attack.coffea")
    with pytest.raises(UnsafePickleError, match="sets the state of a value of type Trusted"):
        read_contents(path, allow=[CUTS])
    assert not hasattr(Cuts, "threshold")


def test_what_an_allowed_function_returns_is_no_door_to_classes(tmp_path: Path) -> None:
    attack = build(
        name(Cuts.__module__, "cuts_class") + group() + pickle.REDUCE, group(pickle.NONE, mapping(threshold=ONE))
    )
    path = save_pickle(b"\x80\x05" + attack + b".", tmp_path / "attack.coffea")
    with pytest.raises(UnsafePickleError, match="sets the state of a value of type type"):
        read_contents(path, allow={f"{Cuts.__module__}.cuts_class": lambda: Cuts})
    assert not hasattr(Cuts, "threshold")


def test_an_allowed_name_does_not_open_names_below_it(tmp_path: Path) -> None:
    dotted = save_pickle(b"\x80\x05" + name("fractions", "Fraction.__init__") + b".", tmp_path / "dotted.coffea")
    with pytest.raises(UnsafePickleError, match=r"Fraction\.__init__"):
        read_contents(dotted, allow=["fractions.Fraction"])
    path = save_pickle(b"\x80\x05" + new(name("fractions", "gcd"), text("x")) + b".", tmp_path / "gcd.coffea")
    with pytest.raises(UnsafePickleError, match=r"an object of fractions\.gcd, which is no class"):
        read_contents(path, allow={"fractions.gcd": max})


@pytest.mark.parametrize(
    ("allow", "message"),
    [
        ("fractions.Fraction", r"expected a list of names: allow=\['fractions.Fraction'\]"),
        (["Fraction"], r"allow names 'Fraction', which cannot be imported"),
        (["fractions.Fractoin"], r"cannot be imported .*allow=\{'fractions.Fractoin': None\}"),
        (["no_such_module.Thing"], r"cannot be imported \(No module named 'no_such_module'\)"),
        ({"Fraction": None}, r"allow holds 'Fraction', expected a name of the form 'module.name'"),
        ({"fractions.Fraction": 1}, r"maps 'fractions.Fraction' to a value of type int, expected a function or class"),
    ],
)
def test_odd_arguments_are_refused(allow: Any, message: str, path: Path) -> None:
    with pytest.raises(DeclarationError, match=message):
        load_output(path, allow=allow)


def test_placeholders_can_be_copied_but_not_changed() -> None:
    placeholder = Placeholder("mycode.Cuts")
    for copied in (copy.deepcopy(placeholder), pickle.loads(pickle.dumps(placeholder))):
        assert copied.name == "mycode.Cuts"
    with pytest.raises(AttributeError, match="cannot be changed"):
        placeholder.name = "os.system"


def test_a_named_kind_in_the_data_stays_a_name(tmp_path: Path) -> None:
    read = read_contents(save_output([float, set], tmp_path / "kinds.coffea"))
    assert repr(read) == "[<name builtins.float>, <name builtins.set>]"
    assert repr(copy.deepcopy(read)) == "[<placeholder for builtins.float>, <placeholder for builtins.set>]"


def test_errors_of_allowed_code_are_told_as_damage(tmp_path: Path) -> None:
    def fail(*_arguments: object) -> None:
        raise ValueError("cannot be made")

    path = save_output(Fraction(1, 2), tmp_path / "half.coffea")
    with pytest.raises(OutputFileError, match=r"is damaged near byte .*: cannot be made"):
        read_contents(path, allow={"fractions.Fraction": fail})
