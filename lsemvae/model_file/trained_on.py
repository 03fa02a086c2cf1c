"""Hash the patients and recordings that a model was trained on."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]


class TrainedOn(NamedTuple):
    """Sorted hashes without repetition; empty where unknown.

    Attributes:
        patient: of the ids, see `data_modules.store.content`.
        signal: of the recordings.
        near: by what copies of these are known again, see `data_modules.signals.near_marks`.
    """

    patient: Hashes
    signal: Hashes
    near: Hashes

    def knows(self, hashes: Hashes, kind: str) -> npt.NDArray[np.bool_]:
        """Tell which of some hashes (N,) are among those of a kind, `patient` or `signal`."""
        return np.isin(hashes, getattr(self, kind))


NOBODY = TrainedOn(*(np.empty(0, np.uint64) for _ in TrainedOn._fields))
