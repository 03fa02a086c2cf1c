"""Measure the same predictions against other definitions of the label."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.performance import MIN_PATIENTS, Performance, performance


def label_sensitivity(
    predictions: pd.DataFrame,
    labels: Mapping[str, npt.ArrayLike],
    *,
    minimum: int = MIN_PATIENTS,
) -> dict[str, Performance]:
    """Return the performance under every definition of the label.

    Args:
        predictions: columns patient_id, probability.
        labels: (N,) by the definition's name, in the order of the predictions; 0, 1, or NaN where
            a record is not in the population of that definition.
        minimum: fewest patients with a positive and with a negative record.

    Raises:
        InputError: a definition has not one label per prediction, or a label other than 0, 1, NaN.
    """
    results = {}
    for name, values in labels.items():
        label = np.asarray(values, dtype=np.float64)
        if label.shape != (len(predictions),):
            raise InputError(
                f"label definition {name} has shape {label.shape} for "
                f"{counted(len(predictions), 'prediction')}; give one label per row"
            )
        inside = ~np.isnan(label)
        part = predictions[inside]
        results[name] = performance(
            label[inside], part["probability"], part["patient_id"], minimum=minimum
        )
    return results
