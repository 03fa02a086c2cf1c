"""List what a planned study needs for each thing that it wants to state."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics import sample_size as size
from lsemvae.evaluation.statistics.estimate import Z


@dataclass(frozen=True)
class StudyPlan:
    """What a study expects and how precisely it wants to know it.

    Args:
        prevalence: share of positives, 0..1.
        auroc: to expect of the model.
        sensitivity: where it is to be used; its specificity there follows from the AUROC.
        auroc_half_width: wanted half width of the AUROC's 95 % interval.
        share_half_width: the same of sensitivity and specificity.
        slope_half_width: the same of the calibration slope; .1 in Riley et al. 2021
            (doi:10.1002/sim.9025), which few catheter cohorts reach.
        n_parameters: numbers of candidate parameters of a regression that is developed.
        ratio_half_width: wanted half width of the interval of observed / expected positives.
    """

    prevalence: float
    auroc: float
    sensitivity: float = 0.9
    auroc_half_width: float = 0.05
    share_half_width: float = 0.1
    slope_half_width: float = 0.2
    n_parameters: Sequence[int] = (3, 10, 30)
    ratio_half_width: float = 0.1

    def __post_init__(self) -> None:
        size.check_anticipated(self.auroc, self.prevalence)
        wrong = [
            f"{name} must be above 0 and below 1, got {value:g}"
            for name, value in (
                ("sensitivity", self.sensitivity),
                ("auroc_half_width", self.auroc_half_width),
                ("share_half_width", self.share_half_width),
                ("slope_half_width", self.slope_half_width),
                ("ratio_half_width", self.ratio_half_width),
            )
            if not 0 < value < 1
        ]
        wrong += [f"n_parameters must be at least 1, got {n}" for n in self.n_parameters if n < 1]
        if wrong:
            raise InputError("; ".join(wrong))


class Precision(NamedTuple):
    """How one measure becomes more precise with more patients.

    Attributes:
        name: of the measure, with the value that is expected.
        target: wanted half width of its 95 % interval.
        half_width: of a number of patients.
        n_patients: that reach the target.
        source: of the formula.
    """

    name: str
    target: float
    half_width: Callable[[float], float]
    n_patients: int
    source: str


def precisions(plan: StudyPlan) -> list[Precision]:
    """Return the measures of a model that is applied as it is."""
    predictor = size.anticipated_linear_predictor(plan.auroc, plan.prevalence)
    specificity = size.specificity_at(predictor, plan.sensitivity)

    def share(name: str, value: float, part: float) -> Precision:
        return Precision(
            f"{name} {value:.2f}", plan.share_half_width,
            lambda n: Z * size.share_error(value, part, n),
            size.patients_for_error(size.share_error(value, part, 1), plan.share_half_width),
            "Buderer 1996",
        )  # fmt: skip

    return [
        Precision(
            f"AUROC {plan.auroc:.2f}", plan.auroc_half_width,
            lambda n: Z * size.auroc_error(plan.auroc, plan.prevalence, n),
            size.patients_for_auroc(plan.auroc, plan.prevalence, plan.auroc_half_width),
            "Hanley & McNeil 1982",
        ),
        share("sensitivity", plan.sensitivity, plan.prevalence),
        share("specificity", specificity, 1 - plan.prevalence),
        Precision(
            "observed / expected 1", plan.ratio_half_width,
            lambda n: size.ratio_half_width(plan.prevalence, n),
            size.patients_for_ratio(plan.prevalence, plan.ratio_half_width),
            "Riley et al. 2021",
        ),
        Precision(
            "calibration slope 1", plan.slope_half_width,
            lambda n: Z * size.slope_error(predictor, n),
            size.patients_for_error(size.slope_error(predictor, 1), plan.slope_half_width),
            "Riley et al. 2021",
        ),
    ]  # fmt: skip


def plan_table(plan: StudyPlan, n_patients: int | None) -> pd.DataFrame:
    """Return what each aim needs, and what a study of `n_patients` would reach.

    Returns:
        Columns aim, wanted, patients, positives, with n_patients also the half width or yes / no
        of that study, source.
    """
    rows: list[dict[str, Any]] = [
        {"aim": one.name, "wanted": f"± {one.target:g}", "patients": one.n_patients,
         "reached": f"± {one.half_width(n_patients):.3f}" if n_patients else "",
         "source": one.source}
        for one in precisions(plan)
    ]  # fmt: skip
    rows += [
        {"aim": aim, "wanted": wanted, "patients": needed,
         "reached": _enough(needed, n_patients), "source": source}
        for aim, wanted, needed, source in _development(plan)
    ]  # fmt: skip
    table = pd.DataFrame(
        row | {"patients": _or_none(row["patients"]), "positives": _or_none(positives)}
        for row in rows
        for positives in [row["patients"] and math.ceil(row["patients"] * plan.prevalence)]
    )
    table = table[["aim", "wanted", "patients", "positives", "reached", "source"]]
    if not n_patients:
        return table.drop(columns="reached")
    return table.rename(columns={"reached": f"with {counted(n_patients, 'patient')}"})


def _or_none(count: int | None) -> int | str:
    return "no formula" if count is None else count


def _enough(needed: int | None, n_patients: int | None) -> str:
    if needed is None or not n_patients:
        return ""
    return "enough" if n_patients >= needed else "too few"


def _development(plan: StudyPlan) -> list[tuple[str, str, int | None, str]]:
    """Return Riley's criteria for developing a regression."""
    r2 = size.cox_snell_r2(size.anticipated_linear_predictor(plan.auroc, plan.prevalence))
    rows: list[tuple[str, str, int | None, str]] = [
        ("develop: mean risk", "± 0.05", size.patients_for_overall_risk(plan.prevalence),
         "Riley et al. 2020, step 1")
    ]  # fmt: skip
    for number in plan.n_parameters:
        name = f"develop, {counted(number, 'parameter')}: "
        rows += [
            (name + "mean error of risks", "0.05",
             size.patients_for_mean_error(plan.prevalence, number), "van Smeden et al. 2019"),
            (name + "shrinkage", "0.9", size.patients_for_shrinkage(r2, number),
             "Riley et al. 2020, step 3"),
            (name + "optimism of R2", "0.05",
             size.patients_for_optimism(r2, plan.prevalence, number), "Riley et al. 2020, step 4"),
        ]  # fmt: skip
    return rows
