"""Measure performance against the share of records withheld because the model is unsure."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.performance import MIN_PATIENTS, Performance, performance

SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)


class Abstention(NamedTuple):
    """Performance with part of the records withheld.

    Attributes:
        share: asked for.
        withheld: share that is withheld; records as unsure as the last one kept are kept.
        largest_uncertainty: among the records kept.
        kept: performance on them.
    """

    share: float
    withheld: float
    largest_uncertainty: float
    kept: Performance


def abstention_curve(
    predictions: pd.DataFrame,
    *,
    column: str = "uncertainty",
    shares: Sequence[float] = SHARES,
    minimum: int = MIN_PATIENTS,
) -> list[Abstention]:
    """Return the performance on the records that remain when the most uncertain are withheld.

    Args:
        predictions: columns patient_id, label, probability and `column`.
        column: how unsure the model is; only its order counts.
        shares: to withhold, 0 up to but not including 1.
        minimum: fewest patients with a positive and with a negative record.

    Raises:
        InputError: no such column, a value of it is missing, or a share outside 0..1.
    """
    if column not in predictions:
        raise InputError(f"predictions have no column {column}, got {list(predictions.columns)}")
    uncertainty = predictions[column].to_numpy(dtype=np.float64)
    missing = int(np.isnan(uncertainty).sum())
    if missing or not all(0 <= share < 1 for share in shares):
        raise InputError(
            f"got {missing} missing values of {column} and shares {list(shares)}; "
            "expected none missing and shares from 0 to below 1"
        )
    ascending = np.sort(uncertainty)
    curve = []
    for share in shares:
        n_kept = len(ascending) - int(share * len(ascending) + 1e-9)
        limit = float(ascending[n_kept - 1])
        kept = predictions[uncertainty <= limit]
        result = performance(
            kept["label"], kept["probability"], kept["patient_id"], minimum=minimum
        )
        curve.append(Abstention(share, 1 - len(kept) / len(predictions), limit, result))
    return curve
