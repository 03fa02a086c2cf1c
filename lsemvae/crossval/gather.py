"""Gather the folds of a cross-validation: predictions.csv and metrics.json."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.files import file_sha256, write_text
from lsemvae.core.sealed_json import FILES, write_json
from lsemvae.core.targets import BINARY, HIGH, LOW, Target
from lsemvae.crossval.folds import run_again
from lsemvae.evaluation.predictions import read_predictions, summarise
from lsemvae.evaluation.projection import FILE_NAME as PROJECTION
from lsemvae.evaluation.runs import INNER, PREDICTIONS
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.statistics.prediction_interval import conformal_half_width


def gather_predictions(
    folder: Path, fold_of: dict[str, int], n_folds: int, target: Target = BINARY
) -> pd.DataFrame:
    """Join the predictions of all folds and check them against the frozen folds.

    Args:
        folder: holds `fold_0/predictions.csv` and so on.
        fold_of: fold of each record, from the splits file.
        n_folds: how many folds there must be.
        target: what is predicted.

    Returns:
        The target's columns, one row per record.

    Raises:
        InputError: a missing fold, a record predicted twice, in a wrong fold or not at all, or a
            patient in two folds.
    """
    parts = []
    for fold in range(n_folds):
        file = folder / f"fold_{fold}" / "predictions.csv"
        if not file.is_file():
            raise InputError(f"fold {fold} is missing ({file}); run the cross-validation again")
        parts.append(read_predictions(file, target).assign(fold=fold))
    predictions = pd.concat(parts, ignore_index=True)[target.columns]
    _check(predictions, fold_of, folder, target)
    return predictions


def gather_inner(
    folder: Path, fold_of: dict[str, int], n_folds: int, target: Target = BINARY
) -> pd.DataFrame:
    """Join the predictions of the inner validation parts, `fold_K/inner/predictions.csv`.

    Returns:
        The target's columns; `fold` is the outer fold whose training part a record belongs to.

    Raises:
        InputError: a missing file, or a record of the outer fold itself, which would be a leak.
    """
    parts = []
    for fold in range(n_folds):
        file = folder / f"fold_{fold}" / "inner" / "predictions.csv"
        if not file.is_file():
            raise InputError(f"{file} is missing; run the cross-validation again")
        part = read_predictions(file, target).assign(fold=fold)
        foreign = part["record"][part["record"].map(fold_of).isin([fold, np.nan])]
        if len(foreign):
            raise InputError(
                f"{file}: record {foreign.iloc[0]} is not of the training part of fold {fold}; "
                f"{run_again(folder)}"
            )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)[target.columns]


def with_intervals(predictions: pd.DataFrame, inner: pd.DataFrame | None) -> pd.DataFrame:
    """Add the conformal interval of every estimate, its half-width from the fold's inner part.

    Args:
        predictions: of a number, out of fold.
        inner: from `gather_inner`; None leaves the predictions as they are.

    Returns:
        With columns low and high, in the unit; empty where an inner part has too few patients.
    """
    if inner is None:
        return predictions
    half = {
        fold: conformal_half_width(part["estimated"] - part["measured"], part["patient_id"])
        for fold, part in inner.groupby("fold")
    }
    width = predictions["fold"].map(half).replace(np.inf, np.nan)
    estimated = predictions["estimated"]
    return predictions.assign(**{LOW: estimated - width, HIGH: estimated + width})


def _check(
    predictions: pd.DataFrame, fold_of: dict[str, int], folder: Path, target: Target
) -> None:
    twice = predictions["record"][predictions["record"].duplicated()]
    if len(twice):
        raise InputError(
            f"{folder}: record {twice.iloc[0]} is predicted twice; {run_again(folder)}"
        )
    known = np.isfinite(predictions[target.predicted].to_numpy()).all(axis=1)
    unusable = predictions["record"][~known]
    if len(unusable):
        raise InputError(
            f"{folder}: the prediction of record {unusable.iloc[0]} is not a number: training has "
            f"diverged; lower the learning rate, and {run_again(folder)}"
        )
    expected = predictions["record"].map(fold_of)
    wrong = predictions["record"][expected != predictions["fold"]]
    if len(wrong):
        raise InputError(
            f"{folder}: record {wrong.iloc[0]} is predicted in a fold not its own; "
            f"{run_again(folder)}"
        )
    missing = set(fold_of) - set(predictions["record"])
    if missing:
        raise InputError(
            f"{folder}: {counted(len(missing), 'record lacks', 'records lack')} a prediction, as "
            f"{min(missing)}"
        )
    folds_of_patient = predictions.groupby("patient_id")["fold"].nunique()
    leaked = folds_of_patient[folds_of_patient > 1]
    if len(leaked):
        raise InputError(f"{folder}: patient {leaked.index[0]} is in two folds")


def write_results(
    folder: Path,
    predictions: pd.DataFrame,
    about: dict[str, Any],
    inner: pd.DataFrame | None = None,
    target: Target = BINARY,
) -> dict[str, Any]:
    """Write `predictions.csv` and `metrics.json` and return the metrics.

    Args:
        folder: of the cross-validation.
        predictions: from `gather_predictions`.
        about: what was evaluated: task, method, leads, data label and the like.
        inner: from `gather_inner`; written as `inner_predictions.csv`, its metrics as `inner`.
        target: what is predicted.
    """
    metrics = {**about, **to_json(summarise(predictions, target))}
    if inner is not None:
        found = to_json(summarise(inner, target))
        metrics["inner"] = {name: found[name] for name in ("mean", "sd", "folds")}
        write_text(folder / INNER, inner.to_csv(index=False))
    write_text(folder / PREDICTIONS, predictions.to_csv(index=False))
    drawn = [PROJECTION] if (folder / PROJECTION).is_file() else []
    kept = [PREDICTIONS, *([] if inner is None else [INNER]), *drawn]
    metrics[FILES] = {name: file_sha256(folder / name) for name in kept}
    write_json(folder / "metrics.json", metrics)
    return metrics
