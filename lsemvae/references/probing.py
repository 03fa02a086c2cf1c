"""Predict every record out of fold from the features of every row, with all labels and with few."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from data_modules.cohort.splits import Splits
from data_modules.progress import show_progress
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.joblib_backend import joblib_backend
from lsemvae.crossval.features import Features
from lsemvae.heads.linear_probe import STRENGTHS, fit_linear_probe, inner_parts
from lsemvae.references.kept_scores import ByFraction, Scores, kept_or_computed, scores_key
from lsemvae.references.label_draws import Mask, draw_patients
from lsemvae.references.rows import Row, fold_features

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
    rows: Sequence[Row], cohort: pd.DataFrame, settings: ProbeSettings, *, jobs: int = 1,
    kept: Path | None = None,
) -> dict[tuple[str, float], Scores]:  # fmt: skip
    """Return out-of-fold logits of the linear probe.

    Args:
        rows: features; rows of one kind are its seeds.
        cohort: from `labelled_folds`.
        settings: see `ProbeSettings`.
        jobs: rows probed at the same time.
        kept: folder of scores; a row that has some there is not probed again.

    Returns:
        (S, D, N) by kind and fraction: seeds of the kind, draws, records of the cohort.
    """
    planned = trainings(cohort, settings)
    with joblib_backend(jobs, None):
        scored = Parallel(return_as="generator")(
            delayed(_kept_scores)(row, cohort, planned, settings, kept) for row in rows
        )
        counted = ((1, one) for one in scored)
        each: list[ByFraction] = list(
            show_progress(counted, total=len(rows), text="linear probe, rows of features")
        )
    return by_kind(rows, each)


def row_key(row: Row, cohort: pd.DataFrame, described: object) -> str:
    """Name the scores of a row on a cohort and its folds."""
    columns = [cohort[name].to_numpy() for name in ("label", "fold", "row")]
    patient = cohort["patient_id"].to_numpy(str)
    return scores_key((described, row.n_components), [row.features, patient, *columns])


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


def _kept_scores(
    row: Row, cohort: pd.DataFrame, planned: Sequence[Training], settings: ProbeSettings,
    kept: Path | None,
) -> ByFraction:  # fmt: skip
    """Return the logits (D, N) of one row by fraction, each share of the labels kept by itself."""
    place = cohort["row"].to_numpy()

    @cache
    def features_without(fold: int) -> Features:
        train = np.flatnonzero(cohort["fold"].to_numpy() != fold)
        return checked(fold_features(row, place[train])[place], row.kind)

    found: ByFraction = {}
    for fraction in settings.fractions:
        n_draws = 1 if fraction == 1 else settings.n_draws
        described = ("linear", fraction, n_draws, settings.strengths, settings.seed)
        mine = [one for one in planned if one.fraction == fraction]
        compute = partial(_row_scores, features_without, cohort, mine, settings.strengths)
        found |= kept_or_computed(kept, row_key(row, cohort, described), compute)
    return found


def _row_scores(
    features_without: Callable[[int], Features],
    cohort: pd.DataFrame,
    planned: Sequence[Training],
    strengths: Sequence[float],
) -> ByFraction:
    """Return the logits (D, N) of one row and one fraction."""
    label = cohort["label"].to_numpy()
    scores = np.full((1 + max(one.draw for one in planned), len(label)), np.nan)
    for one in planned:
        features = features_without(one.fold)
        probe = fit_linear_probe(features[one.rows], label[one.rows], one.part, strengths)
        scores[one.draw, one.held_out] = probe.logits(features[one.held_out])
    return {planned[0].fraction: scores}


def checked(features: Features, kind: str) -> Features:
    """Return features that are all finite.

    Raises:
        InputError: a labelled recording has none.
    """
    missing = np.flatnonzero(~np.isfinite(features).all(1))
    if len(missing):
        raise InputError(
            f"{kind}: {counted(len(missing), 'labelled record has', 'labelled records have')} no "
            f"finite features, the first at position {missing[0]}; they have none of the leads, or "
            "the encoder has diverged"
        )
    return features
