"""Say who and what is in one part of an experiment, such as a fold or the pre-training."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.cohort.identity import plain_ids
from data_modules.store.content import Hashes, patient_hashes, signal_hashes
from lsemvae.core.pseudonyms import is_pseudonym

PRETRAINING = "pre-training"
NONE: Hashes = np.empty(0, np.uint64)


class Members(NamedTuple):
    """Patients or signals of a part.

    Attributes:
        hashes: sorted, without repetition.
        names: patient ids, or records; None where only hashes were kept.
    """

    hashes: Hashes
    names: npt.NDArray[Any] | None = None


class Part(NamedTuple):
    """Who and what is in one part of an experiment.

    Attributes:
        name: such as `pre-training` or `fold 0`.
        patient: its patients.
        signal: its recordings.
        patient_spelt: its patients, also as `plain_ids` writes their ids; None where `patient`
            holds these as well, as in a file of a pre-training.
        near: by what copies of its recordings are known again (`near_marks`), where it is kept.
        pseudonyms: whether any of its patients has a name of `lsemvae link`; not kept by older
            programs.
    """

    name: str
    patient: Members
    signal: Members
    patient_spelt: Members | None = None
    near: Hashes = NONE
    pseudonyms: bool = False

    def members(self, kind: str, *, spelt: bool = False) -> Members:
        """Return patients, signals or marks of these; patients in every spelling where asked."""
        if kind == "near":
            return Members(self.near)
        if kind == "patient" and spelt:
            return self.patient_spelt or self.patient
        return self.patient if kind == "patient" else self.signal


def part_of(name: str, tables: Iterable[pd.DataFrame]) -> Part:
    """Return the part that rows of one or several stores' tables make up.

    Args:
        name: of the part.
        tables: with record, patient_id and signal_sha256.
    """
    table = pd.concat([table[["record", "patient_id", "signal_sha256"]] for table in tables])
    patients = pd.unique(table["patient_id"].astype(str))
    spelt = np.concatenate([patients, plain_ids(pd.Series(patients)).to_numpy()])
    return Part(
        name,
        _members(patient_hashes(patients), np.asarray(patients)),
        _members(signal_hashes(table["signal_sha256"]), table["record"].to_numpy()),
        _members(patient_hashes(spelt), np.tile(np.asarray(patients), 2)),
        pseudonyms=any(map(is_pseudonym, patients)),
    )


def fold_parts(table: pd.DataFrame, fold: pd.Series) -> list[Part]:
    """Return one part for each fold.

    Args:
        table: of the cohort.
        fold: number of the fold of each row, NaN where it is in none.
    """
    return [part_of(f"fold {number:g}", [rows]) for number, rows in table.groupby(fold)]


def _members(hashes: Hashes, names: npt.NDArray[Any]) -> Members:
    unique, first = np.unique(hashes, return_index=True)
    return Members(unique, names[first])
