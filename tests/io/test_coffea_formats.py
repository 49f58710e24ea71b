"""Files that real programs wrote are read as the plain unpickler, which runs everything, reads them."""

from __future__ import annotations

import io
import pickle
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boost_histogram
import lz4.frame
import numpy as np
import pytest
from assembly import call, name
from every_kind import every_kind
from outputs import make_output, save_output, save_pickle

from pocket_combine.io.coffea import load_output, read_contents
from pocket_combine.io.pickles.histogram_state import AXIS_KINDS
from pocket_combine.io.pickles.plain_names import ColumnAccumulator, ValueAccumulator

VERSIONS = sorted((Path(__file__).parents[1] / "data" / "outputs").glob("*.coffea"))
REAL = ("weights_2018.coffea", "shapes_2018.coffea", "shapes_2023_postBPix.coffea")


class PlainUnpickler(pickle.Unpickler):
    """The unpickler of the standard library, told where names of other versions are found now."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("coffea."):
            return type(name, (SimpleNamespace,), {})
        module = module.replace("boost_histogram._internal.axis_transform", "boost_histogram.axis.transform")
        if module.split(".")[:2] in (["numpy", "core"], ["numpy", "_core"]):
            core = "_core" if np.lib.NumpyVersion(np.__version__) >= "2.0.0b1" else "core"
            module = ".".join(["numpy", core, *module.split(".")[2:]])
        return super().find_class(module, name)


def plain_load(path: Path) -> Any:
    return PlainUnpickler(io.BytesIO(lz4.frame.decompress(path.read_bytes()))).load()


def assert_same(read: Any, plain: Any, place: str = "") -> None:
    if isinstance(plain, dict):
        assert isinstance(read, dict), place
        assert list(read) == list(plain), place
        for key in plain:
            assert_same(read[key], plain[key], f"{place}/{key}")
    elif type(plain).__name__ == "column_accumulator":
        assert isinstance(read, ColumnAccumulator), place
        assert_same(read.value, plain._value, place)
    else:
        assert type(read) is type(plain), place
        if isinstance(plain, (list, tuple)):
            assert len(read) == len(plain), place
            for number, (one, other) in enumerate(zip(read, plain, strict=True)):
                assert_same(one, other, f"{place}/{number}")
        elif isinstance(plain, np.ndarray):
            # Up to protocol 4, NumPy itself turns arrays of the other byte order round.
            assert read.dtype.newbyteorder("=") == plain.dtype.newbyteorder("="), place
            assert read.shape == plain.shape, place
            assert read.tolist() == plain.tolist(), place
        elif isinstance(plain, boost_histogram.Histogram):
            assert_same_histogram(read, plain, place)
        elif type(plain).__module__.endswith(".storage"):
            assert repr(read) == repr(plain), place
        else:
            assert read == plain, place


def assert_same_histogram(read: Any, plain: Any, place: str) -> None:
    assert read == plain, place
    assert [(type(axis), axis.traits, axis.__dict__) for axis in read.axes] == [
        (type(axis), axis.traits, axis.__dict__) for axis in plain.axes
    ], place
    assert read.view(flow=True).tobytes() == plain.view(flow=True).tobytes(), place
    assert (read.variances() is None) == (plain.variances() is None), place
    assert attributes(read) == attributes(plain), place


def attributes(histogram: Any) -> dict[str, Any]:
    """Return name, label and other notes; `metadata` is there only if an old version has written the histogram."""
    return {name: value for name, value in vars(histogram).items() if name not in ("axes", "_hist", "metadata")}


@pytest.mark.parametrize("name", REAL)
def test_outputs_of_pocketcoffea_read_as_the_plain_unpickler_reads_them(name: str, shared_folder: Path) -> None:
    path = shared_folder / "data" / "coffea" / name
    output = load_output(path)
    assert_same(output.contents, plain_load(path))
    assert len(output.variables) >= 8


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_files_of_other_versions(path: Path) -> None:
    contents = read_contents(path)
    assert_same(contents, plain_load(path))
    # And as the values were meant, whatever the plain unpickler says.
    assert_same(contents, every_kind())


def test_there_are_files_of_other_versions() -> None:
    assert len(VERSIONS) == 4


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_kind_in_every_protocol(protocol: int, tmp_path: Path) -> None:
    path = save_output(every_kind(), tmp_path / "every_kind.coffea", protocol=protocol)
    assert_same(read_contents(path), every_kind())


@pytest.mark.parametrize("protocol", [2, 5])
def test_a_whole_output(protocol: int, tmp_path: Path) -> None:
    contents = make_output(nested_cutflow=True)
    path = save_output(contents, tmp_path / "output_all.coffea", protocol=protocol)
    assert_same(load_output(path).contents, contents)


def test_shared_objects_stay_shared(tmp_path: Path) -> None:
    contents = make_output()
    filled = contents["variables"]["nJets"]["TTbar"]["TTbar_2018"]
    read = read_contents(save_output([filled, filled], tmp_path / "twice.coffea"))
    assert read[0] is read[1]
    assert read[0] == filled


def test_contents_of_any_size_cross_the_chunks_of_the_stream(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    arrays = [rng.random(size) for size in (0, 1, 511, 512, 513, 8191, 8192, 65536, 1_000_003)]
    texts = ["x" * size for size in (0, 1, 255, 256, 65535, 70_000)]
    for protocol in (2, 4, 5):
        path = save_output([arrays, texts, b"y" * 300_000], tmp_path / "sizes.coffea", protocol=protocol)
        assert_same(read_contents(path), [arrays, texts, b"y" * 300_000])


def test_axes_of_the_installed_library_have_the_flow_bins_that_the_reader_expects() -> None:
    expected = {name: flow for name, read, flow in AXIS_KINDS if read is not None}
    seen = set()
    for value in every_kind().values():
        for axis in getattr(value, "axes", ()):
            kind = type(axis._ax).__name__
            seen.add(kind)
            assert axis.extent - axis.size == expected[kind], kind
    assert {"regular_trans", "regular_pow", "variable_circular", "integer_growth", "category_str", "boolean"} <= seen


@pytest.fixture
def accumulators(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Values that pickle as coffea's accumulators do, without coffea: classes with the right names."""
    module = ModuleType("coffea.processor.accumulator")
    for kind, base in (
        ("dict_accumulator", dict),
        ("list_accumulator", list),
        ("set_accumulator", set),
        ("defaultdict_accumulator", defaultdict),
        ("column_accumulator", object),
        ("value_accumulator", object),
    ):
        setattr(module, kind, type(kind, (base,), {"__module__": module.__name__}))
    for package in ("coffea", "coffea.processor", module.__name__):
        monkeypatch.setitem(sys.modules, package, module)
    column, value = module.column_accumulator(), module.value_accumulator()
    column.__dict__.update({"_empty": np.zeros(0), "_value": np.array([1.0, 2.0])})
    value.__dict__.update({"value": 3.5, "default_factory": float})
    return {
        "dict": module.dict_accumulator({"a": 1}),
        "list": module.list_accumulator([1, 2]),
        "set": module.set_accumulator({"x"}),
        "defaultdict": module.defaultdict_accumulator(int, {"b": 2}),
        "column": column,
        "value": value,
    }


