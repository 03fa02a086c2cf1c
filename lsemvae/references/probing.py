"""Predict every record out of fold from the features of every row, with all labels and with few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from data_modules.cohort.splits import Splits
from lsemvae.core.errors import InputError
from lsemvae.core.joblib_backend import joblib_backend
from lsemvae.crossval.features import Features
from lsemvae.heads.linear_probe import STRENGTHS, fit_linear_probe, inner_parts
from lsemvae.references.label_draws import Mask, draw_patients
from lsemvae.references.rows import Row, fold_features

Scores = npt.NDArray[np.float64]
SEED_STEP = 1000  # keeps the seeds of folds and draws apart


@dataclass(frozen=True)
class ProbeSettings:
    """How features are probed.

    Attributes:
        fractions: shares of the training patients whose labels are used, 1 first.
        n_draws: draws of patients at every share below 1.
        strengths: values of C that inner parts choose from.
        seed: of draws and inner parts.
    """

    fractions: tuple[float, ...] = (1.0, 0.25, 0.1, 0.05)
    n_draws: int = 10
    strengths: tuple[float, ...] = STRENGTHS
    seed: int = 0


class Training(NamedTuple):
    """Labelled records that a probe is fitted on, and the ones that it predicts.

    Attributes:
        fraction: of the patients.
        draw: number of the draw.
        fold: that is held out.
        rows: (n,) positions in the cohort.
        part: (n,) inner parts.
        held_out: (m,) positions in the cohort.
    """

    fraction: float
    draw: int
    fold: int
    rows: npt.NDArray[np.int64]
    part: npt.NDArray[np.int64]
    held_out: npt.NDArray[np.int64]


def labelled_folds(labelled: pd.DataFrame, splits: Splits) -> pd.DataFrame:
    """Return a cohort's labelled records with their frozen folds.

    Args:
        labelled: of `RhcCohort.labelled`: record, patient_id, label, row.
        splits: frozen folds of the same records.
    """
    return labelled.assign(fold=labelled["record"].map(splits.fold).astype(int))


def trainings(cohort: pd.DataFrame, settings: ProbeSettings) -> list[Training]:
    """Return every training: all folds with all labels, and each draw of fewer patients.

    They are drawn once, so that every row of the table sees the same patients.

    Args:
        cohort: from `labelled_folds`.
        settings: shares and draws.
    """
    label, patient, fold = (cohort[name].to_numpy() for name in ("label", "patient_id", "fold"))
    found = []
    for held_out in np.unique(fold):
        train = np.flatnonzero(fold != held_out)
        for fraction in settings.fractions:
            for draw in range(1 if fraction == 1 else settings.n_draws):
                seed = settings.seed + SEED_STEP * draw + int(held_out)
                chosen: Mask = draw_patients(label[train], patient[train], fraction, seed=seed)
                rows = train[chosen]
                try:
                    part = inner_parts(label[rows], patient[rows], seed)
                except InputError as error:
                    raise InputError(f"fold {held_out}: {error}") from error
                found.append(Training(fraction, draw, int(held_out), rows, part,
                                      np.flatnonzero(fold == held_out)))  # fmt: skip
    return found


def linear_scores(
    rows: Sequence[Row], cohort: pd.DataFrame, settings: ProbeSettings, *, jobs: int = 1
) -> dict[tuple[str, float], Scores]:
    """Return out-of-fold logits of the linear probe.

    Args:
        rows: features; rows of one kind are its seeds.
        cohort: from `labelled_folds`.
        settings: see `ProbeSettings`.
        jobs: rows probed at the same time.

    Returns:
        (S, D, N) by kind and fraction: seeds of the kind, draws, records of the cohort.
    """
    planned = trainings(cohort, settings)
    run = delayed(_row_scores)
    label, place = cohort["label"].to_numpy(), cohort["row"].to_numpy()
    with joblib_backend(jobs, None):
        each: list[dict[float, Scores]] = Parallel()(
            run(row, label, place, planned, settings.strengths) for row in rows
        )
    return by_kind(rows, each)


def by_kind(
    rows: Sequence[Row], each: Sequence[Mapping[float, Scores]]
) -> dict[tuple[str, float], Scores]:
    """Put the seeds of every kind together, (S, D, N) by kind and fraction."""
    kinds = dict.fromkeys(row.kind for row in rows)
    return {
        (kind, fraction): np.stack([found[fraction] for row, found in zip(rows, each, strict=True)
                                    if row.kind == kind])
        for kind in kinds
        for fraction in each[0]
    }  # fmt: skip


def _row_scores(
    row: Row,
    label: npt.NDArray[np.float64],
    place: npt.NDArray[np.int64],
    planned: Sequence[Training],
    strengths: Sequence[float],
) -> dict[float, Scores]:
    """Return the logits (D, N) of one row by fraction."""
    n_draws: dict[float, int] = {}
    for one in planned:
        n_draws[one.fraction] = max(n_draws.get(one.fraction, 0), one.draw + 1)
    scores = {fraction: np.full((n, len(label)), np.nan) for fraction, n in n_draws.items()}
    known: dict[int, Features] = {}
    for one in planned:
        if one.fold not in known:
            train = np.setdiff1d(np.arange(len(label)), one.held_out)
            known = {one.fold: checked(fold_features(row, place[train])[place], row.kind)}
        features = known[one.fold]
        probe = fit_linear_probe(features[one.rows], label[one.rows], one.part, strengths)
        scores[one.fraction][one.draw, one.held_out] = probe.logits(features[one.held_out])
    return scores


def checked(features: Features, kind: str) -> Features:
    """Return features that are all finite.

    Raises:
        InputError: a labelled recording has none.
    """
    missing = np.flatnonzero(~np.isfinite(features).all(1))
    if len(missing):
        raise InputError(
            f"{kind}: {len(missing)} labelled records have no finite features, the first at "
            f"position {missing[0]}; they have none of the leads, or the encoder has diverged"
        )
    return features
