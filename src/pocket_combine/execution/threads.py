"""How many threads libraries of linear algebra start: one, unless the user has set a number.

The matrices of most cards are so small that threads wait for each other longer than they compute, and on a machine that
others use, or with several processes, they fight for the same cores: fits then take several times as long.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

__all__ = ["compute_with_one_thread", "one_thread"]

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What these libraries read when they are loaded, hence before NumPy is imported."""


def compute_with_one_thread() -> bool:
    """Have this process, where NumPy is not imported yet, and those that it starts compute with one thread.

    Returns:
        Whether it was done: not where the user has set one of the variables.
    """
    if any(name in os.environ for name in _VARIABLES):
        return False
    os.environ.update(dict.fromkeys(_VARIABLES, "1"))
    return True


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Have processes that are started meanwhile compute with one thread."""
    done = compute_with_one_thread()
    try:
        yield
    finally:
        if done:
            for name in _VARIABLES:
                del os.environ[name]
