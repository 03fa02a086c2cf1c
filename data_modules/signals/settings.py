"""Hold the settings of a store's signals; light to import, as the command line describes them."""

import math
from dataclasses import dataclass
from typing import Literal

from lsemvae.core.errors import InputError

# What a median beat shows around the R peak; van de Leur et al. 2022 take 1.2 s as well.
BEFORE_R_S = 0.45
AFTER_R_S = 0.75


@dataclass(frozen=True)
class SignalSettings:
    """How recordings become the signals of a store.

    The default band suits ECG morphology: with a zero-phase filter a lower edge of 0.5 Hz keeps the
    ST segment (AHA 2007, doi:10.1161/CIRCULATIONAHA.106.180200, allows up to 0.67 Hz), and 40 Hz
    removes powerline interference of 50 and 60 Hz alike, so that no notch is needed.

    Args:
        sampling_rate_hz: rate of the store; other rates are resampled.
        duration_s: length of the store's signals: the first seconds of longer recordings are kept,
            shorter ones end in zeros.
        low_hz: lower edge of the zero-phase Butterworth filter; null keeps the baseline.
        high_hz: upper edge; null keeps the high frequencies.
        powerline_hz: frequency of a notch (50 or 60); null has no notch.
        max_gap_s: longest gap that is bridged by a straight line; a longer one may hide a QRS
            complex (0.08 to 0.12 s), so its lead counts as bad.
        min_duration_s: shorter recordings are rejected.
        bad_leads: `mask` keeps a recording without its bad or missing leads, `reject` rejects it.
        min_leads: recordings with fewer usable leads are rejected, computed limb leads counted; 1
            for recordings of a single lead.
        segment: `record` stores the recording; `median_beat` the median of its aligned beats, from
            0.45 s before to 0.75 s after the R peak (see `data_modules.signals.median_beat`).
    """

    sampling_rate_hz: float = 500.0
    duration_s: float = 10.0
    low_hz: float | None = 0.5
    high_hz: float | None = 40.0
    powerline_hz: float | None = None
    max_gap_s: float = 0.05
    min_duration_s: float = 5.0
    bad_leads: Literal["mask", "reject"] = "mask"
    min_leads: int = 6  # the paper's smaller set, the limb leads
    segment: Literal["record", "median_beat"] = "record"

    def __post_init__(self) -> None:
        nyquist = self.sampling_rate_hz / 2
        limits = {
            "sampling_rate_hz": (self.sampling_rate_hz, 50.0, 2000.0),
            "duration_s": (self.duration_s, 1.0, 3600.0),
            "low_hz": (self.low_hz, 0.01, min(5.0, self.high_hz or math.inf)),
            "high_hz": (self.high_hz, 10.0, nyquist),
            "powerline_hz": (self.powerline_hz, 45.0, 65.0),
            "max_gap_s": (self.max_gap_s, 0.0, 1.0),
            "min_duration_s": (self.min_duration_s, 1.0, self.duration_s),
            "min_leads": (self.min_leads, 1, 12),
        }
        problems = [
            f"{name} must be in {low:g} to {high:g}, got {value}"
            for name, (value, low, high) in limits.items()
            if value is not None and not low <= value <= high
        ]
        if self.bad_leads not in ("mask", "reject"):
            problems.append(f"bad_leads must be mask or reject, got {self.bad_leads!r}")
        if self.segment not in ("record", "median_beat"):
            problems.append(f"segment must be record or median_beat, got {self.segment!r}")
        if problems:
            raise InputError("signal settings: " + "; ".join(problems))

    @property
    def n_samples(self) -> int:
        """Samples T of each stored lead."""
        if self.segment == "median_beat":
            rate = self.sampling_rate_hz
            return round(BEFORE_R_S * rate) + round(AFTER_R_S * rate)
        return self.n_recorded

    @property
    def n_recorded(self) -> int:
        """Samples of each lead that are kept of a recording."""
        return round(self.duration_s * self.sampling_rate_hz)
