"""Files that are not outputs of PocketCoffea each get a message that says what they are."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
import uproot
from outputs import make_output, save_output, save_pickle

from pocket_combine.errors import DeclarationError, OutputFileError, PocketCombineError
from pocket_combine.io.coffea import load_output, output_paths, read_contents

WHOLE = lz4.frame.compress(pickle.dumps(make_output()))


def write_root(path: Path) -> None:
    with uproot.recreate(path) as file:
        file["tree"] = {"x": [1.0, 2.0]}


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a", "b")


FILES: list[tuple[str, bytes | Callable[[Path], object], str]] = [
    ("empty", b"", "is empty: the job that wrote it did not finish"),
    ("two bytes", WHOLE[:2], "is truncated: it has 2 bytes"),
    ("cut in the header", WHOLE[:6], "is truncated: its LZ4 frame does not end|is truncated: its pickle"),
    ("cut in the middle", WHOLE[: len(WHOLE) // 2], "is truncated: its LZ4 frame does not end"),
    ("without the end mark", WHOLE[:-4], "is truncated: its LZ4 frame does not end"),
    ("damaged", WHOLE[:100] + bytes(50) + WHOLE[150:], "is damaged"),
    ("two files joined", WHOLE + WHOLE, "goes on after the end of its LZ4 frame .*give the files one by one"),
    ("followed by zeros", WHOLE + bytes(100), "goes on after the end of its LZ4 frame"),
    ("root", write_root, "is a ROOT file, expected an output of PocketCoffea"),
    ("zip", write_zip, "is a zip archive"),
    ("gzip", gzip.compress(b"x"), "is compressed with gzip"),
    ("bzip2", bz2.compress(b"x"), "is compressed with bzip2"),
    ("xz", lzma.compress(b"x"), "is compressed with xz"),
    ("zstd", b"\x28\xb5\x2f\xfd\x00", "is compressed with zstd"),
    ("legacy LZ4", b"\x02\x21\x4c\x18\x00", "legacy LZ4 format"),
    ("parquet", b"PAR1....", "is a Parquet file"),
    ("hdf5", b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
    ("pickle alone", pickle.dumps({"a": 1}), "is a pickle that is not compressed"),
    ("text", b"imax 1\n", r"is no LZ4 frame \(it begins with b'imax 1"),
    ("LZ4 of nothing", lz4.frame.compress(b""), "is an LZ4 frame with nothing in it"),
    ("LZ4 of text", lz4.frame.compress(b"variables:\n"), r"holds no pickle of protocol 2 or later .*b'variable"),
    ("LZ4 of protocol 0", lz4.frame.compress(pickle.dumps({"a": 1}, 0)), "holds no pickle of protocol 2 or later"),
    ("two pickles", lz4.frame.compress(2 * pickle.dumps({"a": 1})), "goes on after the end of its pickle"),
    ("cut pickle", lz4.frame.compress(pickle.dumps(make_output())[:-500]), "its pickle does not end"),
    ("a list", lz4.frame.compress(pickle.dumps([1])), "holds a value of type list, expected the dictionary"),
    ("another dictionary", lz4.frame.compress(pickle.dumps({"a": 1})), r"has no 'variables'.*its keys: a\)"),
]


@pytest.mark.parametrize(("kind", "content", "message"), FILES, ids=[kind for kind, *_ in FILES])
def test_other_files(kind: str, content: bytes | Callable[[Path], object], message: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.coffea"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    with pytest.raises(OutputFileError, match=message) as caught:
        load_output(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert isinstance(caught.value, PocketCombineError)


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "output_all.coffea").touch()
    with pytest.raises(
        OutputFileError, match=r"output_al\.coffea: no such file: did you mean '.*/output_all\.coffea'\?"
    ):
        load_output(tmp_path / "output_al.coffea")
    with pytest.raises(OutputFileError, match=r"no such file: there is no folder '.*nowhere'"):
        load_output(tmp_path / "nowhere" / "output_all.coffea")


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(OutputFileError, match="cannot be opened: embedded null byte"):
        read_contents("output\0.coffea")
    with pytest.raises(DeclarationError, match=r"the output 'output\\x00\.coffea' cannot be found: .*embedded null"):
        load_output("output\0.coffea")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match=r"is a folder; give the files in it"):
        load_output(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator can read every file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = save_output(make_output(), tmp_path / "output_all.coffea")
    path.chmod(0)
    with pytest.raises(OutputFileError, match="cannot be opened: Permission denied"):
        load_output(path)


def test_a_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    path = save_pickle(pickle.dumps([bytes(1 << 20) for _ in range(100)]), tmp_path / "bomb.coffea")
    assert path.stat().st_size < 1 << 20
    with pytest.raises(OutputFileError, match=r"decompresses to more than 33,554,432 bytes: .*max_bytes="):
        read_contents(path, max_bytes=32 << 20)
    assert sum(map(len, read_contents(path, max_bytes=128 << 20))) == 100 << 20


def test_a_value_beyond_the_limit_is_not_even_begun(tmp_path: Path) -> None:
    path = save_pickle(pickle.dumps(bytes(100 << 20)), tmp_path / "bomb.coffea")
    message = r"claims to hold a value of 104,857,600 bytes, more than 33,554,432: .*max_bytes="
    with pytest.raises(OutputFileError, match=message):
        read_contents(path, max_bytes=32 << 20)


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, None, "16 GiB"])
def test_an_odd_limit_is_refused(limit: Any, tmp_path: Path) -> None:
    path = save_output(make_output(), tmp_path / "output_all.coffea")
    with pytest.raises(DeclarationError, match="expected a number of bytes greater than 0"):
        load_output(path, max_bytes=limit)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datasets_metadata": ...}, "output of a single job before PocketCoffea's postprocessing: its histograms are"),
        ({"cutflow": ...}, r"has no 'cutflow' \(its keys: sum_genweights, sumw, variables"),
        ({"variables": [1]}, "has a value of type list as 'variables', expected a dictionary"),
        ({"variables": {"pt": {"TTbar": 1}}}, "variable pt: expected {sample: {dataset: histogram}}"),
        (
            {"variables": {"pt": {"TTbar": {"TTbar_2018": 1}}}},
            "dataset TTbar_2018: has a value of type int, expected a histogram",
        ),
        ({"datasets_metadata": {"by_dataset": [1]}}, "by_dataset: expected {dataset: {…}}"),
        ({"datasets_metadata": {"by_datataking_period": {"2018": 1}}}, "by_datataking_period: expected {year:"),
        ({"datasets_metadata": {}}, "datasets with no year in datasets_metadata: TTbar_2017, TTbar_2018"),
    ],
)
def test_outputs_that_are_none(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    contents = {key: value for key, value in (make_output() | change).items() if value is not ...}
    with pytest.raises(OutputFileError, match=message.replace("{", r"\{").replace("}", r"\}")):
        load_output(save_output(contents, tmp_path / "output_all.coffea"))


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    contents = make_output() | {"variables": {"pt": {"A": {"A_2018": 1, "A_2017": None}}}}
    with pytest.raises(
        OutputFileError,
        match=r"2 problems:\n(.|\n)*A_2018: has a value of type int(.|\n)*A_2017: has a value of type NoneType",
    ):
        load_output(save_output(contents, tmp_path / "output_all.coffea"))


def test_paths_are_sorted_and_unique(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    given: list[str | Path] = ["sub/a.coffea", str(tmp_path / "b.coffea"), Path("a.coffea")]
    expected = ("a.coffea", str(tmp_path / "b.coffea"), "sub/a.coffea")
    assert tuple(map(str, output_paths(given))) == expected
    assert tuple(map(str, output_paths(reversed(given)))) == expected
    assert output_paths("a.coffea") == (Path("a.coffea"),)
    (tmp_path / "link.coffea").symlink_to(tmp_path / "a.coffea")
    with pytest.raises(DeclarationError, match=r"output .*link\.coffea is given 2 times"):
        output_paths(["a.coffea", "link.coffea"])
    with pytest.raises(DeclarationError, match="no output is given"):
        load_output([])
