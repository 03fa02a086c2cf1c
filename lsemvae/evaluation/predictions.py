"""Read the predictions of a cross-validation and summarise them over its folds."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.metrics import Metrics, base_rate_accuracy, binary_metrics

COLUMNS = ["record", "patient_id", "fold", "label", "probability"]


def read_predictions(file: Path) -> pd.DataFrame:
    """Read a predictions file; a patient may be called NA.

    Raises:
        InputError: the file is missing, empty, cut or something else.
    """
    names = {"record": str, "patient_id": str}
    try:
        table = pd.read_csv(
            file, dtype=names, keep_default_na=False, na_values={"label": "", "probability": ""}
        )
    except (OSError, ValueError) as error:
        raise _unreadable(file, " ".join(str(error).split())) from error
    absent = [name for name in COLUMNS if name != "fold" and name not in table]
    if absent:
        raise _unreadable(file, f"it has no column {', '.join(absent)}")
    cut = table.index[table["label"].isna() | (table["record"] == "")]
    if len(cut):
        raise _unreadable(file, f"line {cut[0] + 2} is cut")
    return table


def _unreadable(file: Path, reason: str) -> InputError:
    return InputError(
        f"{file} cannot be read ({reason}); run `lsemvae cv` again with the same options: finished "
        "folds are kept"
    )


def summarise(predictions: pd.DataFrame) -> dict[str, Any]:
    """Return the metrics: per fold, mean and sample SD over the folds, pooled, and the base rate.

    The pooled figures treat the out-of-fold predictions of all folds as one set.
    """
    per_fold = [
        binary_metrics(part["label"].to_numpy(), part["probability"].to_numpy())
        for _, part in predictions.groupby("fold", sort=True)
    ]
    label = predictions["label"].to_numpy()
    pooled = binary_metrics(label, predictions["probability"].to_numpy())
    values = np.array(per_fold)
    return {
        "n_records": len(predictions),
        "n_patients": int(predictions["patient_id"].nunique()),
        "n_positive": int(label.sum()),
        "base_rate_accuracy": base_rate_accuracy(label),
        "mean": dict(zip(Metrics._fields, values.mean(0).tolist(), strict=True)),
        "sd": dict(zip(Metrics._fields, values.std(0, ddof=1).tolist(), strict=True)),
        "pooled": pooled._asdict(),
        "folds": [metrics._asdict() for metrics in per_fold],
    }
