"""Draw cross-validation folds by patient; they are written once and then only read."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_modules.cohort.group_folds import stratified_group_folds
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.files import named, prepare_place, sync_file
from lsemvae.core.json_text import parse_json
from lsemvae.core.made_with import refuse_other_settings
from lsemvae.core.targets import LABEL
from lsemvae.core.unfinished import unfinished

FORMAT = "lsemvae-splits"
VERSION = 1
STRATUM, GIVEN = "stratum", "given_fold"
GIVEN_SEED = -1
"""Stands for the seed of folds that a table gives: those are no draw."""


@dataclass(frozen=True)
class Splits:
    """Folds of one task on one cohort.

    Attributes:
        task: name of the task.
        n_folds: number of folds.
        seed: of the shuffle.
        cohort_sha256: digest of the records, patients and labels that were split.
        fold: fold of each record, by record name.
    """

    task: str
    n_folds: int
    seed: int
    cohort_sha256: str
    fold: dict[str, int]

    def digest(self) -> str:
        """Return the SHA-256 of which record is in which fold."""
        return hashlib.sha256(json.dumps(self.fold, sort_keys=True).encode()).hexdigest()


def load_or_make_splits(
    path: str, cohort: pd.DataFrame, *, task: str, n_folds: int = 5, seed: int = 0
) -> Splits:
    """Read the folds of a cohort, or draw and freeze them where there are none yet.

    Folds are stratified by label and grouped by patient, so that no patient is on both sides.

    Args:
        path: the splits file.
        cohort: columns record, patient_id and label, one row per labelled record. Where the label
            is no class, a column stratum says what to stratify by. Where a column given_fold has
            the folds of a data set's authors, they are taken in place of drawn ones.
        task: name of the task.
        n_folds: number of folds (paper section 3: 5).
        seed: of the shuffle.

    Raises:
        InputError: too few patients, a class absent in a fold, or a file that belongs to other
            records, labels, folds or another seed.
    """
    file = Path(path)
    seed = GIVEN_SEED if GIVEN in cohort else seed
    if not file.exists():
        _write(file, _draw(cohort, task, n_folds, seed))
    splits = _read(file)
    _check(splits, path, cohort, task=task, n_folds=n_folds, seed=seed)
    if GIVEN in cohort and splits.fold != _given_folds(cohort, task, n_folds).fold:
        raise InputError(
            f"{path} holds the folds of another column, or of this one before it changed; "
            f"name another output folder with --out, or remove {file.parent} if its results may go"
        )
    return splits


def _check(
    splits: Splits, path: str, cohort: pd.DataFrame, *, task: str, n_folds: int, seed: int
) -> None:
    """Refuse folds of something else, and folds that were edited by hand."""
    file = Path(path)
    asked = {
        "task": task, "n_folds": n_folds, "seed": seed, "cohort_sha256": cohort_digest(cohort),
    }  # fmt: skip
    refuse_other_settings(
        f"{path} was frozen for something else", asdict(splits), asked,
        f"name another output folder with --out, or remove {file.parent} if its results may go",
    )  # fmt: skip
    fold = cohort["record"].map(splits.fold)
    torn = fold.groupby(cohort["patient_id"]).nunique().ne(1)
    if torn.any() or not fold.isin(range(n_folds)).all():
        raise InputError(
            f"{path} was changed by hand: a record has no fold, or a patient several; remove it to "
            "draw new folds"
        )


def cohort_digest(cohort: pd.DataFrame) -> str:
    """Return the SHA-256 of the sorted records with their patients and labels."""
    labels = label_columns(cohort) or ["label"]
    rows = cohort[["record", "patient_id", *labels]].sort_values("record")
    text = "\n".join(
        "\t".join([r, p, *(f"{y:g}" for y in values)])
        for r, p, *values in rows.itertuples(index=False)
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _draw(cohort: pd.DataFrame, task: str, n_folds: int, seed: int) -> Splits:
    label, patients = strata(cohort), cohort["patient_id"].to_numpy()
    n_patients = len(np.unique(patients))
    if n_folds < 2 or n_patients < n_folds:
        raise InputError(
            f"{n_folds} folds need at least 2 folds and as many patients; task {task!r} has "
            f"{counted(n_patients, 'patient')}"
        )
    if GIVEN in cohort:
        return _given_folds(cohort, task, n_folds)
    classes = _classes(cohort)
    for name, column in classes.items():
        _check_classes(column, patients, name or f"task {task!r}", n_folds)
    fold = stratified_group_folds(label, patients, n_folds, seed)
    for number in range(n_folds):
        for name, column in classes.items():
            if not {0.0, 1.0} <= set(column[fold == number]):
                raise InputError(
                    f"fold {number} of {name or f'task {task!r}'} lacks one of the two classes; "
                    "use fewer folds or another seed"
                )
    return _splits(cohort, task, n_folds, seed, fold)


def _given_folds(cohort: pd.DataFrame, task: str, n_folds: int) -> Splits:
    """Take the folds of a column, numbered from 0 in their order.

    Raises:
        InputError: another number of folds, a record without one, a patient in several, or a fold
            that lacks a class.
    """
    given = cohort[GIVEN]
    lacking = cohort["record"][given.isna() | (given.astype(str).str.strip() == "")]
    if len(lacking):
        raise InputError(
            f"{counted(len(lacking), 'record has', 'records have')} no fold in the table, as "
            f"{lacking.iloc[0]}"
        )
    values, fold = np.unique(given.to_numpy(), return_inverse=True)
    if len(values) != n_folds:
        raise InputError(
            f"the table has {len(values)} folds for task {task!r}; give --folds {len(values)}"
        )
    torn = given.groupby(cohort["patient_id"]).nunique()
    if (torn > 1).any():
        raise InputError(f"patient {torn.idxmax()} is in several folds of the table")
    for name, column in _classes(cohort).items():
        for number in range(n_folds):
            if not {0.0, 1.0} <= set(column[fold == number]):
                raise InputError(
                    f"fold {values[number]} of {name or f'task {task!r}'} lacks one of the classes"
                )
    return _splits(cohort, task, n_folds, GIVEN_SEED, fold)


def _splits(
    cohort: pd.DataFrame, task: str, n_folds: int, seed: int, fold: npt.NDArray[np.int64]
) -> Splits:
    by_record = dict(zip(cohort["record"], fold.tolist(), strict=True))
    return Splits(task, n_folds, seed, cohort_digest(cohort), by_record)


def label_columns(cohort: pd.DataFrame) -> list[str]:
    """Return the columns of several labels, none where there is one label or a number."""
    return [str(name) for name in cohort if str(name).startswith(LABEL)]


def _classes(cohort: pd.DataFrame) -> dict[str, npt.NDArray[np.float64]]:
    """Return what each fold needs both classes of, by its name in messages."""
    if STRATUM not in cohort:
        return {"": cohort["label"].to_numpy(np.float64)}
    return {f"label {name.removeprefix(LABEL)!r}": cohort[name].to_numpy(np.float64)
            for name in label_columns(cohort)}  # fmt: skip


def _check_classes(
    label: npt.NDArray[np.float64], patients: npt.NDArray[Any], what: str, n_folds: int
) -> None:
    """Refuse folds of which one would lack a class."""
    smaller = min(len(np.unique(patients[label == value])) for value in (0, 1))
    if smaller == 0:
        raise InputError(
            f"all labelled records of {what} are of one class; look at the column or at the "
            "thresholds"
        )
    if smaller < n_folds:
        raise InputError(
            f"{n_folds} folds need {counted(n_folds, 'patient')} of each class; the smaller class "
            f"of {what} has {smaller}: "
            + ("use fewer folds" if smaller > 1 else "two folds are the fewest, so add patients")
        )


def strata(cohort: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return what folds are stratified by, (N,): the column stratum where there is one."""
    return cohort[STRATUM if STRATUM in cohort else "label"].to_numpy().astype(np.int64)


