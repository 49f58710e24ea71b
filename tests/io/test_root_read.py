"""Bulk reading of ROOT files, judged by what ROOT itself read (`tests/data/root/make.py`) and by uproot."""

import importlib.util
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st

from pocket_combine.errors import RootFileError
from pocket_combine.findings import Severity
from pocket_combine.io import root_bulk, root_codecs, root_parse
from pocket_combine.io.root import HistogramBlock, HistogramSet, RootFile, read_histograms, write_histograms

DATA = Path(__file__).resolve().parents[1] / "data" / "root"
EXPECTED: dict[str, dict[str, Any]] = json.loads((DATA / "expected.json").read_text())
HAS_ZSTD = any(importlib.util.find_spec(name) for name in ("zstandard", "cramjam"))


def need(path: Path) -> None:
    """Skip what is compressed with Zstandard where nothing can expand it."""
    if not HAS_ZSTD and (path.name == "zstd.root" or "vhbb" in path.name):
        pytest.skip("neither zstandard nor cramjam is installed")


def rows(sets: tuple[HistogramSet, ...]) -> dict[str, tuple[HistogramSet, int]]:
    return {name: (group, row) for group in sets for row, name in enumerate(group.names)}


def check_against_root(path: Path) -> None:
    expected = EXPECTED[path.name]
    with RootFile(path) as file:
        found = rows(file.read_groups(expected))
    assert set(found) == set(expected)
    for name, (group, row) in found.items():
        known = expected[name]
        assert group.edges.tolist() == known["edges"]
        assert [group.underflow[row], *group.values[row], group.overflow[row]] == known["contents"]
        assert np.sqrt(group.variances[row]).tolist() == known["errors"][1:-1]
        assert group.has_sumw2[row] == known["sumw2"]


@pytest.mark.parametrize("name", EXPECTED)
def test_every_class_directory_and_codec_as_root_reads_it(name: str) -> None:
    need(DATA / name)
    check_against_root(DATA / name)


@pytest.mark.parametrize("name", ["kinds.root", "cycles.root", "zlib.root"])
def test_what_is_not_known_goes_through_uproot(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(root_parse, "_AXIS_VERSIONS", range(1))
    # uproot 4 does not know the class of 64-bit integers.
    monkeypatch.setitem(EXPECTED, name, {key: value for key, value in EXPECTED[name].items() if "TH1L" not in key})
    with caplog.at_level(logging.INFO):
        check_against_root(DATA / name)
    assert f"{len(EXPECTED[name])} histograms of unknown versions are read through uproot" in caplog.text


def test_what_uproot_cannot_read_either_is_named(tmp_path: Path) -> None:
    write_histograms(tmp_path / "a.root", [HistogramBlock(["a"], [0, 1], [[1.0]])])
    content = bytearray((tmp_path / "a.root").read_bytes())
    with RootFile(tmp_path / "a.root") as file:
        start = file.keys[0].seek + file.keys[0].key_size
    content[start + 10 : start + 40] = b"\0\x63" + b"\xff" * 28  # version 99 of TH1, then nonsense
    (tmp_path / "a.root").write_bytes(content)
    with pytest.raises(RootFileError, match=r"histogram 'a': uproot cannot read it either: \w+: "):
        read_histograms(tmp_path / "a.root", ["a"])


def test_one_layout_at_a_time_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_bulk, "_MOST_LAYOUTS", 0)
    check_against_root(DATA / "kinds.root")
    check_against_root(DATA / "zlib.root")


def test_reference_files_as_uproot_reads_them(shared_folder: Path) -> None:
    """Every histogram of every reference card: contents, errors, edges; of files with thousands, every 40th."""
    paths = sorted((shared_folder / "reference" / "cards").glob("*/*.root"))
    assert paths
    for path in paths:
        if "vhbb" in path.name and not HAS_ZSTD:
            continue
        with RootFile(path) as file:
            first = {key.path: key for key in reversed(file.keys)}
            found = rows(file.read_groups(first))
        assert len(found) == len(first)
        with uproot.open({str(path): None}, object_cache={}) as judge:
            for name in sorted(found)[:: 1 if len(found) < 300 else 40]:
                group, row = found[name]
                theirs = judge[f"{name};{first[name].cycle}"]
                contents = [group.underflow[row], *group.values[row], group.overflow[row]]
                assert theirs.values(flow=True).tolist() == contents, (path, name)
                assert theirs.axis().edges().tolist() == group.edges.tolist(), (path, name)
                squares = np.asarray(theirs.member("fSumw2"))
                assert group.has_sumw2[row] == (squares.size > 0)
                stored = squares[1:-1] if squares.size else np.abs(theirs.values())
                assert np.array_equal(group.variances[row], stored, equal_nan=True), (path, name)


