"""Simulate predictions whose true AUROC, calibration and label effect are known."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

Array = npt.NDArray[np.float64]


def binormal(
    n_positive: int, n_negative: int, auroc: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return labels and scores with a given true AUROC."""
    label = np.r_[np.ones(n_positive), np.zeros(n_negative)]
    shift = math.sqrt(2) * float(norm.ppf(auroc))
    return label, rng.normal(size=len(label)) + shift * label


def logistic(log_odds: Array, rng: np.random.Generator) -> Array:
    """Return labels drawn with the probability of the log-odds."""
    return (rng.random(log_odds.shape) < 1 / (1 + np.exp(-log_odds))).astype(float)


def predictions(
    n_records: int = 200, *, n_folds: int = 5, seed: int = 0, records_per_patient: int = 1
) -> pd.DataFrame:
    """Return a table of out-of-fold predictions."""
    rng = np.random.default_rng(seed)
    patient = np.arange(n_records) // records_per_patient
    log_odds = rng.normal(0.4, 1.5, n_records)
    return pd.DataFrame(
        {
            "record": [f"r{number:04}" for number in range(n_records)],
            "patient_id": [f"p{number:04}" for number in patient],
            "fold": patient % n_folds,
            "label": logistic(log_odds, rng),
            "probability": 1 / (1 + np.exp(-log_odds)),
            "uncertainty": -np.abs(log_odds),
        }
    )


def inner_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return inner predictions: for every fold all records of the others."""
    folds = sorted(table["fold"].unique())
    return pd.concat(
        [table[table["fold"] != fold].assign(fold=fold) for fold in folds], ignore_index=True
    ).drop(columns="uncertainty")


def monte_carlo_error(coverage: float, n: int) -> float:
    """Return the standard error of a coverage seen in n simulations."""
    return math.sqrt(coverage * (1 - coverage) / n)
