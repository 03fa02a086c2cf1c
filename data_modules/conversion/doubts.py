"""Judge the recordings of a conversion by one another: gains, signals under two patients."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.cohort.twins import signal_twins
from data_modules.signals.gains import gain_doubts

Doubts = dict[int, tuple[tuple[str, str], ...]]
"""Reasons, as (code, message), by the recording's position in the list."""
N_NAMED = 3


def cohort_doubts(
    table: pd.DataFrame,
    signal_sha256: npt.NDArray[np.bytes_],
    amplitude: npt.NDArray[np.float64],
    step_mv: npt.NDArray[np.float64],
) -> tuple[Doubts, tuple[str, ...]]:
    """Return what is doubtful in single recordings, and in the set as a whole.

    Args:
        table: record and patient_id of the N listed recordings.
        signal_sha256: digests (N,), empty where a recording was rejected.
        amplitude: (N,), see `relative_amplitude`.
        step_mv: (N,), see `adc_step`.
    """
    gains = gain_doubts(amplitude, step_mv)
    doubts: Doubts = {i: (("gain_doubtful", text),) for i, text in gains.outlying.items()}
    accepted = np.flatnonzero(signal_sha256 != b"")
    listed = table.iloc[accepted].assign(signal_sha256=signal_sha256[accepted].astype(str))
    twins = signal_twins(listed.set_axis(accepted, axis="index"))
    for _, group in twins.groupby("signal_sha256", sort=False):
        for position, own in group.iterrows():
            others = group[group["patient_id"] != own["patient_id"]]
            named = [f"{row.record} of patient {row.patient_id}" for row in others.itertuples()]
            text = f"the signal of {', '.join(named[:N_NAMED])}"
            text += f" and {len(named) - N_NAMED} more" if len(named) > N_NAMED else ""
            at = int(str(position))
            doubts[at] = (*doubts.get(at, ()), ("signal_repeated", text))
    whole = [gains.cohort] if gains.cohort else []
    if len(twins):
        n = twins["signal_sha256"].nunique()
        whole.append(
            f"{n} signal(s) stand under several patients, {len(twins)} recordings in all; cv "
            "refuses them: mend the table, or prepare again with --exclude or --same_patient"
        )
    return doubts, tuple(whole)
