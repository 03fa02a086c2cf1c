"""Find recordings of one signal under different patients; leave them out or merge them."""

from pathlib import Path

import pandas as pd

from data_modules.cohort.cell_spellings import plain_records
from data_modules.cohort.sheet import read_sheet
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError

COLUMNS = ["signal_sha256", "record", "patient_id"]


def signal_twins(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose signal stands under another patient too, those of a signal together.

    Args:
        table: record, patient_id and signal_sha256; its index is kept.
    """
    repeated = table[table["signal_sha256"].duplicated(keep=False)]
    owners = repeated.groupby("signal_sha256")["patient_id"].transform("nunique")
    twins = repeated.loc[owners > 1, COLUMNS]
    order = pd.factorize(twins["signal_sha256"])[0]
    return twins.iloc[order.argsort(kind="stable")]


def leave_out(table: pd.DataFrame, exclude: str | Path) -> pd.DataFrame:
    """Return a cohort table without the records of a list.

    Args:
        table: with record.
        exclude: CSV file or workbook with the column `record`.

    Raises:
        InputError: the file cannot be read, names no record, or one that the table lacks.
    """
    listed = _read(exclude, ("record",))["record"]
    _refuse_unknown(listed, table["record"], exclude)
    return table[~table["record"].isin(listed)].reset_index(drop=True)


def merge_patients(table: pd.DataFrame, same_patient: str | Path) -> pd.DataFrame:
    """Return a cohort table in which recordings of one person have one patient_id.

    Args:
        table: with record and patient_id.
        same_patient: CSV file or workbook with the columns `record` and `patient_id`, the right
            one. All recordings of the patient that the record belonged to move with it.

    Raises:
        InputError: the file cannot be read, names a record that the table lacks, or gives the
            recordings of one patient to two.
    """
    listed = _read(same_patient, ("record", "patient_id"))
    _refuse_unknown(listed["record"], table["record"], same_patient)
    owner = table.set_index("record")["patient_id"]
    moves = pd.DataFrame({"old": owner[listed["record"]].to_numpy(), "new": listed["patient_id"]})
    torn = moves.groupby("old")["new"].nunique()
    if (torn > 1).any():
        raise InputError(
            f"{same_patient} gives the recordings of patient {torn.idxmax()} to {torn.max()} "
            "patients; name one"
        )
    moves = moves[moves["old"] != moves["new"]]
    both = moves["new"][moves["new"].isin(moves["old"])]
    if len(both):
        raise InputError(
            f"{same_patient} moves recordings to patient {both.iloc[0]}, whose own it moves away; "
            "name the last one for all of them"
        )
    new = moves.drop_duplicates("old").set_index("old")["new"]
    return table.assign(patient_id=table["patient_id"].map(new).fillna(table["patient_id"]))


def _read(path: str | Path, needed: tuple[str, ...]) -> pd.DataFrame:
    cells = read_sheet(Path(path), encoding=None)
    lacking = [name for name in needed if name not in cells.table]
    if lacking or cells.problems:
        found = ", ".join(map(str, cells.table.columns))
        why = cells.problems[0] if cells.problems else f"it has the columns {found}"
        raise InputError(f"{path} needs the columns {' and '.join(needed)}; {why}")
    plain_records(cells.table)
    empty = (cells.table[list(needed)] == "").any(axis=1)
    if empty.any():
        raise InputError(f"{path}: row {empty.idxmax()} lacks {' or '.join(needed)}")
    return cells.table.reset_index(drop=True)


def _refuse_unknown(names: pd.Series, known: pd.Series, path: str | Path) -> None:
    unknown = names[~names.isin(known)]
    if len(unknown):
        raise InputError(
            f"{path} names {counted(len(unknown), 'record')} that the table lacks, the first is "
            f"{unknown.iloc[0]}; write them as the table does"
        )
