"""Compare one method with others in pairs on the same records."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.bootstrap import N_RESAMPLES, paired_bootstrap
from lsemvae.evaluation.statistics.delong import paired_delong
from lsemvae.evaluation.statistics.estimate import Comparison, Estimate, undefined
from lsemvae.evaluation.statistics.metrics import binary_metrics
from lsemvae.evaluation.statistics.nadeau_bengio import corrected_resampled_t

DECIDES = ("record", "patient_id", "fold", "label")


def holm(p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return p-values adjusted for their number (Holm 1979, www.jstor.org/stable/4615733).

    scipy adjusts for false discovery only, not for the chance of a single error.

    Args:
        p: (M,), 0..1; NaN stays NaN and is not counted.

    Raises:
        InputError: a p outside 0..1.
    """
    raw = np.asarray(p, dtype=np.float64)
    if ((raw < 0) | (raw > 1)).any():
        raise InputError(f"p-values must lie in 0..1, got {raw}")
    order = np.argsort(raw, kind="stable")[: int((~np.isnan(raw)).sum())]
    stepped = raw[order] * np.arange(len(order), 0, -1)
    adjusted = np.full(raw.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted


def aligned(runs: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the runs with their records in one order.

    Args:
        runs: predictions by method, columns record, patient_id, fold, label, probability.

    Raises:
        InputError: fewer than two runs, or runs that differ in records, patients, folds or
            labels, all of them named.
    """
    if len(runs) < 2:
        raise InputError(f"a comparison needs at least two runs, got {list(runs)}")
    ordered = {
        name: table.sort_values("record").reset_index(drop=True) for name, table in runs.items()
    }
    first_name, first = next(iter(ordered.items()))
    faults = [
        f"{name} differs from {first_name} in {column}"
        for name, table in ordered.items()
        for column in DECIDES
        if not np.array_equal(table[column].to_numpy(), first[column].to_numpy())
    ]
    if faults:
        raise InputError(
            f"{'; '.join(faults)}; compare runs on the same records, labels and splits file"
        )
    return ordered


def fold_metrics(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return AUROC, accuracy and MCC by fold, one row per fold.

    Raises:
        InputError: a fold in which they have no value, named.
    """
    rows = {}
    for fold, part in predictions.groupby("fold", sort=True):
        try:
            rows[fold] = binary_metrics(part["label"], part["probability"])
        except InputError as error:
            raise InputError(f"fold {fold}: {error}") from error
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="fold"))


def compare(
    runs: Mapping[str, pd.DataFrame],
    *,
    reference: str,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the paired comparisons of a reference method with every other.

    Differences are the reference minus the other, so a positive one favours the reference,
    except for the Brier score. Holm's correction is over the rows of the table.

    Args:
        runs: predictions by method, see `aligned`.
        reference: one of the methods.
        n_resamples: of the paired bootstrap by patient; 0 leaves it out.
        seed: of the bootstrap.

    Returns:
        A row per other method: `method`; `delong` and `nadeau_bengio` (`Comparison` of the mean
        over folds of the AUROC, for these models and for models trained anew) with
        `delong_p_holm` and `nadeau_bengio_p_holm`; `bootstrap` (`Estimate` by metric).

    Raises:
        InputError: see `aligned`; the reference is none of the runs.
    """
    if reference not in runs:
        raise InputError(f"reference {reference} is none of {', '.join(runs)}; name one of them")
    tables = aligned(runs)
    mine = tables[reference]
    others = [name for name in tables if name != reference]
    scores = {name: table["probability"] for name, table in tables.items()}
    resampled: dict[str, dict[str, Estimate]] = {name: {} for name in others}
    if n_resamples:
        resampled = paired_bootstrap(
            mine["label"], scores, mine["patient_id"],
            reference=reference, n_resamples=n_resamples, seed=seed,
        )  # fmt: skip
    delong = [_within_folds(mine, tables[name]) for name in others]
    folds = [_over_folds(mine, tables[name]) for name in others]
    return pd.DataFrame(
        {
            "method": others,
            "delong": delong,
            "delong_p_holm": holm([comparison.p for comparison in delong]),
            "nadeau_bengio": folds,
            "nadeau_bengio_p_holm": holm([comparison.p for comparison in folds]),
            "bootstrap": [resampled[name] for name in others],
        }
    )


def _within_folds(first: pd.DataFrame, second: pd.DataFrame) -> Comparison:
    """Compare by DeLong within folds; NaN, with the reason, where a fold is too small for it."""
    try:
        return paired_delong(
            first["label"], first["probability"], second["probability"],
            patient_id=first["patient_id"], fold=first["fold"],
        )  # fmt: skip
    except InputError as error:
        return Comparison(undefined(str(error)), math.nan)


def _over_folds(first: pd.DataFrame, second: pd.DataFrame) -> Comparison:
    differences = (fold_metrics(first) - fold_metrics(second))["auroc"]
    return corrected_resampled_t(differences, test_to_train=1 / (len(differences) - 1))
