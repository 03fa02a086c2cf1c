"""Judge the recordings of a conversion by one another: gains, signals under two patients."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.cohort.twins import signal_twins
from data_modules.conversion.subjects import compare_subjects
from data_modules.signals.gains import gain_doubts
from lsemvae.core.counted import counted

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
            f"{counted(n, 'signal stands', 'signals stand')} under several patients, "
            f"{counted(len(twins), 'recording')} in all; cv refuses them: mend the table, or "
            "prepare again with --exclude or --same_patient"
        )
    return doubts, tuple(whole)


class SubjectFindings(NamedTuple):
    """What follows from headers that name another subject than the table.

    Attributes:
        refused: recordings that are not stored, with the reason.
        doubts: recordings that are stored with a warning.
        of_the_set: sentences about the set as a whole.
    """

    refused: Doubts
    doubts: Doubts
    of_the_set: tuple[str, ...]


def subject_doubts(
    table: pd.DataFrame, stated: npt.NDArray[np.object_], given: pd.Series | None
) -> SubjectFindings:
    """Return what to do with recordings whose header names somebody else.

    Args:
        table: patient_id of the N listed recordings.
        stated: subjects by the headers (N,), empty where a header names nobody.
        given: see `convert`.
    """
    patients = table["patient_id"] if given is None else given
    found = compare_subjects(stated, patients, own_ids=given is not None)
    reasons: Doubts = {at: (("subject_mismatch", text),) for at, text in found.others.items()}
    if not found.renamed:
        return SubjectFindings(reasons, {}, ())
    text = (
        f"the headers of {counted(int(np.count_nonzero(stated)), 'recording')} name other subjects "
        "than the table, so its ids were taken as new ones"
    )
    text += f"; {len(reasons)} do not fit one to one" if reasons else ""
    return SubjectFindings({}, reasons, (text,))


def added(doubts: Doubts, more: Doubts) -> Doubts:
    """Return both, the reasons of a recording one after the other."""
    return doubts | {at: (*doubts.get(at, ()), *reasons) for at, reasons in more.items()}
