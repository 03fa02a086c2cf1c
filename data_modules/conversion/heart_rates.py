"""Compare how fast hearts beat in the signals with what the table says: a wrong sampling rate."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.conversion.doubts import Doubts
from lsemvae.core.counted import counted

COLUMNS = ("machine_heart_rate_bpm", "heart_rate_bpm")
# Rates of devices are 200, 250, 400, 500 and 1000 Hz: what one of them is taken for another by.
FACTORS = (2.0, 2.5, 4.0, 5.0)
TOLERANCE = 0.06  # of a factor: a median over 10 s against the recorder's own
USUAL = (0.8, 1.25)  # of the median over a cohort; a catheter on another day moves both ways
N_LEAST = 5
# Of patients in other rows the rates go together by chance alone. A catheter's rate, days apart and
# in fibrillation, is loose but far above this; the upper 95 % limit must lie below it.
LOOSE, N_PATIENTS_LEAST = 0.3, 20


def heart_rate_doubts(
    table: pd.DataFrame, beats_per_min: npt.NDArray[np.float64]
) -> tuple[Doubts, tuple[str, ...]]:
    """Return recordings whose heart is faster or slower by the ratio of two sampling rates.

    Args:
        table: of the N listed recordings.
        beats_per_min: by the signals, (N,), NaN where unknown.

    Returns:
        The doubts, and a sentence where the cohort as a whole is off.
    """
    name = next((one for one in COLUMNS if one in table), None)
    if name is None or not pd.api.types.is_numeric_dtype(table[name]):
        return {}, ()
    stated = table[name].to_numpy(dtype=np.float64)
    ratio = beats_per_min / np.where(stated > 0, stated, np.nan)
    factors = np.array([*FACTORS, *(1 / one for one in FACTORS)])
    near = (np.abs(ratio[:, None] / factors - 1) <= TOLERANCE).any(axis=1)
    doubts: Doubts = {
        int(at): (
            (
                "rate_doubtful",
                f"the heart beats {beats_per_min[at]:.0f} times a minute in the signal, "
                f"{stated[at]:.0f} times by {name} of the table: is the sampling rate right?",
            ),
        )
        for at in np.flatnonzero(near)
    }
    known = ratio[np.isfinite(ratio)]
    rows = _other_rows(table, name, np.where(np.isfinite(ratio), beats_per_min, np.nan))
    median = float(np.median(known)) if len(known) >= N_LEAST else 1.0
    if USUAL[0] <= median <= USUAL[1]:
        return doubts, rows
    return doubts, (
        *rows,
        f"hearts beat {median:.2g} times as fast in the signals as by {name} of the table (median "
        f"of {counted(len(known), 'recording')}): look at the sampling rate of the whole set",
    )


def _other_rows(
    table: pd.DataFrame, name: str, beats_per_min: npt.NDArray[np.float64]
) -> tuple[str, ...]:
    """Return a sentence where the table's rates do not go with the signals', as of sorted cells."""
    rates = table[[name]].assign(beats=beats_per_min).dropna()
    if "patient_id" in table:
        rates = rates[~table.loc[rates.index, "patient_id"].duplicated()]
    # each patient once: a catheter's rate stands in all rows of a patient
    together = float(rates["beats"].rank().corr(rates[name].rank()))
    if len(rates) < N_PATIENTS_LEAST or np.isnan(together):
        return ()
    highest = np.arctanh(np.clip(together, -0.999, 0.999)) + 1.96 / np.sqrt(len(rates) - 3)
    if np.tanh(highest) >= LOOSE:
        return ()
    return (
        f"the heart rates of {name} do not go with those of the signals (rank correlation "
        f"{together:.2f} of {counted(len(rates), 'patient')}): do the rows of the table stand "
        "beside their own recordings, or was one column sorted alone?",
    )
