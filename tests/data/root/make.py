"""Writes the ROOT files of this folder, and what ROOT reads from them; needs ROOT (`python -m pip install root`).

Run as `python tests/data/root/make.py`. The files of the repository were written by ROOT 6.40.00.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import ROOT

FOLDER = Path(__file__).parent
CLASSES = ("TH1C", "TH1S", "TH1I", "TH1L", "TH1F", "TH1D")
CODECS = {"zlib": 101, "lzma": 209, "old": 301, "lz4": 404, "zstd": 505}

ROOT.TH1.AddDirectory(False)
random = np.random.default_rng(7)


def histogram(kind: str, name: str, *, variable: bool = False, sumw2: bool = False, bins: int = 4) -> Any:
    """A histogram with different contents in each cell, flow included."""
    if variable:
        edges = np.array([0.0, 0.5, 2.0, 2.5, 10.0])
        result = getattr(ROOT, kind)(name, f"title of {name}", 4, edges)
    else:
        result = getattr(ROOT, kind)(name, f"title of {name}", bins, -1.0, 3.0)
    if sumw2:
        result.Sumw2()
    for cell in range(result.GetNcells()):
        content = int(random.integers(-20, 100))
        result.SetBinContent(cell, content if kind not in ("TH1F", "TH1D") else content + 0.1)
        if sumw2:
            result.SetBinError(cell, 0.25 * (cell + 1))
    return result


def kinds(file: Any) -> None:
    """Every class, in directories; and what else may stand in a file."""
    deep = file.mkdir("SR").mkdir("deep")
    for kind in CLASSES:
        file.WriteTObject(histogram(kind, f"{kind}_plain"))
        file.Get("SR").WriteTObject(histogram(kind, f"{kind}_variable", variable=True))
        deep.WriteTObject(histogram(kind, f"{kind}_sumw2", sumw2=True))
        deep.WriteTObject(histogram(kind, f"{kind}_variable_sumw2", variable=True, sumw2=True))
    labelled = histogram("TH1D", "labelled")
    for number in range(4):
        labelled.GetXaxis().SetBinLabel(number + 1, f"bin {number}")
    file.WriteTObject(labelled)
    fitted = histogram("TH1F", "fitted")
    fitted.GetListOfFunctions().Add(ROOT.TF1("line", "pol1", 0, 3))
    file.WriteTObject(fitted)
    file.WriteTObject(ROOT.TH2D("two", "", 2, 0, 1, 2, 0, 1))
    file.WriteTObject(ROOT.TProfile("profile", "", 2, 0, 1))
    file.WriteTObject(ROOT.TNamed("text", "a text"))


def cycles(file: Any) -> None:
    """Names written several times; ROOT lists the newest first."""
    for _ in range(3):
        file.WriteTObject(histogram("TH1D", "again"))
    file.WriteTObject(histogram("TH1D", "once"))


def codec(file: Any) -> None:
    """Histograms large enough to be compressed."""
    for number in range(3):
        file.WriteTObject(histogram("TH1D", f"h{number}", sumw2=True, bins=30))


def waiting(file: Any) -> None:
    """A histogram whose entries are still in its buffer."""
    result = ROOT.TH1D("buffered", "", 2, 0.0, 1.0)
    result.SetBuffer(10)
    result.Fill(0.3)
    file.WriteTObject(result)


def described(path: Path) -> dict[str, Any]:
    """What ROOT itself reads: for each one-dimensional histogram the object that `TFile.Get` returns."""
    result: dict[str, Any] = {}
    file = ROOT.TFile.Open(str(path))

    def walk(directory: Any, prefix: str) -> None:
        for key in directory.GetListOfKeys():
            if key.IsFolder():
                walk(directory.Get(key.GetName()), f"{prefix}{key.GetName()}/")
            elif key.GetClassName() in CLASSES:
                found = file.Get(prefix + key.GetName())
                cells = range(found.GetNcells())
                result[prefix + key.GetName()] = {
                    "class": found.ClassName(),
                    "edges": [found.GetXaxis().GetBinLowEdge(cell) for cell in cells][1:],
                    "contents": [found.GetBinContent(cell) for cell in cells],
                    "errors": [found.GetBinError(cell) for cell in cells],
                    "sumw2": found.GetSumw2N() > 0,
                }

    walk(file, "")
    return result


def main() -> None:
    """Write all files and `expected.json`."""
    expected = {}
    todo = {"kinds": (101, kinds), "cycles": (0, cycles), "waiting": (0, waiting)}
    todo |= {name: (setting, codec) for name, setting in CODECS.items()}
    for name, (setting, fill) in todo.items():
        path = FOLDER / f"{name}.root"
        file = ROOT.TFile(str(path), "RECREATE", "", setting)
        fill(file)
        file.Close()
        if name != "waiting":
            expected[path.name] = described(path)
    text = json.dumps(expected, indent=1)
    (FOLDER / "expected.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
