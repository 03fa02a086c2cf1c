"""Read the predictions of a cross-validation and summarise them over its folds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.core.targets import BINARY, HIGH, LOW, Kind, Target
from lsemvae.evaluation.kept_files import read_every_cell
from lsemvae.evaluation.statistics.labels_summary import label_counts, labels_metrics
from lsemvae.evaluation.statistics.metrics import base_rate_accuracy, binary_metrics
from lsemvae.evaluation.statistics.number_metrics import number_metrics

COLUMNS = BINARY.columns


def read_predictions(file: Path, target: Target = BINARY) -> pd.DataFrame:
    """Read a predictions file; a patient may be called NA.

    Args:
        file: predictions.csv of a run or of a fold.
        target: what the run predicts.

    Raises:
        InputError: the file is missing, empty, cut or something else.
    """
    names = {"record": str, "patient_id": str}
    numbers = [*target.truth, *target.predicted, *([LOW, HIGH] if target.kind == "number" else [])]
    try:
        table = read_every_cell(
            file, dtype=names, keep_default_na=False, na_values=dict.fromkeys(numbers, "")
        )
    except (OSError, ValueError) as error:
        raise _unreadable(file, " ".join(str(error).split())) from error
    absent = [name for name in target.columns if name != "fold" and name not in table]
    if absent:
        raise _unreadable(file, f"it has no column {', '.join(absent)}")
    for name in [one for one in [*numbers, "fold"] if one in table]:
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise _unreadable(file, f"not every {name} is a number")
    cut = table.index[table[target.truth].isna().all(axis=1) | (table["record"] == "")]
    if len(cut):
        raise _unreadable(file, f"line {cut[0] + 2} is cut")
    return table


def _unreadable(file: Path, reason: str) -> InputError:
    return InputError(
        f"{file} cannot be read ({reason}); run `lsemvae cv` again with the same options: finished "
        "folds are kept"
    )


def summarise(predictions: pd.DataFrame, target: Target = BINARY) -> dict[str, Any]:
    """Return the metrics: per fold, mean and sample SD over the folds, pooled, and the base rate.

    The pooled figures treat the out-of-fold predictions of all folds as one set.

    Args:
        predictions: of all folds.
        target: what they predict.
    """
    measure = _MEASURES[target.kind]
    per_fold = [measure(part, target) for _, part in predictions.groupby("fold", sort=True)]
    values = pd.DataFrame(per_fold)
    return {
        "n_records": len(predictions),
        "n_patients": int(predictions["patient_id"].nunique()),
        **_BASE[target.kind](predictions, target),
        "mean": values.mean().to_dict(),
        "sd": values.std(ddof=1).to_dict(),
        "pooled": measure(predictions, target),
        "folds": per_fold,
    }


def _of_binary(part: pd.DataFrame, _: Target) -> dict[str, float]:
    found = binary_metrics(part["label"].to_numpy(), part["probability"].to_numpy())
    return found._asdict()


def _of_number(part: pd.DataFrame, _: Target) -> dict[str, float]:
    return number_metrics(part["measured"], part["estimated"])


def _binary_base(predictions: pd.DataFrame, _: Target) -> dict[str, Any]:
    label = predictions["label"].to_numpy()
    return {"n_positive": int(label.sum()), "base_rate_accuracy": base_rate_accuracy(label)}


def _number_base(predictions: pd.DataFrame, _: Target) -> dict[str, Any]:
    """Say what the measured values are, and how far off the mean of each training part is."""
    measured = predictions["measured"].to_numpy()
    return {
        "measured": {"mean": float(measured.mean()), "sd": float(measured.std(ddof=1))},
        "training_mean_mae": float(np.abs(measured - training_means(predictions)).mean()),
    }


def _labels_base(predictions: pd.DataFrame, target: Target) -> dict[str, Any]:
    return {"labels": label_counts(predictions, target)}


def training_means(predictions: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return for each record the mean measured value of the other folds, (N,)."""
    folds = predictions.groupby("fold")["measured"].agg(["sum", "count"])
    rest = (folds["sum"].sum() - folds["sum"]) / (folds["count"].sum() - folds["count"])
    return predictions["fold"].map(rest).to_numpy(np.float64)


_MEASURES: dict[Kind, Callable[[pd.DataFrame, Target], dict[str, float]]] = {
    "binary": _of_binary,
    "number": _of_number,
    "labels": labels_metrics,
}
_BASE: dict[Kind, Callable[[pd.DataFrame, Target], dict[str, Any]]] = {
    "binary": _binary_base,
    "number": _number_base,
    "labels": _labels_base,
}
