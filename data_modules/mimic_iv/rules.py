"""State which charted pressures count and which ECG goes with them; light to import."""

import math
from dataclasses import dataclass

from lsemvae.core.errors import InputError

Range = tuple[float, float]


@dataclass(frozen=True)
class PressureRules:
    """How the charted pressures of a pulmonary artery catheter become one measurement.

    The ranges are wide on purpose: outside them lies a transducer that is open to air, flushed or
    zeroed, not a patient. What disagrees inside them is left to the rules on order.

    Args:
        spap_mmhg: lowest and highest systolic pressure that is kept.
        dpap_mmhg: the same for the diastolic pressure; 0 is what a zeroed transducer shows.
        mpap_mmhg: the same for the mean pressure.
        pawp_mmhg: the same for the wedge pressure.
        window_hours: medians are taken over the readings of one stay at most this long before and
            after the measurement. Pressures are charted about hourly, so one hour holds up to
            three of them.
        min_readings: complete sets of systolic, mean and diastolic pressure in the window.
        wedge_above_mean_mmhg: how far the median wedge may exceed the median mean pressure; above
            that the balloon was overwedged or a v wave was read.
        keep_warned: keep readings that the nurse's chart marks with a warning.
    """

    spap_mmhg: Range = (5.0, 200.0)
    dpap_mmhg: Range = (1.0, 100.0)
    mpap_mmhg: Range = (4.0, 120.0)
    pawp_mmhg: Range = (1.0, 60.0)
    window_hours: float = 1.0
    min_readings: int = 1
    wedge_above_mean_mmhg: float = 0.0
    keep_warned: bool = False

    def __post_init__(self) -> None:
        problems = [
            f"{name}_mmhg must be a lower and a higher pressure in 0 to 300, got "
            f"{low:g} and {high:g}"
            for name, (low, high) in self.ranges.items()
            if not 0 <= low < high <= 300
        ]
        if not 0 < self.window_hours <= 24:
            problems.append(f"window_hours must be above 0 and at most 24, got {self.window_hours}")
        if self.min_readings < 1:
            problems.append(f"min_readings must be 1 or more, got {self.min_readings}")
        if not 0 <= self.wedge_above_mean_mmhg <= 50:
            problems.append(
                f"wedge_above_mean_mmhg must be in 0 to 50, got {self.wedge_above_mean_mmhg}"
            )
        if problems:
            raise InputError("rules: " + "; ".join(problems))

    @property
    def ranges(self) -> dict[str, Range]:
        """Lowest and highest value of each pressure, by the pressure's short name."""
        names = ("spap", "dpap", "mpap", "pawp")
        return {name: getattr(self, f"{name}_mmhg") for name in names}


@dataclass(frozen=True)
class EcgWindow:
    """When the ECG of a measurement may have been recorded; the nearest one is taken.

    Args:
        days_before: days before the measurement. Seven reach back to the ECG of the admission,
            and pressures under intensive care change within days; studies of catheter-laboratory
            patients go up to 90 with a mean of 2 to 4 (Aras 2023, PMC10363571).
            The flow file counts the patients that 1, 3, 7, 30 and 90 days would give.
        days_after: days after it; 0 takes no ECG that treatment may have changed.
    """

    days_before: float = 7.0
    days_after: float = 0.0

    def __post_init__(self) -> None:
        days = (self.days_before, self.days_after)
        if not all(math.isfinite(day) and 0 <= day <= 3650 for day in days) or not any(days):
            raise InputError(
                "ecg: days_before and days_after must be in 0 to 3650 and not both 0, got "
                f"{self.days_before} and {self.days_after}"
            )