def test_reference_file_with_several_cycles(shared_folder: Path) -> None:
    """This file lists the oldest cycle first; the highest one holds other templates."""
    path = shared_folder / "reference" / "cards" / "template-largeyields" / "all_histograms_fps4_bin4j1b.root"
    with RootFile(path) as file:
        several = [name for name, cycles in file._ambiguous.items() if cycles == [1, 2]]
        assert len(several) == 10
        ours, newest = file.read(several), file.read([f"{name};2" for name in several])
    assert not np.array_equal(ours.values, newest.values)
    assert ours.findings[0].numbers == {"names": 10}
    assert newest.findings == ()


def test_several_cycles_the_first_in_the_list_counts(tmp_path: Path) -> None:
    # ROOT lists the newest first.
    with RootFile(DATA / "cycles.root") as file:
        assert [(key.path, key.cycle) for key in file.keys] == [("again", 3), ("again", 2), ("again", 1), ("once", 1)]
        newest, oldest = file.read(["again", "once"]), file.read(["again;1"])
        assert np.array_equal(newest.values[0], file.read(["again;3"]).values[0])
    assert not np.array_equal(newest.values[0], oldest.values[0])
    (finding,) = newest.findings
    assert finding.code == "ambiguous-key"
    assert finding.severity == Severity.WARNING
    assert "'again' (cycles 3, 2, 1); taken is the one that the file lists first" in finding.message
    assert oldest.findings == ()
    # uproot lists the oldest first, and ROOT then returns it.
    with uproot.recreate(tmp_path / "a.root") as writer:
        for content in (1.0, 2.0):
            writer["a"] = (np.array([content]), np.array([0.0, 1.0]))
    assert read_histograms(tmp_path / "a.root", ["a"]).values.tolist() == [[1.0]]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_what_is_written_comes_back(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    characters = st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_characters="/;:\x7f")
    name = st.lists(st.text(characters, min_size=1, max_size=9), min_size=1, max_size=3).map("/".join)
    names = data.draw(st.lists(name, unique=True, min_size=1, max_size=15))
    folders = {"/".join(path.split("/")[:depth]) for path in names for depth in (1, 2)}
    names = [path for path in names if not (path in folders and any(other.startswith(path + "/") for other in names))]
    bins = data.draw(st.integers(1, 5))
    edges = np.sort(data.draw(st.lists(st.integers(-1000, 1000), min_size=bins + 1, max_size=bins + 1, unique=True)))
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    values = np.array([data.draw(st.lists(numbers, min_size=bins, max_size=bins)) for _ in names])
    variances = np.abs(values) if data.draw(st.booleans()) else None
    path = tmp_path_factory.mktemp("back") / "a.root"
    write_histograms(path, [HistogramBlock(names, edges * 0.1, values, variances)])
    asked = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=20))
    read = read_histograms(path, asked)
    order = [names.index(item) for item in asked]
    assert read.names == tuple(asked)
    assert np.array_equal(read.edges, edges * 0.1)
    assert np.array_equal(read.values, values[order])
    assert np.array_equal(read.variances, np.abs(values)[order])
    assert (read.has_sumw2 == (variances is not None)).all()
    assert not read.underflow.any()
    assert not read.overflow.any()


def test_binnings_that_differ_are_told_apart(tmp_path: Path) -> None:
    single = np.array([0.0, 0.1, 0.3, 0.6], dtype=np.float32).astype(float)
    blocks = [
        HistogramBlock(["a", "b"], [0.0, 0.1, 0.3, 0.6], np.ones((2, 3))),
        HistogramBlock(["in_single_precision"], single, np.ones((1, 3))),
        HistogramBlock(["c"], [0.0, 0.1, 0.4, 0.6], np.ones((1, 3))),
        HistogramBlock(["d"], [0.0, 1.0], np.ones((1, 1))),
    ]
    write_histograms(tmp_path / "a.root", blocks)
    with RootFile(tmp_path / "a.root") as file:
        sets = file.read_groups(["d", "b", "c", "in_single_precision", "a"])
        assert [group.names for group in sets] == [("d",), ("b", "in_single_precision", "a"), ("c",)]
        assert sets[1].edges.tolist() == [0.0, 0.1, 0.3, 0.6]
        assert file.read(["in_single_precision", "a"]).edges.tolist() == single.tolist()
        with pytest.raises(RootFileError) as caught:
            file.read(["a", "c", "d"])
        assert file.read_groups([]) == ()
        with pytest.raises(RootFileError, match="no histogram was asked for"):
            file.read([])
    assert "one binning was expected, found 3; 3 bins from 0 to 0.6: 'a'; 3 bins from 0 to 0.6: 'c'" in str(
        caught.value
    )


