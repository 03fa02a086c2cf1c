"""Read predictions that somebody hands in, and compare them with the frozen folds and labels."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.cohort.identity import plain_ids
from lsemvae.core.errors import InputError
from lsemvae.core.printable import one_line
from lsemvae.core.targets import HIGH, LOW
from lsemvae.evaluation.kept_files import read_every_cell
from lsemvae.leaderboard.board import Question

NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
IGNORED = "uncertainty"
AS_WRITTEN = 1e-5  # relative; measured values are written with the digits of float32


def read_predicted(file: Path, question: Question) -> pd.DataFrame:
    """Read predictions by record id, one for each record of a question.

    Args:
        file: CSV with the columns record and those that the target predicts; fold, patient_id and
            the truth are compared where they stand there.
        question: with the frozen folds and labels.

    Returns:
        record, fold and the predictions, in the order of the question's records.

    Raises:
        InputError: everything that is wrong with the file.
    """
    table = _read_text(file)
    faults = _column_faults(table, question) or _record_faults(table, question)
    if not faults:
        ordered = table.set_index("record").loc[question.truth["record"]].reset_index()
        faults = [
            *_value_faults(ordered, question),
            *_fold_faults(ordered, question),
            *_patient_faults(ordered, question),
            *_truth_faults(ordered, question),
        ]
    if faults:
        raise InputError(f"{file}: {'; '.join(faults)}; hand in predictions of the frozen folds")
    numbers = ordered[_predicted(ordered, question)].replace("", "nan").astype(np.float64)
    return pd.concat([question.truth[["record", "fold"]], numbers], axis=1)


def _predicted(table: pd.DataFrame, question: Question) -> list[str]:
    """Return the columns that hold predictions; the ends of an interval where they stand."""
    ends = [LOW, HIGH] if question.target.kind == "number" and {LOW, HIGH} <= set(table) else []
    return [*question.target.predicted, *ends]


def _read_text(file: Path) -> pd.DataFrame:
    content = file.read_bytes()
    reason = ""
    if not content.strip():
        reason = "it is empty"
    elif b"\0" in content:
        reason = "it is no text"
    elif not content.endswith(b"\n"):
        reason = "its last line has no end: it is cut"
    try:
        if not reason:
            text = io.StringIO(content.decode("utf-8"))
            table = read_every_cell(text, dtype=str, keep_default_na=False)
            short = table.index[table.isna().any(axis=1)]
            reason = f"line {short[0] + 2} has too few cells" if len(short) else ""
    except ValueError as error:  # UnicodeDecodeError, ParserError, EmptyDataError
        reason = one_line(str(error))[:200]
    if reason:
        raise InputError(f"{file} is no table of predictions ({reason}); hand in a whole CSV file")
    return table


def _column_faults(table: pd.DataFrame, question: Question) -> list[str]:
    target = question.target
    lacking = [name for name in ("record", *target.predicted) if name not in table]
    known = {*target.columns, LOW, HIGH, IGNORED}
    unknown = [one_line(str(name))[:40] for name in table if name not in known]
    faults = [f"it has no column {', '.join(lacking)}"] if lacking else []
    return faults + ([f"it has an unknown column {', '.join(unknown)}"] if unknown else [])


def _record_faults(table: pd.DataFrame, question: Question) -> list[str]:
    records, known = table["record"], question.truth["record"]
    faults = []
    twice = records[records.duplicated()]
    if len(twice):
        faults.append(f"record {_named(twice)} is predicted twice")
    strange = records[~records.isin(known)]
    if len(strange):
        faults.append(f"record {_named(strange)} is not of task {question.task}"
                      f"{_and_more(len(strange))}")  # fmt: skip
    absent = question.truth[~known.isin(records)]
    folds = sorted(set(question.truth["fold"]) - set(question.truth["fold"][known.isin(records)]))
    if folds:
        faults.append(f"fold {', '.join(map(str, folds))} is missing")
    elif len(absent):
        faults.append(f"record {absent['record'].iloc[0]} has no prediction"
                      f"{_and_more(len(absent))}")  # fmt: skip
    return faults


def _value_faults(table: pd.DataFrame, question: Question) -> list[str]:
    faults = []
    for name in _predicted(table, question):
        cells = table[name]
        number = cells.str.fullmatch(NUMBER)
        if name in (LOW, HIGH):
            number |= cells == ""
        value = pd.to_numeric(cells.where(number), errors="coerce").to_numpy(np.float64)
        sound = number.to_numpy() & ~np.isinf(value)
        what = "a finite number"
        if question.target.kind != "number":
            what = "a probability of 0 to 1"
            sound &= (value >= 0) & (value <= 1)
        if not sound.all():
            at = int(np.flatnonzero(~sound)[0])
            got, more = one_line(str(cells.iloc[at])), _and_more(int((~sound).sum()))
            faults.append(
                f"record {table['record'].iloc[at]}: {name} must be {what}, got {got!r:.40}{more}"
            )
    return faults


def _fold_faults(table: pd.DataFrame, question: Question) -> list[str]:
    if "fold" not in table:
        return []
    told, frozen = _numbers(table["fold"]), question.truth["fold"].to_numpy()
    wrong = np.flatnonzero(told != frozen)
    if not len(wrong):
        return []
    torn = pd.Series(told).groupby(question.truth["patient_id"].to_numpy()).nunique(dropna=False)
    if (torn > 1).any():
        return [f"a patient is in two folds: look at record {table['record'].iloc[wrong[0]]}"]
    return [
        f"record {table['record'].iloc[wrong[0]]} is predicted in fold {told[wrong[0]]:g}, its own "
        f"is {frozen[wrong[0]]}{_and_more(len(wrong))}"
    ]


def _patient_faults(table: pd.DataFrame, question: Question) -> list[str]:
    if "patient_id" not in table:
        return []
    told, own = (plain_ids(one["patient_id"]).to_numpy() for one in (table, question.truth))
    wrong = told != own  # a spreadsheet on the way may have written 007 as 7
    return [f"record {_named(table['record'][wrong])} is of another patient"] if wrong.any() else []


def _truth_faults(table: pd.DataFrame, question: Question) -> list[str]:
    """Name labels that are not the frozen ones; what they are is not said."""
    faults = []
    for name in question.target.truth:
        if name not in table:
            continue
        told, known = _numbers(table[name]), question.truth[name].to_numpy(np.float64)
        alike = np.isclose(told, known, rtol=AS_WRITTEN, atol=0, equal_nan=True)
        alike &= (table[name] == "").to_numpy() == np.isnan(known)
        if not alike.all():
            n, swapped = int((~alike).sum()), np.array_equal(told, 1 - known, equal_nan=True)
            what = "all labels are swapped" if swapped else f"{n} of {len(known)} differ"
            record = table["record"].to_numpy()[~alike][0]
            faults.append(f"record {record} has another {name} than the leaderboard ({what})")
    return faults


def _numbers(cells: pd.Series) -> npt.NDArray[np.float64]:
    return pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)


def _named(records: pd.Series) -> str:
    return one_line(str(records.iloc[0]))[:80]


def _and_more(n: int) -> str:
    return f" (and {n - 1} more)" if n > 1 else ""
