"""Bulk writing of ROOT files, judged by uproot and, where it is installed, by ROOT itself."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
import uproot
import uproot.models.TH
from hypothesis import given, settings
from hypothesis import strategies as st

from pocket_combine.errors import RootFileError
from pocket_combine.io import root_block, root_skeleton, root_write
from pocket_combine.io.root import HistogramBlock, template_blocks, write_histograms, write_templates
from pocket_combine.templates import FloatArray, Templates

MEMBERS = ("fEntries", "fTsumw", "fTsumwx", "fTsumwx2", "fNcells", "fMaximum", "fMinimum", "fNormFactor", "fTitle")


def weighted(axis: Any, seed: int) -> Any:
    """A histogram of weighted events without flow."""
    result = hist.Hist(axis, storage=hist.storage.Weight())
    random = np.random.default_rng(seed)
    view = result.view()
    view.value = random.gamma(2.0, 5.0, view.shape)
    view.variance = random.gamma(1.0, 2.0, view.shape)
    return result


def names_in(path: Path) -> list[str]:
    with uproot.open(path) as file:
        return [name for name, kind in file.classnames(cycle=False).items() if kind == "TH1D"]


@pytest.mark.parametrize(
    "axis", [hist.axis.Regular(40, 0.0, 1.0), hist.axis.Variable([-1.0, 0.3, 0.5, 7.0]), hist.axis.Integer(0, 3)]
)
def test_equal_to_what_uproot_writes_one_by_one(tmp_path: Path, axis: Any) -> None:
    histograms = {f"process{seed}_2018_nominal": weighted(axis, seed) for seed in range(12)}
    with uproot.recreate(tmp_path / "uproot.root") as file:
        for name, histogram in histograms.items():
            file[name] = histogram
    edges = axis.edges
    values = np.array([histogram.values() for histogram in histograms.values()])
    variances = np.array([histogram.variances() for histogram in histograms.values()])
    write_histograms(tmp_path / "ours.root", [HistogramBlock(list(histograms), edges, values, variances)])

    with uproot.open(tmp_path / "uproot.root") as theirs, uproot.open(tmp_path / "ours.root") as ours:
        assert ours.keys() == theirs.keys()
        for name in histograms:
            assert np.array_equal(ours[name].values(flow=True), theirs[name].values(flow=True))
            assert np.array_equal(ours[name].errors(flow=True), theirs[name].errors(flow=True))
            assert np.array_equal(ours[name].axis().edges(), edges)
            np.testing.assert_allclose(ours[name].axis().edges(), theirs[name].axis().edges(), rtol=1e-15)
            for member in MEMBERS:
                assert ours[name].member(member) == theirs[name].member(member), member


def test_second_moment_of_weights_is_the_sum_of_variances(tmp_path: Path) -> None:
    # uproot 4 and 5 store the sum of weights in fTsumw2; ROOT's GetEffectiveEntries needs the sum of their squares.
    write_histograms(tmp_path / "a.root", [HistogramBlock(["a"], [0, 1, 2], [[1.0, 2.0]], [[10.0, 20.0]])])
    with uproot.open(tmp_path / "a.root") as file:
        assert file["a"].member("fTsumw2") == 30.0


def test_unweighted_histograms_have_no_errors_of_their_own(tmp_path: Path) -> None:
    write_histograms(tmp_path / "a.root", [HistogramBlock(["data_obs"], [0, 1, 2], [[4.0, 9.0]])])
    with uproot.open(tmp_path / "a.root") as file:
        assert len(file["data_obs"].member("fSumw2")) == 0
        assert file["data_obs"].errors().tolist() == [2.0, 3.0]


NAME = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_characters="/;:\x7f"), min_size=1, max_size=20
)
EDGES = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=2, max_size=8, unique=True).map(sorted)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_names_and_numbers_come_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    names = data.draw(st.lists(NAME, unique=True, min_size=1, max_size=12))
    folder = data.draw(st.sampled_from(["", "SR/", "SR/deep/"]))
    blocks, start = [], 0
    while start < len(names):
        stop = data.draw(st.integers(start + 1, len(names)))
        edges = np.array(data.draw(EDGES))
        shape = (stop - start, edges.size - 1)
        numbers = st.floats(-1e300, 1e300).map(float)
        flat = data.draw(st.lists(numbers, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
        values = np.array(flat).reshape(shape)
        blocks.append(HistogramBlock([folder + name for name in names[start:stop]], edges, values, np.abs(values)))
        start = stop
    path = tmp_path_factory.mktemp("any") / "a.root"
    write_histograms(path, blocks)
    assert names_in(path) == [folder + name for name in names]
    with uproot.open(path) as file:
        for block in blocks:
            for row, name in enumerate(block.names):
                read = file[name]
                assert read.name == name.rpartition("/")[2]
                assert np.array_equal(read.values(), block.values[row])
                assert np.array_equal(read.axis().edges(), block.edges)
                assert block.variances is not None
                assert np.array_equal(read.member("fSumw2")[1:-1], block.variances[row])


def test_names_of_any_length_and_more_rows_than_one_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_write, "_CHUNK_BYTES", 3000)
    names = [f"{'n' * length}{row}" for row in range(10) for length in (1, 253, 254, 255, 256, 3000)]
    values = np.arange(2.0 * len(names)).reshape(-1, 2)
    write_histograms(tmp_path / "a.root", [HistogramBlock(names, [0, 1, 2], values, values, "t" * 300)])
    assert names_in(tmp_path / "a.root") == names
    with uproot.open(tmp_path / "a.root") as file:
        assert [file[name].values().tolist() for name in names] == values.tolist()
        assert file[names[-1]].title == "t" * 300


def test_same_input_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    program = (
        "import sys; from pocket_combine.io.root import *\n"
        "blocks = [HistogramBlock([f'{c}/p{i}' for c in ('SR', 'CR') for i in range(9)], [0, 1], [[1.0]] * 18)]\n"
        "write_histograms(sys.argv[1], blocks)"
    )
    other = tmp_path / "other" / "shapes.root"
    other.parent.mkdir()
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", program, other], check=True, env=environment)  # noqa: S603
    names = [f"{channel}/p{at}" for channel in ("SR", "CR") for at in range(9)]
    write_histograms(tmp_path / "shapes.root", [HistogramBlock(names, [0, 1], [[1.0]] * 18)])
    assert (tmp_path / "shapes.root").read_bytes() == other.read_bytes()


def test_files_of_different_content_are_different_files_for_uproot(tmp_path: Path) -> None:
    # uproot keeps objects in a cache by the UUID of their file.
    for value in (1.0, 2.0):
        write_histograms(tmp_path / f"{value}.root", [HistogramBlock(["a"], [0, 1], [[value]])])
    read = []
    for value in (1.0, 2.0):
        with uproot.open(tmp_path / f"{value}.root") as file:
            read.append(file["a"].values().tolist())
    assert read == [[1.0], [2.0]]


def test_eight_byte_positions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_write, "BIG_FILE", 0)
    blocks = [HistogramBlock(["SR/a", "b"], [0, 1, 3], [[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]])]
    write_histograms(tmp_path / "a.root", blocks)
    with uproot.open(tmp_path / "a.root") as file:
        assert file.file.fVersion == 1062400
        assert file["SR/a"].values().tolist() == [1.0, 2.0]
        assert file["b"].variances().tolist() == [7.0, 8.0]


def test_size_bound_holds(tmp_path: Path) -> None:
    for names in (["a"], ["ü" * 100 + str(row) for row in range(50)]):
        blocks = [HistogramBlock(names, [0, 1], np.ones((len(names), 1)), np.ones((len(names), 1)), "title")]
        write_histograms(tmp_path / "a.root", blocks)
        assert (tmp_path / "a.root").stat().st_size < root_write._size_bound(blocks)


def test_all_problems_are_listed_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "shapes.root"
    path.write_bytes(b"old")
    blocks = [
        HistogramBlock(["a", "b"], [0, 1, 2], [[1.0, np.nan], [np.inf, np.inf]], [[1.0, -1.0], [1.0, 1.0]]),
        HistogramBlock(["a", "x;1", "", "d//e", "line\nend", "b/c", "\ud800"], [0, 1], np.ones((7, 1))),
        HistogramBlock(["c"], [0, 0, 1], [[1.0, 1.0]]),
        HistogramBlock(["d"], [0, 1], [[1.0, 1.0]]),
        HistogramBlock(["e"], [0, np.inf], [[1.0]]),
        HistogramBlock(["f"], [0], [[]]),
        HistogramBlock([7], [0, 1], [[1.0]]),  # type: ignore[list-item]  # what is refused here
        HistogramBlock(["n" * 40_000], [0, 1], [[1.0]]),
    ]
    with pytest.raises(RootFileError) as caught:
        write_histograms(path, blocks)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["shapes.root"]
    message = str(caught.value)
    assert message.startswith(f"{path} was not written: 17 problems:")
    for expected in (
        "histogram 'a': content not finite in bin 1",
        "histogram 'a': squared error negative in bin 1",
        "histogram 'b': content not finite in bin 0, 1",
        "histogram name 'x;1' holds ';': control characters, ';' and ':' cannot be looked up",
        "histogram name '' is empty or has an empty part between slashes",
        "histogram name 'd//e' is empty or has an empty part between slashes",
        r"histogram name 'line\nend' holds '\n'",
        r"histogram name '\ud800' cannot be written as UTF-8",
        "block 2 ('c'): edges are not finite and strictly increasing: [0. 0. 1.]",
        "block 3 ('d'): values have shape (1, 2), expected (1, 1) (histogram, bin)",
        "block 4 ('e'): edges are not finite and strictly increasing: [ 0. inf]; flow bins have to be folded",
        "block 5 ('f'): edges have shape (1,), expected at least two edges in one dimension",
        "histogram name 7 is a int, expected text",
        "has 40000 bytes, more than the 16000 for which a ROOT key has room",
        "histogram 'a' occurs twice",
        "'b' is both a histogram and a directory",
        "'d' is both a histogram and a directory",
    ):
        assert expected in message


def test_titles_that_cannot_be_written_and_arrays_that_are_none(tmp_path: Path) -> None:
    blocks = [HistogramBlock(["a"], [0, 1], [[1.0]], title=title) for title in ("\ud800", "t" * 16_001)]
    with pytest.raises(RootFileError) as caught:
        write_histograms(tmp_path / "a.root", blocks)
    assert r"block 0 ('a'): title '\ud800' cannot be written as UTF-8" in str(caught.value)
    assert "t'… has 16001 bytes, more than the 16000 for which a ROOT key has room" in str(caught.value)
    with pytest.raises(
        RootFileError, match=r"values of 'a' … 'b' are not an array of numbers: setting an array element"
    ):
        HistogramBlock(["a", "b"], [0, 1], [[1.0], [1.0, 2.0]])
    longest = HistogramBlock(["n" * 16_000], [0, 1], [[1.0]], title="t" * 16_000)
    write_histograms(tmp_path / "a.root", [longest])
    assert names_in(tmp_path / "a.root") == list(longest.names)


def test_many_problems_of_one_kind_are_counted() -> None:
    with pytest.raises(RootFileError, match="… and 80 more like these"):
        write_histograms(
            "never.root", [HistogramBlock([f"p{i}" for i in range(100)], [0, 1], np.full((100, 1), np.nan))]
        )


def test_what_fails_halfway_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.root").write_bytes(b"old")
    monkeypatch.setattr(root_skeleton, "_LARGEST_RECORD", 100)
    with pytest.raises(RootFileError, match="was not written: directory '/' has more keys than a ROOT file can list"):
        write_histograms(tmp_path / "a.root", [HistogramBlock(["a", "b", "c"], [0, 1], np.ones((3, 1)))])
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("a.root", b"old")]


def test_more_bins_than_an_object_can_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_block, "_LARGEST_OBJECT", 65_000)
    with pytest.raises(RootFileError, match=r"block 0 \('a'\): 100 bins are more than a ROOT object can hold"):
        write_histograms(tmp_path / "a.root", [HistogramBlock(["a"], range(101), np.ones((1, 100)))])


def test_a_missing_folder_is_made_and_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    block = HistogramBlock(["a"], [0, 1], [[1.0]])
    write_histograms(tmp_path / "new" / "a.root", [block])
    assert (tmp_path / "new" / "a.root").is_file()
    with pytest.raises(RootFileError, match=r"a\.root/b\.root was not written: Not a directory"):
        write_histograms(tmp_path / "new" / "a.root" / "b.root", [block])


def test_links_are_followed_and_nothing_is_left_beside(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.root").symlink_to(tmp_path / "real" / "a.root")
    write_histograms(tmp_path / "link.root", [HistogramBlock(["a"], [0, 1], [[1.0]])])
    assert (tmp_path / "link.root").is_symlink()
    assert [entry.name for entry in (tmp_path / "real").iterdir()] == ["a.root"]


def test_a_file_without_histograms_is_a_file(tmp_path: Path) -> None:
    write_histograms(tmp_path / "a.root", [])
    with uproot.open(tmp_path / "a.root") as file:
        assert file.keys() == []


def test_class_descriptions_are_those_of_uproot() -> None:
    records = uproot.models.TH.Model_TH1D_v3.class_rawstreamers
    assert len(records) == root_skeleton._STREAMERS
    assert root_skeleton._streamer_records() == b"".join(record[1] for record in records)


@pytest.fixture
def two_channels() -> dict[str, Templates]:
    """Two channels with different processes, binnings and nuisances; one has data."""
    sr = Templates.of(
        [0, 1, 2],
        {"ttbar_2018": [1.0, 2.0], "signal_2018": [3.0, 4.0]},
        {("ttbar_2018", "JES"): ([1.5, 2.5], [0.5, 1.5]), ("signal_2018", "JES"): ([3.5, 4.5], [2.5, 3.5])},
        variances={"ttbar_2018": [0.25, 0.5]},
        observation=[4.0, 6.0],
    )
    return {"SR": sr, "CR": Templates.of([0, 10, 30, 40], {"ttbar_2018": [5.0, 6.0, 7.0]})}


def test_templates_in_the_flat_layout(tmp_path: Path, two_channels: dict[str, Templates]) -> None:
    write_templates(tmp_path / "a.root", {"SR": two_channels["SR"]})
    assert names_in(tmp_path / "a.root") == [
        "data_obs_nominal",
        "ttbar_2018_nominal",
        "signal_2018_nominal",
        "ttbar_2018_JESUp",
        "signal_2018_JESUp",
        "ttbar_2018_JESDown",
        "signal_2018_JESDown",
    ]
    with uproot.open(tmp_path / "a.root") as file:
        assert file["data_obs_nominal"].values().tolist() == [4.0, 6.0]
        assert file["ttbar_2018_nominal"].variances().tolist() == [0.25, 0.5]
        assert file["signal_2018_JESUp"].values().tolist() == [3.5, 4.5]
        assert file["ttbar_2018_JESDown"].values().tolist() == [0.5, 1.5]


def test_templates_in_directories(tmp_path: Path, two_channels: dict[str, Templates]) -> None:
    write_templates(tmp_path / "a.root", two_channels, layout="directories")
    with uproot.open(tmp_path / "a.root") as file:
        assert file["SR"].keys(cycle=False)[:3] == ["data_obs", "ttbar_2018", "signal_2018"]
        assert file["SR/signal_2018_JESDown"].values().tolist() == [2.5, 3.5]
        assert file["CR"].keys(cycle=False) == ["ttbar_2018"]
        assert file["CR/ttbar_2018"].axis().edges().tolist() == [0.0, 10.0, 30.0, 40.0]


def test_templates_with_patterns_of_ones_own(two_channels: dict[str, Templates]) -> None:
    blocks = template_blocks("CR", two_channels["CR"], nominal="$PROCESS/$CHANNEL", systematic="x")
    assert [name for block in blocks for name in block.names] == ["ttbar_2018/CR"]


def test_layouts_that_cannot_work_are_refused(tmp_path: Path, two_channels: dict[str, Templates]) -> None:
    with pytest.raises(RootFileError, match=r"the flat layout holds one channel, found 2 \(SR, CR\)"):
        write_templates(tmp_path / "a.root", two_channels)
    with pytest.raises(RootFileError, match="layout 'nested' is unknown, expected 'flat' or 'directories'"):
        write_templates(tmp_path / "a.root", two_channels, layout="nested")  # type: ignore[arg-type]  # what is refused
    assert list(tmp_path.iterdir()) == []


ROOT_READS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import ROOT
ROOT.gErrorIgnoreLevel = ROOT.kInfo
ROOT.TH1.AddDirectory(False)
result = {}
for path in sys.argv[1:]:
    file = ROOT.TFile.Open(path)
    result[path] = {"zombie": file.IsZombie(), "recovered": file.TestBit(ROOT.TFile.kRecovered), "histograms": {}}
    def walk(directory, prefix):
        for key in directory.GetListOfKeys():
            if key.IsFolder():
                walk(directory.Get(key.GetName()), prefix + key.GetName() + "/")
                continue
            h = key.ReadObj()
            cells = range(h.GetNbinsX() + 2)
            result[path]["histograms"][prefix + key.GetName()] = {
                "class": h.ClassName(), "name": h.GetName(), "title": h.GetTitle(), "entries": h.GetEntries(),
                "effective": h.GetEffectiveEntries(), "mean": h.GetMean(),
                "edges": [h.GetXaxis().GetBinLowEdge(i) for i in cells][1:],
                "fixed": h.GetXaxis().GetXbins().GetSize() == 0, "sumw2": h.GetSumw2N(),
                "contents": [h.GetBinContent(i) for i in cells], "errors": [h.GetBinError(i) for i in cells]}
    walk(file, "")
    file.Close()
update = ROOT.TFile.Open(sys.argv[1], "UPDATE")
extra = ROOT.TH1D("extra", "", 2, 0, 2)
extra.SetBinContent(1, 5)
update.WriteTObject(extra)
update.Close()
print(json.dumps(result))
"""


