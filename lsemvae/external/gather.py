"""Predict a labelled store with a locked model, and put label, prediction and table together."""

from pathlib import Path

import numpy as np
import pandas as pd

from data_modules.cohort.group_words import check_group_columns
from data_modules.store.read import EcgStore
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.external.evidence import RESULT, ExternalEvidence
from lsemvae.predicting.labels import labels_of
from lsemvae.predicting.predictor import Predictor
from lsemvae.predicting.run import Options, predict_to

SITE_COLUMNS = ("site", "hospital", "centre", "center")
SUBGROUPS = ("sex", "age_years")


def check_classes(label: pd.Series, patient: pd.Series, name: str) -> None:
    """Refuse a cohort in which a class has fewer than two patients.

    Raises:
        InputError: there is nothing to tell apart.
    """
    counts = [patient[label == side].nunique() for side in (1, 0)]
    if min(counts) < 2:
        raise InputError(
            f"{name}: {counted(counts[0], 'patient')} with a positive and {counts[1]} with a "
            "negative label; validation needs two of each at least, and says little below 100"
        )


def gather_external(
    predictor: Predictor, cohort: str, out: Path, *, label: str | None, site: str | None,
    point: str | None, subgroups: list[str] | None, n_resamples: int, n_draws: int,
    title: str | None,
) -> ExternalEvidence:  # fmt: skip
    """Predict a cohort into `out/predictions.csv` and return what the report is made from.

    Raises:
        InputError: no label, a class without patients, columns that are not there, or a store that
            does not fit the model.
    """
    store = EcgStore(cohort)
    labels, defined = labels_of(store, predictor.description, label)
    check_classes(labels, store.table["patient_id"], cohort)
    named = [name for name in (site, *(subgroups or [])) if name is not None]
    check_group_columns(store.table, named, cohort)
    out.mkdir(parents=True, exist_ok=True)
    predicted = predict_to(out / "predictions.csv", predictor, [cohort], Options(point=point))
    table = joined(store.table, labels, out / "predictions.csv")
    kept = table[(table["outcome"] == RESULT) & table["label"].notna()]
    check_classes(kept["label"], kept["patient_id"], f"{cohort}, recordings with a result")
    sites = [name for name in SITE_COLUMNS if name in store.table]
    return ExternalEvidence(
        title=title or f"External validation: {predictor.description.task.name} on {store.label}",
        model=predictor.description,
        digest=predictor.digest,
        table=table,
        cohort=store.label,
        cohort_sha256=store.sha256,
        synthetic=store.synthetic,
        label=defined,
        site=site or (sites[0] if sites else None),
        subgroups=list(dict.fromkeys([*SUBGROUPS, *(subgroups or [])])),
        n_resamples=n_resamples,
        n_draws=n_draws,
        near=predicted.near,
        knows_patients=len(predictor.trained_on.patient) > 0,
    )


def joined(table: pd.DataFrame, label: pd.Series, predictions: Path) -> pd.DataFrame:
    """Return the store's table with label and prediction of every recording.

    Raises:
        InputError: the predictions are of other recordings.
    """
    found = pd.read_csv(predictions, dtype={"recording": str, "code": str}, keep_default_na=False,
                        na_values={"probability": [""]}, usecols=["recording", "outcome", "code",
                                                                  "probability"])  # fmt: skip
    if not np.array_equal(found["recording"].to_numpy(), table["record"].to_numpy()):
        raise InputError(f"{predictions} is of other recordings; remove it and start again")
    columns = {name: found[name].to_numpy() for name in ("outcome", "code", "probability")}
    kept = [name for name in table if name not in {"label", *columns}]
    return table[kept].reset_index(drop=True).assign(label=label.to_numpy(), **columns)
