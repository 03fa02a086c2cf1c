"""Gather the folds of a cross-validation: predictions.csv and metrics.json."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.evaluation.predictions import COLUMNS, read_predictions, summarise


def gather_predictions(folder: Path, fold_of: dict[str, int], n_folds: int) -> pd.DataFrame:
    """Join the predictions of all folds and check them against the frozen folds.

    Args:
        folder: holds `fold_0/predictions.csv` and so on.
        fold_of: fold of each record, from the splits file.
        n_folds: how many folds there must be.

    Returns:
        Columns `COLUMNS`, one row per record.

    Raises:
        InputError: a missing fold, a record predicted twice, in a wrong fold or not at all, or a
            patient in two folds.
    """
    parts = []
    for fold in range(n_folds):
        file = folder / f"fold_{fold}" / "predictions.csv"
        if not file.is_file():
            raise InputError(f"fold {fold} is missing ({file}); run the cross-validation again")
        parts.append(read_predictions(file).assign(fold=fold))
    predictions = pd.concat(parts, ignore_index=True)[COLUMNS]
    _check(predictions, fold_of, folder)
    return predictions


def gather_inner(folder: Path, fold_of: dict[str, int], n_folds: int) -> pd.DataFrame:
    """Join the predictions of the inner validation parts, `fold_K/inner/predictions.csv`.

    Returns:
        Columns `COLUMNS`; `fold` is the outer fold whose training part a record belongs to.

    Raises:
        InputError: a missing file, or a record of the outer fold itself, which would be a leak.
    """
    parts = []
    for fold in range(n_folds):
        file = folder / f"fold_{fold}" / "inner" / "predictions.csv"
        if not file.is_file():
            raise InputError(f"{file} is missing; run the cross-validation again")
        part = read_predictions(file).assign(fold=fold)
        foreign = part["record"][part["record"].map(fold_of).isin([fold, np.nan])]
        if len(foreign):
            raise InputError(
                f"{file}: record {foreign.iloc[0]} is not of the training part of fold {fold}; run "
                "again with --overwrite"
            )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _check(predictions: pd.DataFrame, fold_of: dict[str, int], folder: Path) -> None:
    twice = predictions["record"][predictions["record"].duplicated()]
    if len(twice):
        raise InputError(
            f"{folder}: record {twice.iloc[0]} is predicted twice; run again with --overwrite"
        )
    unusable = predictions["record"][~np.isfinite(predictions["probability"])]
    if len(unusable):
        raise InputError(
            f"{folder}: the prediction of record {unusable.iloc[0]} is not a number: training has "
            "diverged; lower the learning rate and run again with --overwrite"
        )
    expected = predictions["record"].map(fold_of)
    wrong = predictions["record"][expected != predictions["fold"]]
    if len(wrong):
        raise InputError(
            f"{folder}: record {wrong.iloc[0]} is predicted in a fold not its own; "
            "run again with --overwrite"
        )
    missing = set(fold_of) - set(predictions["record"])
    if missing:
        raise InputError(f"{folder}: {len(missing)} records lack a prediction, as {min(missing)}")
    folds_of_patient = predictions.groupby("patient_id")["fold"].nunique()
    leaked = folds_of_patient[folds_of_patient > 1]
    if len(leaked):
        raise InputError(f"{folder}: patient {leaked.index[0]} is in two folds")


def write_results(
    folder: Path,
    predictions: pd.DataFrame,
    about: dict[str, Any],
    inner: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Write `predictions.csv` and `metrics.json` and return the metrics.

    Args:
        folder: of the cross-validation.
        predictions: from `gather_predictions`.
        about: what was evaluated: task, method, leads, data label and the like.
        inner: from `gather_inner`; written as `inner_predictions.csv`, its metrics as `inner`.
    """
    metrics = {**about, **summarise(predictions)}
    if inner is not None:
        metrics["inner"] = {name: summarise(inner)[name] for name in ("mean", "sd", "folds")}
        write_text(folder / "inner_predictions.csv", inner.to_csv(index=False))
    write_text(folder / "predictions.csv", predictions.to_csv(index=False))
    write_text(folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    return metrics
