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

    def signal_options(self, other: "EcgInput") -> str:
        """Return the options of `lsemvae prepare` that make recordings of `other`'s like these."""
        low, high = self.band_hz
        wanted: dict[str, tuple[str | float | None, str | float | None]] = {
            "segment": (self.segment, other.segment),
            "sampling_rate_hz": (self.sampling_rate_hz, other.sampling_rate_hz),
            "low_hz": (low, other.band_hz[0]),
            "high_hz": (high, other.band_hz[1]),
            "powerline_hz": (self.powerline_hz, other.powerline_hz),
        }
        if self.segment == other.segment == "record":
            wanted["duration_s"] = (self.duration_s, other.duration_s)
        return " ".join(
            f"--signal.{name} {_as_option(mine)}"
            for name, (mine, theirs) in wanted.items()
            if mine != theirs
        )

    @property
    def duration_s(self) -> float:
        """Seconds of a recording."""
        return self.n_samples / self.sampling_rate_hz


def _as_option(value: str | float | None) -> str:
    return "null" if value is None else value if isinstance(value, str) else f"{value:g}"
