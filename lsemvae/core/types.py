"""Typed batches and descriptions that travel between the layers.

Shape legend used by every docstring: B batch, L leads, T samples, D latent size, K experts,
F features of a frozen encoder.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

Normalisation = Literal["millivolt", "record", "lead"]

# Beta. A tensor where the loss is compiled: of a number, every value would be compiled anew.
KlWeight = float | Tensor

# An array, because Lightning walks through every item of a list when it moves a batch.
Names = npt.NDArray[np.object_]


class EcgInput(NamedTuple):
    """What a network was fed with; stored in its checkpoint and compared before it is used.

    Attributes:
        sampling_rate_hz: samples per second.
        n_samples: samples per lead.
        band_hz: pass band of the stored signals, None where unfiltered.
        normalisation: how amplitudes were scaled, see `data_modules.normalise`.
        segment: `record` or `median_beat`.
        powerline_hz: frequency of a notch, None without one.
        unit: `mV`, or `NU` where amplitudes are arbitrary; None where it is not known, which is
            not compared.
    """

    sampling_rate_hz: float
    n_samples: int
    band_hz: tuple[float | None, float | None]
    normalisation: Normalisation
    segment: str = "record"
    powerline_hz: float | None = None
    unit: str | None = None

    def differences(self, other: "EcgInput") -> list[str]:
        """Name every field in which the two descriptions differ, for an error message."""
        known = self if other.unit is not None else self._replace(unit=None)
        other = other if self.unit is not None else other._replace(unit=None)
        pairs = zip(self._fields, known, other, strict=True)
        return [f"{name} {mine} against {theirs}" for name, mine, theirs in pairs if mine != theirs]


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
