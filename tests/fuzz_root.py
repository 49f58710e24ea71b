"""Damages ROOT files at random and reads them, until the time is over or the reader misbehaves.

Allowed is a result or `RootFileError`. Anything else, more than two seconds of CPU time, or more than a gigabyte of
memory ends the program with status 1 and leaves the file that caused it in the folder of `--keep`.

    python tests/fuzz_root.py --seconds 600 --seed 1
"""

import argparse
import random
import resource
import struct
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

from pocket_combine.errors import RootFileError
from pocket_combine.io.root import HistogramBlock, RootFile, write_histograms

DATA = Path(__file__).resolve().parent / "data" / "root"
LIMIT_SECONDS = 2.0
LIMIT_BYTES = 1 << 30
NUMBERS = (
    0,
    1,
    2,
    3,
    5,
    26,
    100,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x40000000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)


def corpus(folder: Path) -> list[bytes]:
    """Files of ROOT, and one of ours with directories, fixed and variable bins, without compression."""
    path = folder / "ours.root"
    contents = np.arange(1.0, 13.0).reshape(3, 4)
    blocks = [
        HistogramBlock(["SR/a", "SR/deep/b", "c"], [0.0, 1.0, 2.5, 4.0, 5.0], contents, contents**2),
        HistogramBlock(["CR/data_obs", "d"], [0.0, 1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]),
    ]
    write_histograms(path, blocks)
    return [path.read_bytes()] * 3 + [known.read_bytes() for known in sorted(DATA.glob("*.root"))]


def damaged(original: bytes, dice: random.Random) -> bytes:
    """Return a copy with one to eight changes."""
    data = bytearray(original)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        place = dice.randrange(len(data))
        kind = dice.randrange(6)
        if kind == 0:
            data[place] = dice.randrange(256)
        elif kind == 1:
            data[place] ^= 1 << dice.randrange(8)
        elif kind == 2:
            form = dice.choice((">B", ">H", ">I"))
            size = struct.calcsize(form)
            if place + size <= len(data):
                struct.pack_into(form, data, place, dice.choice(NUMBERS) & ((1 << 8 * size) - 1))
        elif kind == 3:
            source, length = dice.randrange(len(data)), dice.randrange(1, 64)
            data[place : place + length] = data[source : source + length].ljust(length, b"\0")[: len(data) - place]
        elif kind == 4 and place + 4 <= len(data):
            # A position or size that lies inside the file.
            struct.pack_into(">I", data, place, dice.randrange(len(data)))
        elif kind == 5:
            # Cut, with a header that agrees.
            del data[max(place, 64) :]
            struct.pack_into(">I", data, 12, len(data))
    return bytes(data)


def read(path: Path) -> bool:
    """Return whether the file could be read."""
    try:
        with RootFile(path) as file:
            file.read_groups([key.path for key in file.keys])
    except RootFileError:
        return False
    return True


def main() -> int:
    """Run until the time is over; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path())
    options = parser.parse_args()
    dice = random.Random(options.seed)  # noqa: S311  # repeats itself
    trials = accepted = 0
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        files = corpus(Path(name))
        path = Path(name, "damaged.root")
        stop = time.monotonic() + options.seconds
        while time.monotonic() < stop:
            data = damaged(dice.choice(files), dice)
            path.write_bytes(data)
            begin = time.process_time()
            reason = ""
            try:
                accepted += read(path)
            except BaseException:  # noqa: BLE001  # finding exceptions is the purpose
                reason = traceback.format_exc()
            elapsed = time.process_time() - begin
            slowest = max(slowest, elapsed)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            if elapsed > LIMIT_SECONDS or peak > LIMIT_BYTES:
                reason = f"{elapsed:.1f} s, {peak} bytes"
            if reason:
                kept = options.keep / f"fuzz-root-{options.seed}-{trials}.root"
                kept.write_bytes(data)
                sys.stderr.write(f"{kept}: {reason}\n")
                return 1
            trials += 1
    sys.stdout.write(f"{trials} files, {accepted} of them readable, slowest {slowest:.3f} s, peak {peak >> 20} MiB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
