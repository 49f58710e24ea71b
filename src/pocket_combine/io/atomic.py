"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["atomic_write"]


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Yield a binary file that takes the place of `path` when the block ends without an exception.

    The bytes go to a hidden file in the same folder, which is renamed at the end or removed after an exception. The
    folder is made if it does not exist. Links are followed, so that the file that a link points to is replaced and the
    link stays. A device or a pipe, such as `/dev/stdout`, gets the bytes at the end.

    Raises:
        OSError: If the folder cannot be made or written, or the path is a folder; it names `path`.

    Examples:
        >>> import pathlib, tempfile
        >>> target = pathlib.Path(tempfile.mkdtemp(), "numbers.bin")
        >>> with atomic_write(target) as file:
        ...     _ = file.write(b"123")
        ...     target.exists()
        False
        >>> target.read_bytes()
        b'123'
    """
    if Path(path).exists() and not Path(path).is_file():
        with _buffered(path) as buffer:
            yield buffer
        return
    target = Path(path).resolve()
    beside = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    # Unlike the files of `tempfile`, this one gets the permissions that any new file gets.
    try:
        with contextlib.suppress(FileExistsError):  # a folder, or what opening the file refuses with a better reason
            target.parent.mkdir(parents=True)
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
        beside.replace(target)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None:
            error.filename = os.fspath(path)
        raise


@contextlib.contextmanager
def _buffered(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Yield a buffer that is written at the end to what is there already and is no file: renaming would replace it."""
    with Path(path).open("wb") as device:
        buffer = io.BytesIO()
        yield buffer
        device.write(buffer.getbuffer())