@pytest.mark.parametrize("protocol", [2, 5])
def test_accumulators_of_coffea_are_plain_values(protocol: int, tmp_path: Path, accumulators: dict[str, Any]) -> None:
    read = read_contents(save_output(accumulators, tmp_path / "accumulators.coffea", protocol=protocol))
    assert [type(read[name]) for name in ("dict", "list", "set", "defaultdict")] == [dict, list, set, dict]
    assert (read["dict"], read["list"], read["set"], read["defaultdict"]) == ({"a": 1}, [1, 2], {"x"}, {"b": 2})
    assert read["column"].value.tolist() == [1.0, 2.0]
    assert read["value"] == ValueAccumulator(3.5)


@pytest.mark.parametrize(
    ("module", "kind", "argument", "expected"),
    [
        ("collections", "OrderedDict", [["b", 1], ["a", 2]], OrderedDict([("b", 1), ("a", 2)])),
        ("collections", "OrderedDict", {"b": 1, "a": 2}, OrderedDict([("b", 1), ("a", 2)])),
        ("collections", "Counter", {"b": 1, "a": 2}, Counter({"b": 1, "a": 2})),
        ("collections", "deque", [1, 2], deque([1, 2])),
        ("builtins", "dict", [("b", 1), ("a", 2)], {"b": 1, "a": 2}),
        ("builtins", "list", (1, 2), [1, 2]),
        ("builtins", "tuple", [1, 2], (1, 2)),
        ("builtins", "set", [1, 2], {1, 2}),
        ("builtins", "frozenset", [1, 2], frozenset({1, 2})),
        ("builtins", "bytearray", b"ab", bytearray(b"ab")),
    ],
)
def test_containers_made_from_members(module: str, kind: str, argument: Any, expected: Any, tmp_path: Path) -> None:
    members = pickle.dumps(argument, 2)[2:-1]
    path = save_pickle(b"\x80\x05" + call(name(module, kind), members) + b".", tmp_path / "made.coffea")
    read = read_contents(path)
    assert type(read) is type(expected)
    assert read == expected
    assert list(read) == list(expected)


def test_a_defaultdict_does_not_invent_what_is_looked_up(tmp_path: Path) -> None:
    output = load_output(save_output(make_output(), tmp_path / "output_all.coffea"))
    with pytest.raises(KeyError, match="TTbarr"):
        output["variables"]["nJets"]["TTbarr"]
