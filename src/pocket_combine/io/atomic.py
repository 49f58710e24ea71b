"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["atomic_write"]


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Yield a binary file that takes the place of `path` when the block ends without an exception.

    The bytes go to a hidden file in the same folder, which is renamed at the end or removed after an exception. Links
    are followed, so that the file that a link points to is replaced and the link stays.

    Raises:
        OSError: If the folder does not exist or cannot be written.

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
    target = Path(path).resolve()
    beside = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    # Unlike the files of `tempfile`, this one gets the permissions that any new file gets.
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
