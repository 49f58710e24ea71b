"""Files made to attack their reader get a message of their own, and have no effect."""

from __future__ import annotations

import contextlib
import io
import pickle
import resource
import sys
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
from every_kind import every_kind
from hostile_pickles import ALLOWED, ATTACKS, CODE, HISTOGRAMS, RESOURCES, Attack, program
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outputs import make_output, save_output, save_pickle

from pocket_combine.errors import OutputFileError, UnsafePickleError
from pocket_combine.io.coffea import load_output, read_contents
from pocket_combine.io.pickles.histogram_names import HISTOGRAM_NAMES
from pocket_combine.io.pickles.inert import Global
from pocket_combine.io.pickles.limits import Limits
from pocket_combine.io.pickles.numpy_names import NUMPY_NAMES
from pocket_combine.io.pickles.plain_names import PLAIN_NAMES
from pocket_combine.io.pickles.reader import unpickle

MARKER = "mark.txt"
LIMIT = 64 << 20
CLASSES = (hist.Hist, hist.axis.Regular, hist.axis.StrCategory, hist.storage.Weight, Global, dict, set)


def state_of_the_process() -> tuple[Any, ...]:
    """What an attack could have changed: classes, the allow-list, imported modules."""
    names = {**PLAIN_NAMES, **NUMPY_NAMES}
    return (
        [{key: id(value) for key, value in vars(kind).items()} for kind in CLASSES],
        {key: (value.name, id(value.call), id(value.new)) for key, value in names.items()},
        "antigravity" in sys.modules,
    )


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_an_attack_is_refused_and_has_no_effect(
    attack: Attack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = state_of_the_process()
    path = save_pickle(program(attack, MARKER), tmp_path / "attack.coffea")
    with pytest.raises(OutputFileError) as caught:
        read_contents(path, max_bytes=attack.limit)
    assert str(caught.value).startswith(f"{path}: ")
    assert attack.message in str(caught.value)
    assert isinstance(caught.value, UnsafePickleError) == attack.unsafe
    assert not Path(MARKER).exists()
    assert state_of_the_process() == before


def test_the_corpus_is_what_it_says() -> None:
    assert len(CODE) >= 40
    assert len(ALLOWED) >= 40
    assert len(HISTOGRAMS) >= 25
    assert len(RESOURCES) >= 30
    assert len({attack.id for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("id_", ["os.system", "subprocess.check_output", "eval", "exec", "open"])
def test_the_attacks_would_work_on_the_plain_unpickler(
    id_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    attack = next(attack for attack in CODE if attack.id == id_)
    made = pickle.Unpickler(io.BytesIO(program(attack, MARKER))).load()
    if hasattr(made, "close"):
        made.close()
    assert Path(MARKER).exists()


class Chunks:
    """A stream that gives out a pickle in pieces."""

    def __init__(self, data: bytes, size: int) -> None:
        self._file = io.BytesIO(data)
        self._step = size
        self.size = 0

    def read(self) -> bytes:
        data = self._file.read(self._step)
        self.size += len(data)
        return data


TABLE = {**PLAIN_NAMES, **NUMPY_NAMES, **HISTOGRAM_NAMES}
PARTS = ("containers", "scalars", "dtypes", "text_category", "variable", "regular_log", "unlimited_double", "sum_Mean")
PROBE = pickle.dumps({key: every_kind()[key] for key in PARTS}, 4)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_damaged_files_get_a_message_and_nothing_else(data: st.DataObject) -> None:
    damaged = bytearray(PROBE)
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        if data.draw(st.booleans()):
            damaged[position] = data.draw(st.integers(0, 255))
        else:
            del damaged[position : position + data.draw(st.integers(1, 8))]
    with contextlib.suppress(OutputFileError):
        unpickle(Chunks(bytes(damaged), 1000), TABLE, Limits(LIMIT))


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_the_size_of_chunks_does_not_matter(size: int) -> None:
    value = {"a": [1, 2.5, "x" * 300, b"y" * 300], "b": np.arange(5.0), "c": {(1, "z"): None}, "long": 2**70}
    for protocol in (2, 4, 5):
        read = unpickle(Chunks(pickle.dumps(value, protocol), size), TABLE, Limits(LIMIT))
        assert read["a"] == value["a"]
        assert read["b"].tolist() == [0, 1, 2, 3, 4]
        assert (read["c"], read["long"]) == ({(1, "z"): None}, 2**70)


def test_every_truncation_gets_a_message() -> None:
    whole = pickle.dumps(every_kind()["containers"], 4)
    for length in range(len(whole)):
        with pytest.raises(OutputFileError):
            unpickle(Chunks(whole[:length], 50), TABLE, Limits(LIMIT))


def test_a_refused_name_comes_with_the_ways_to_allow_it(tmp_path: Path) -> None:
    path = save_output({"cuts": pytest.approx}, tmp_path / "output.coffea")
    with pytest.raises(UnsafePickleError) as caught:
        read_contents(path)
    assert "allow={NAME: None}, reads what is made with a name as placeholders" in str(caught.value)
    assert "allow=[NAME], in Python only, imports it and runs it" in str(caught.value)


def test_memory_follows_what_has_arrived_and_not_what_a_file_claims(tmp_path: Path) -> None:
    claim = b"\x80\x05" + pickle.BINBYTES8 + (8 << 30).to_bytes(8, "little") + b"x"
    path = save_pickle(claim, tmp_path / "claim.coffea")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(OutputFileError, match="its pickle does not end"):
        read_contents(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_a_histogram_beside_the_attack_is_not_read(tmp_path: Path) -> None:
    contents = make_output() | {"columns": print}
    with pytest.raises(UnsafePickleError, match=r"builtins\.print"):
        load_output(save_output(contents, tmp_path / "output_all.coffea"))
