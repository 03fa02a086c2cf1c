"""Describe what recordings are for a network; imports no torch."""

from typing import Literal, NamedTuple

Normalisation = Literal["millivolt", "record", "lead"]


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