def test_names_that_are_missing_or_of_another_class() -> None:
    with RootFile(DATA / "kinds.root") as file, pytest.raises(RootFileError) as caught:
        file.read(["TH1D_plain", "TH1D_plane", "SR/deep/TH1F_sumw", "two", "profile", "text", "TH1D_plain;9", "SR"])
    message = str(caught.value)
    assert message.startswith(f"{DATA / 'kinds.root'}: 7 problems:")
    for expected in (
        "histogram 'TH1D_plane' is not in the file, did you mean 'TH1D_plain' or ",
        "histogram 'SR/deep/TH1F_sumw' is not in the file, did you mean 'SR/deep/TH1F_sumw2' or ",
        "'two' is a TH2D, expected a one-dimensional histogram (TH1C, TH1S, TH1I, TH1L, TH1F, TH1D)",
        "'profile' is a TProfile, expected",
        "'text' is a TNamed, expected",
        "histogram 'TH1D_plain;9' is not in the file, did you mean 'TH1D_plain' or ",
        "histogram 'SR' is not in the file, available: ",
    ):
        assert expected in message


def test_nearest_names_are_found_among_many(tmp_path: Path) -> None:
    names = [f"process{row}_2018_CMS_scale_j_{row}Up" for row in range(2000)]
    write_histograms(tmp_path / "a.root", [HistogramBlock(names, [0, 1], np.ones((2000, 1)))])
    with pytest.raises(RootFileError, match="did you mean 'process7_2018_CMS_scale_j_7Up' or"):
        read_histograms(tmp_path / "a.root", ["process7_2018_CMS_scale_7Up"])
    with pytest.raises(RootFileError, match="'xyz' is not in the file, nor anything like it among its 2000 objects"):
        read_histograms(tmp_path / "a.root", ["xyz"])
    with pytest.raises(RootFileError, match=r"names are a text, expected a list: \['xyz'\]"):
        read_histograms(tmp_path / "a.root", "xyz")
    with pytest.raises(RootFileError, match=r"… and 80 more names"):
        read_histograms(tmp_path / "a.root", [f"x{row}" for row in range(100)])


def test_entries_in_the_buffer_of_a_histogram_are_not_forgotten() -> None:
    with pytest.raises(RootFileError, match="'buffered': holds entries that are not in its bins yet; call BufferEmpty"):
        read_histograms(DATA / "waiting.root", ["buffered"])


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    names = [f"h{row:03}" for row in range(200)]
    write_histograms(tmp_path / "a.root", [HistogramBlock(names, range(42), np.ones((200, 41)))])
    whole = bytearray((tmp_path / "a.root").read_bytes())
    with RootFile(tmp_path / "a.root") as file:
        keep = file.keys[100]
        for key in file.keys:
            if key is not keep:
                whole[key.seek + key.key_size : key.seek + key.size] = bytes(key.size - key.key_size)
    (tmp_path / "a.root").write_bytes(whole)
    assert read_histograms(tmp_path / "a.root", ["h100"]).values.sum() == 41
    with pytest.raises(RootFileError, match="… and 179 more histograms"):
        read_histograms(tmp_path / "a.root", [name for name in names if name != "h100"])


def test_more_than_allowed_is_refused() -> None:
    with RootFile(DATA / "zlib.root", max_bytes=2000) as file:
        assert file.read(["h0"]).values.shape == (1, 30)
        with pytest.raises(RootFileError, match="3 histograms take 3147 bytes of memory, more than max_bytes = 2000"):
            file.read(["h0", "h1", "h2"])


def test_a_closed_file_says_so() -> None:
    file = RootFile(DATA / "zlib.root")
    file.close()
    assert "h0" in file
    with pytest.raises(RootFileError, match=r"zlib.root: cannot be read: seek of closed file"):
        file.read(["h0"])


def test_zstandard_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_codecs, "_ZSTD_PACKAGES", {"no_such_package": root_codecs._zstd_cramjam})
    with pytest.raises(RootFileError, match="run `python -m pip install zstandard` and try again"):
        read_histograms(DATA / "zstd.root", ["h0"])


@pytest.mark.parametrize("package", list(root_codecs._ZSTD_PACKAGES))
def test_each_package_for_zstandard(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        importlib.import_module(package)
    except ImportError:
        pytest.skip(f"{package} is not installed")
    monkeypatch.setattr(root_codecs, "_ZSTD_PACKAGES", {package: root_codecs._ZSTD_PACKAGES[package]})
    check_against_root(DATA / "zstd.root")
