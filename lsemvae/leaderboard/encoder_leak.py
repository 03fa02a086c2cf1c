"""Compare what a row's frozen encoder was trained on with the patients of a leaderboard."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.cohort.identity import plain_ids
from data_modules.store.content import patient_hashes, signal_hashes
from data_modules.trained_on import read_hashes
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.leaderboard.board import Board
from lsemvae.leaderboard.statement import Encoder


def saw_test_patients(encoder: Encoder | None, folder: Path, board: Board) -> bool | None:
    """Tell whether an encoder was trained on patients or recordings of the leaderboard.

    Args:
        encoder: as stated; None where nothing was trained before.
        folder: of the statement.
        board: with its patients and the digests of its recordings.

    Returns:
        None where nobody knows.

    Raises:
        InputError: the file of hashes is damaged, or a leak is not admitted or not allowed.
    """
    if encoder is None:
        return False
    saw, shared = encoder.saw_test_patients, ""
    if encoder.trained_on is not None:
        shared = _shared(folder / encoder.trained_on, board)
        if shared and saw is False:
            raise InputError(
                f"{folder / encoder.trained_on}: leakage: the encoder was trained on {shared} of "
                "this leaderboard, and the statement says that it saw none"
            )
        if saw and not shared:
            raise InputError(
                f"{folder / encoder.trained_on}: the statement says that the encoder saw test "
                "patients, and the file shares none with this leaderboard: it is that of another "
                "encoder; hand in the trained_on.npz of its own pre-training"
            )
        saw = bool(shared)
    if saw and not board.allow_leakage:
        raise InputError(
            f"{folder}: leakage: the encoder was trained on {shared or 'patients'} of this "
            "leaderboard; train it without them"
        )
    return saw


def read_trained_on(file: Path) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the hashes of the patients and of the signals that an encoder was trained on.

    Raises:
        InputError: the file is not the trained_on.npz of a pre-training run.
    """
    try:
        kept = read_hashes(file)
    except ValueError as error:
        raise InputError(
            f"{file} is missing or damaged ({error}); hand in the trained_on.npz of the "
            "pre-training run"
        ) from error
    return kept.patient, kept.signal


def _shared(file: Path, board: Board) -> str:
    """Count what an encoder's training and the leaderboard share, empty where nothing."""
    patient, signal = read_trained_on(file)
    truth = pd.concat([question.truth for question in board.questions.values()])
    ids = pd.Series(truth["patient_id"].unique())
    known = np.isin(patient_hashes(ids), patient) | np.isin(patient_hashes(plain_ids(ids)), patient)
    signals = np.isin(signal_hashes(truth["signal_sha256"].unique()), signal)
    counts = {"patient": int(known.sum()), "recording": int(signals.sum())}
    return " and ".join(counted(n, what) for what, n in counts.items() if n)