def run_root(program: str, *arguments: Path) -> Any:
    """Run a program with ROOT in a process of its own, for it changes signal handlers; return the JSON it prints."""
    if importlib.util.find_spec("ROOT") is None:
        pytest.skip("the ROOT wheel is not installed")
    command = [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert "Error in" not in done.stderr
    assert "Warning in" not in done.stderr
    return json.loads(done.stdout)


def check_root(seen: dict[str, Any], name: str, edges: Any, values: FloatArray, variances: FloatArray) -> None:
    found = seen[name]
    assert found["class"] == "TH1D"
    assert found["name"] == name.rpartition("/")[2]
    assert found["edges"] == list(edges)
    assert found["contents"] == [0.0, *values, 0.0]
    assert found["errors"] == [0.0, *np.sqrt(variances), 0.0]
    assert found["entries"] == np.sum([0.0, *values, 0.0])


def test_root_itself_reads_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fixed, variable = np.linspace(0.0, 1.0, 41), [0.0, 0.1, 0.5, 3.0]
    random = np.random.default_rng(3)
    values, variances = random.gamma(2.0, 3.0, (300, 40)), random.gamma(2.0, 1.0, (300, 40))
    few = random.gamma(2.0, 3.0, (2, 3))
    names = [f"SR/process{row}_{'n' * (row % 7)}" for row in range(300)]
    blocks = [
        HistogramBlock(names, fixed, values, variances, "title"),
        HistogramBlock(["SR/deep/a", "data_obs"], variable, few),
    ]
    write_histograms(tmp_path / "small.root", blocks)
    monkeypatch.setattr(root_write, "BIG_FILE", 0)
    write_histograms(tmp_path / "big.root", blocks)

    seen = run_root(ROOT_READS, tmp_path / "small.root", tmp_path / "big.root")
    for path in ("small.root", "big.root"):
        assert seen[str(tmp_path / path)]["zombie"] is False
        assert seen[str(tmp_path / path)]["recovered"] is False
        histograms = seen[str(tmp_path / path)]["histograms"]
        assert set(histograms) == {*names, "SR/deep/a", "data_obs"}
        for row, name in enumerate(names):
            check_root(histograms, name, fixed, values[row], variances[row])
        for row, name in enumerate(["SR/deep/a", "data_obs"]):
            check_root(histograms, name, variable, few[row], few[row])
        first = histograms[names[0]]
        assert first["title"] == "title"
        assert first["fixed"] is True
        assert first["sumw2"] == 42
        assert histograms["data_obs"]["fixed"] is False
        assert histograms["data_obs"]["sumw2"] == 0
        assert first["effective"] == pytest.approx(values[0].sum() ** 2 / variances[0].sum(), rel=1e-12)
        centers = (fixed[1:] + fixed[:-1]) / 2
        assert first["mean"] == pytest.approx((values[0] * centers).sum() / values[0].sum(), rel=1e-12)

    # ROOT could add to the file, so its free segments and lists of keys are in order.
    with uproot.open(tmp_path / "small.root") as file:
        assert file["extra"].values().tolist() == [5.0, 0.0]
        assert file[names[-1]].values().tolist() == values[-1].tolist()
