"""Hold what a report of external validation is made from, and measure it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.evaluation.runs import data_label
from lsemvae.evaluation.statistics.bootstrap import bootstrap
from lsemvae.evaluation.statistics.calibration import calibration_intercept, calibration_slope
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.estimate import Estimate
from lsemvae.evaluation.statistics.metrics import average_precision, brier
from lsemvae.evaluation.statistics.observed_expected import observed_expected
from lsemvae.model_file.description import Description

Array = npt.NDArray[np.float64]
RESULT = "result"
OUTCOMES = (RESULT, "withheld", "error")
FEW_EVENTS = 10  # fewer patients of a class: intervals are wide and rest on approximations
ENOUGH_EVENTS = 100  # of each class: Collins et al. 2016, doi:10.1002/sim.6787


@dataclass(frozen=True)
class ExternalEvidence:
    """A model, and what it said of the recordings of another cohort.

    Attributes:
        title: of the report.
        model: what the model says about itself.
        digest: SHA-256 of its file.
        table: one row for each recording: record, patient_id, label (NaN where it is missing),
            outcome, code, probability, and the cohort's own columns.
        cohort: name of the cohort.
        cohort_sha256: digest of its store.
        synthetic: whether its recordings are synthetic.
        label: how the positive class was defined here.
        site: column of the sites, None where there is none.
        subgroups: columns to split by.
        n_resamples: of every bootstrap.
        n_draws: of every size of the recalibration's learning curve.
        near: recordings with a result that are nearly ones that the model was trained on.
        knows_patients: whether the model's file has hashes of those it was trained on.
    """

    title: str
    model: Description
    digest: str
    table: pd.DataFrame
    cohort: str
    cohort_sha256: str
    synthetic: bool
    label: str
    site: str | None
    subgroups: Sequence[str]
    n_resamples: int
    n_draws: int
    near: Sequence[str]
    knows_patients: bool

    @property
    def name(self) -> str:
        """Name of the data, with a warning where any of it is synthetic."""
        return data_label(self.cohort, self.synthetic or self.model.synthetic)

    @cached_property
    def evaluated(self) -> pd.DataFrame:
        """The recordings that have a result and a label."""
        table = self.table
        kept = table[(table["outcome"] == RESULT) & table["label"].notna()]
        return kept.reset_index(drop=True)

    @property
    def several(self) -> bool:
        """Whether a patient has more than one recording."""
        return bool(self.evaluated["patient_id"].duplicated().any())

    @cached_property
    def events(self) -> tuple[int, int]:
        """Patients with a positive, and with a negative, recording."""
        table = self.evaluated
        sides = (table.loc[table["label"] == side, "patient_id"].nunique() for side in (1, 0))
        positive, negative = sides
        return positive, negative

    @cached_property
    def measures(self) -> dict[str, Estimate]:
        """Discrimination and calibration, each with an interval by patient."""
        label, probability, patient = self.columns
        drawn = bootstrap(
            label, probability, patient, n_resamples=self.n_resamples,
            metrics={"average_precision": average_precision, "brier": brier},
        )  # fmt: skip
        return {
            "auroc": auroc_interval(label, probability, patient),
            "average_precision": drawn["average_precision"],
            "observed_expected": observed_expected(label, probability, patient),
            "calibration_intercept": calibration_intercept(label, probability, patient),
            "calibration_slope": calibration_slope(label, probability, patient),
            "brier": drawn["brier"],
        }

    @property
    def counts(self) -> str:
        """How many recordings the curves are of."""
        label = self.columns[0]
        return f"{counted(len(label), 'recording')}, {int(label.sum())} of them positive"

    @property
    def columns(self) -> tuple[Array, Array, npt.NDArray[Any]]:
        """Label, probability and patient (N,) of the evaluated recordings."""
        table = self.evaluated
        return (
            table["label"].to_numpy(dtype=np.float64),
            table["probability"].to_numpy(dtype=np.float64),
            table["patient_id"].to_numpy(),
        )
