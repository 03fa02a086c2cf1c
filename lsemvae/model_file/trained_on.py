"""Hash the patients and recordings that a model was trained on."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]


class TrainedOn(NamedTuple):
    """Sorted hashes without repetition, see `data_modules.store.content`; empty where unknown."""

    patient: Hashes
    signal: Hashes

    def knows(self, hashes: Hashes, kind: str) -> npt.NDArray[np.bool_]:
        """Tell which of some hashes (N,) are among those of a kind, `patient` or `signal`."""
        return np.isin(hashes, getattr(self, kind))


NOBODY = TrainedOn(np.empty(0, np.uint64), np.empty(0, np.uint64))
