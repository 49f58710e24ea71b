"""What a likelihood compares its expectation with: observations and global observables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pocket_combine.templates import FloatArray

__all__ = ["Data"]


@dataclass(frozen=True, eq=False)
class Data:
    """Observed events, and the measured values that constraint terms refer to.

    Both may hold many data sets (toys): then their first axis counts them, and it is the points' axis of a batch.

    Attributes:
        observations: `observations[bin]` or `observations[point, bin]`, bins of all channels in the order of the model.
        global_observables: `global_observables[parameter]` or `global_observables[point, parameter]`, in the order of
            all parameters of the model; those of unconstrained parameters are not used.

    Examples:
        >>> Data(np.array([12.0, 24.0]), np.zeros(3)).points
        1
    """

    observations: FloatArray
    global_observables: FloatArray

    def __post_init__(self) -> None:
        for name in ("observations", "global_observables"):
            array = np.asarray(getattr(self, name), dtype=np.float64).view()
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def points(self) -> int:
        """Number of data sets."""
        return max(array.shape[0] if array.ndim > 1 else 1 for array in (self.observations, self.global_observables))
