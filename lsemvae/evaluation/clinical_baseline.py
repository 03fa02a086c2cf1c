"""Predict without a network, on the folds of the runs that it is compared with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from lsemvae.core.errors import InputError
from lsemvae.evaluation.predictions import COLUMNS

CLINICAL_COLUMNS = ("age_years", "sex", "heart_rate_bpm")
CLINICAL = "clinical_baseline"
MACHINE = "machine_"  # begins the names of what the recorder measured
MACHINE_BASELINE = "machine_baseline"
V1_R_SHARE = "v1_r_share"
_AXIS = "_axis_deg"


def clinical_baseline(
    predictions: pd.DataFrame, cohort: pd.DataFrame, columns: Sequence[str] = CLINICAL_COLUMNS
) -> pd.DataFrame:
    """Return out-of-fold predictions of a logistic regression (L2, C = 1) on columns of a table.

    Medians, scales, levels and weights are fitted inside the training folds. A missing number
    becomes the median, a missing or new level none of the known ones. An axis (`..._axis_deg`)
    enters as sine and cosine: -179 and 179 degrees are neighbours.

    Args:
        predictions: of a run, columns `COLUMNS`; gives records, labels and folds.
        cohort: column record and some of `columns`.
        columns: what to predict from; those that the cohort lacks or that are empty are left out.

    Raises:
        InputError: the cohort has none of the columns.
    """
    beside = cohort.set_index("record").reindex(predictions["record"])
    used = [name for name in columns if name in beside and beside[name].replace("", np.nan).count()]
    if not used:
        raise InputError(f"the cohort has none of the columns {', '.join(columns)}")
    inputs = _with_directions(beside[used].reset_index(drop=True).replace("", np.nan))
    label, fold = (predictions[name].to_numpy() for name in ("label", "fold"))
    probability = np.empty(len(predictions))
    for number in np.unique(fold):
        held_out = fold == number
        model = _model(inputs).fit(inputs[~held_out], label[~held_out])
        probability[held_out] = model.predict_proba(inputs[held_out])[:, 1]
    result = predictions[COLUMNS].assign(probability=probability)
    result.attrs["columns"] = used
    return result


def _with_directions(inputs: pd.DataFrame) -> pd.DataFrame:
    """Return the columns with sine and cosine in the place of each angle in degrees."""
    axes = [name for name in inputs if str(name).endswith(_AXIS)]
    radians = {name: np.deg2rad(inputs[name].astype(float)) for name in axes}
    parts = {f"{name} {part.__name__}": part(radians[name])
             for name in axes for part in (np.sin, np.cos)}  # fmt: skip
    return inputs.drop(columns=axes).assign(**parts)


def _model(inputs: pd.DataFrame) -> Pipeline:
    numbers = [name for name in inputs if pd.api.types.is_numeric_dtype(inputs[name])]
    levels = [name for name in inputs if name not in numbers]
    steps: list[tuple[str, Any, list[Any]]] = [
        ("numbers", make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True),
                                  StandardScaler()), numbers),
        ("levels", make_pipeline(SimpleImputer(strategy="constant", fill_value="missing"),
                                 OneHotEncoder(handle_unknown="ignore")), levels),
    ]  # fmt: skip
    return make_pipeline(ColumnTransformer(steps), LogisticRegression(max_iter=1000))
