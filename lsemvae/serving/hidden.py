"""Measure what a part of a recording moves: hide it from the model and look at the log-odds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from data_modules.store.content import COUNTS_PER_UNIT
from lsemvae.core.leads import lead_indices
from lsemvae.predicting.predictor import Predictor
from lsemvae.predicting.sources import Loaded


class Hidden(NamedTuple):
    """What one part of a recording moves.

    Attributes:
        name: of the lead or the wave.
        moved: log-odds of all minus log-odds without it: above zero where it speaks for the
            positive class.
        probability: without it, recalibrated.
    """

    name: str
    moved: float
    probability: float

    @property
    def side(self) -> str:
        """Tell in a word what it speaks for, as far as two digits show it."""
        if abs(self.moved) < 0.005:
            return "neither"
        return "for" if self.moved > 0 else "against"


class Given(NamedTuple):
    """What the model was given of a recording.

    Attributes:
        ecg: (L, T) in the model's unit.
        present: (L,).
    """

    ecg: npt.NDArray[np.float32]
    present: npt.NDArray[np.bool_]


def given(predictor: Predictor, loaded: Loaded) -> Given:
    """Return the amplitudes of the model's leads."""
    chosen = lead_indices(predictor.description.leads)
    ecg = (loaded.ecg[chosen] / np.float32(COUNTS_PER_UNIT)).astype(np.float32)
    return Given(ecg, loaded.present[chosen])


def moved_by(
    predictor: Predictor, whole: Given, names: Sequence[str], without: Sequence[Given]
) -> list[Hidden]:
    """Return what each part moves, in the order of the names.

    Args:
        predictor: the model.
        whole: the recording.
        names: of the parts.
        without: the recording without each part.
    """
    every = [whole, *without]
    probability = predictor.score(
        np.stack([one.ecg for one in every]), np.stack([one.present for one in every])
    ).probability
    odds = logit(np.clip(probability.astype(float), 1e-9, 1 - 1e-9))
    return [
        Hidden(name, float(odds[0] - rest), float(expit(rest)))
        for name, rest in zip(names, odds[1:], strict=True)
    ]
