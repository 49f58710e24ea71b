"""Files that appear whole or not at all, and what is no file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pocket_combine.io.atomic import atomic_write


def write_half(target: Path) -> None:
    with atomic_write(target) as file:
        file.write(b"half")
        raise ValueError("no more")


def test_a_block_that_fails_leaves_the_former_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_bytes(b"before")
    with pytest.raises(ValueError, match="no more"):
        write_half(target)
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "results" / "run3" / "fit.json") as file:
        file.write(b"{}")
    assert (tmp_path / "results" / "run3" / "fit.json").read_bytes() == b"{}"


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"before")
    (tmp_path / "link").symlink_to("target")
    with atomic_write(tmp_path / "link") as file:
        file.write(b"after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"after"


def test_a_pipe_gets_the_bytes_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with atomic_write(pipe) as file:
        file.write(b"12345")
        file.seek(0)
        file.write(b"x")
    reader.join()
    assert read == [b"x2345"]
    assert pipe.is_fifo()


def test_a_device_that_is_full_is_named_and_stays_a_device() -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("there is no /dev/full")
    with pytest.raises(OSError, match="No space left on device"), atomic_write("/dev/full") as file:
        file.write(b"x")
    assert Path("/dev/full").is_char_device()


def test_messages_name_the_file_and_no_hidden_one(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for target in (tmp_path / "a" / "b.txt", tmp_path):
        with pytest.raises(OSError, match=r"directory") as caught, atomic_write(target):
            pass
        assert caught.value.filename == str(target)
