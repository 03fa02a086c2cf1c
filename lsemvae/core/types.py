"""Define the batches and descriptions that travel between the layers.

Shape legend used by every docstring: B batch, L leads, T samples, D latent size, K experts,
F features of a frozen encoder.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from lsemvae.core.ecg_input import EcgInput, Normalisation

__all__ = [
    "EcgBatch",
    "EcgInput",
    "FeatureBatch",
    "KlWeight",
    "Names",
    "Normalisation",
]

# Beta. A tensor where the loss is compiled: of a number, every value would be compiled anew.
KlWeight = float | Tensor

# An array, because Lightning walks through every item of a list when it moves a batch.
Names = npt.NDArray[np.object_]


class EcgBatch(NamedTuple):
    """Recordings on their way to a task.

    Attributes:
        ecg: (B, L, T). int16 counts of 1/1000 mV when it leaves the loader; float32, scaled and
            normalised, zero where a lead is absent, once it is on the device.
        scale: (B, L) or (B, 1), what one unit of `ecg` is in mV (in the store's unit where the
            recordings are not calibrated).
        present: (B, L) bool, False where a recording has no usable signal in that lead.
        leads: names of the L leads, in the order of the second axis.
        label: (B,) float32, 0 or 1; empty (0,) where the task has none.
        record: (B,) record names.
        patient_id: (B,) patient identifiers.
    """

    ecg: Tensor
    scale: Tensor
    present: Tensor
    leads: Sequence[str]
    label: Tensor
    record: Names
    patient_id: Names


class FeatureBatch(NamedTuple):
    """Features of a frozen encoder, computed once, in place of the recordings.

    Attributes:
        features: (B, F) float32.
        label: (B,) float32, 0 or 1.
        record: (B,) record names.
        patient_id: (B,) patient identifiers.
    """

    features: Tensor
    label: Tensor
    record: Names
    patient_id: Names
