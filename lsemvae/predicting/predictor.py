"""Define what applies a model, whatever computes: torch or onnxruntime."""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from lsemvae.model_file.description import Description
from lsemvae.model_file.trained_on import TrainedOn


class Scores(NamedTuple):
    """What a model says of recordings.

    Attributes:
        probability: (B,), recalibrated; (B, K) of several labels; of a number (B,) estimates.
        uncertainty: (B,), NaN where the model cannot say.
    """

    probability: npt.NDArray[np.floating]
    uncertainty: npt.NDArray[np.floating]


class Predictor(Protocol):
    """A model ready to be applied.

    Attributes:
        description: what it says about itself.
        digest: SHA-256 of its file.
        trained_on: who and what it has seen.
    """

    description: Description
    digest: str
    trained_on: TrainedOn

    def score(self, ecg: npt.NDArray[np.float32], present: npt.NDArray[np.bool_]) -> Scores:
        """Return probability and uncertainty.

        Args:
            ecg: (B, L, T) in the model's unit, its leads in its order; not normalised.
            present: (B, L), at least one lead in each recording.
        """