N_INNER = 5  # a fifth of a training part, as the test fold is a fifth of the cohort (paper: 80:20)


def inner_validation(cohort: pd.DataFrame, seed: int) -> npt.NDArray[np.bool_]:
    """Choose a fifth of a training part, by patient, for choosing settings and thresholds.

    Args:
        cohort: records of a training part: columns patient_id and label, or stratum.
        seed: of the shuffle.

    Returns:
        (N,) bool, True for the records of the inner validation part.

    Raises:
        InputError: one side of the split would lack a class.
    """
    label, patients = strata(cohort), cohort["patient_id"].to_numpy()
    inner = np.asarray(stratified_group_folds(label, patients, N_INNER, seed) == 0)
    fewest = min(len(np.unique(label[inner])), len(np.unique(label[~inner])))
    if STRATUM not in cohort and fewest < 2:
        raise InputError(
            "a training part has too few patients of one class for an inner validation part; "
            "use fewer folds, or --inner false"
        )
    return inner


def _write(file: Path, splits: Splits) -> None:
    """Write the file in one step, never over one that another process has just written."""
    temporary = unfinished(file)
    content = {"format": FORMAT, "version": VERSION, **asdict(splits)}
    try:
        with named(file, temporary):
            prepare_place(file)
            with temporary.open("w", encoding="utf-8") as stream:
                stream.write(json.dumps(content, indent=1) + "\n")
                sync_file(stream)
        os.link(temporary, file)
    except FileExistsError:
        pass  # what the other process wrote is read and checked
    except OSError:  # a file system without hard links
        temporary.replace(file)
        return
    finally:
        temporary.unlink(missing_ok=True)


def _read(file: Path) -> Splits:
    try:
        content = parse_json(file.read_text())
    except ValueError as error:
        raise InputError(f"{file} is not JSON ({error}); remove it to draw new folds") from error
    names = {"format", "version", *(field.name for field in fields(Splits))}
    if not isinstance(content, dict) or set(content) != names:
        raise InputError(f"{file} is not a {FORMAT} file; remove it to draw new folds")
    if (content.pop("format"), content.pop("version")) != (FORMAT, VERSION):
        raise InputError(f"{file} is not a {FORMAT} file of version {VERSION}")
    return Splits(**content)
