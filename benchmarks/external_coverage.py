"""Count how often intervals of calibration hold a truth: `python -m benchmarks.external_coverage`.

SYNTHETIC validations of a model at another place. A recording's predicted log-odds x are normal,
its label is positive with the probability expit(a + b x): b is the true slope, and the true
intercept (slope held at 1) is the shift that makes the expected number of positives right, found by
quadrature. Labels of one patient's recordings hang together by a Gaussian copula, which leaves that
probability as it is. Every kind of shift gets as many studies as asked for.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, ndtr

from benchmarks.machine import describe_machine, write_results
from lsemvae.core.errors import InputError
from lsemvae.evaluation.statistics.calibration import calibration_intercept, calibration_slope
from lsemvae.evaluation.statistics.estimate import Estimate
from lsemvae.evaluation.statistics.observed_expected import observed_expected

Array = npt.NDArray[np.float64]
SD = 1.3  # of the predicted log-odds: AUROC near .80 where they are right
CORRELATION = 0.6  # of the copula, between recordings of a patient; that of x is .5
MEASURES = ("intercept", "slope", "observed_expected")
GOAL = (0.93, 0.97)


class Shift(NamedTuple):
    """What is planted.

    Attributes:
        n_patients: of a study.
        per_patient: recordings of each.
        mean: of the predicted log-odds.
        intercept: a.
        slope: b.
        compression: the model's log-odds are this times x, as of smaller amplitudes; the true slope
            is then b / compression.
    """

    n_patients: int = 300
    per_patient: int = 1
    mean: float = -0.5
    intercept: float = 0.0
    slope: float = 1.0
    compression: float = 1.0


KINDS = {
    "none": Shift(),
    "prevalence low (mean log-odds -2)": Shift(mean=-2.0),
    "prevalence high (mean log-odds 1.5)": Shift(mean=1.5),
    "intercept -1": Shift(intercept=-1.0),
    "slope 0.5": Shift(slope=0.5),
    "slope 1.6": Shift(slope=1.6),
    "compression to 0.6": Shift(compression=0.6),
    "3 recordings a patient": Shift(per_patient=3),
    "3 a patient, intercept 0.8, slope 0.6": Shift(per_patient=3, intercept=0.8, slope=0.6),
    "100 patients": Shift(n_patients=100),
    "100 patients, 3 a patient": Shift(n_patients=100, per_patient=3),
}


class Study(NamedTuple):
    """Labels, probabilities of the model and patients (N,)."""

    label: Array
    probability: Array
    patient: npt.NDArray[np.int64]


def draw(shift: Shift, random: np.random.Generator) -> Study:
    """Draw a study."""
    patient = np.arange(shift.n_patients * shift.per_patient) // shift.per_patient

    def shared(share: float) -> Array:
        """Return normal numbers (N,) of which this share of the variance is the patient's."""
        parts = random.normal(size=shift.n_patients)[patient], random.normal(size=len(patient))
        return np.asarray(np.sqrt(share) * parts[0] + np.sqrt(1 - share) * parts[1])

    x = shift.mean + SD * shared(0.5)
    chance = ndtr(shared(CORRELATION))
    label = chance < expit(shift.intercept + shift.slope * x)
    return Study(label.astype(float), np.asarray(expit(shift.compression * x)), patient)


def truth(shift: Shift) -> dict[str, float]:
    """Return what an endless study would find."""
    node = np.linspace(-8, 8, 4001)
    weight = np.exp(-(node**2) / 2)
    weight /= weight.sum()
    x = shift.mean + SD * node
    positive = weight @ expit(shift.intercept + shift.slope * x)
    said = shift.compression * x
    return {
        "intercept": float(brentq(lambda d: weight @ expit(d + said) - positive, -20, 20)),
        "slope": shift.slope / shift.compression,
        "observed_expected": float(positive / (weight @ expit(said))),
    }


def estimates(study: Study) -> dict[str, Estimate]:
    """Return the figures of the report with their intervals."""
    makers = (calibration_intercept, calibration_slope, observed_expected)
    return {name: make(*study) for name, make in zip(MEASURES, makers, strict=True)}


def coverage(shift: Shift, n_studies: int, seed: int) -> dict[str, dict[str, float]]:
    """Return the share of studies whose interval holds the truth, by measure.

    Studies in which a class is missing, or a measure has no interval, count as not held.
    """
    random = np.random.default_rng(seed)
    known = truth(shift)
    held: dict[str, list[bool]] = {name: [] for name in MEASURES}
    width: dict[str, list[float]] = {name: [] for name in MEASURES}
    for _ in range(n_studies):
        try:
            found = estimates(draw(shift, random))
        except InputError:
            found = {}
        for name in MEASURES:
            one = found.get(name)
            held[name].append(one is not None and one.low <= known[name] <= one.high)
            width[name].append(np.nan if one is None else one.high - one.low)
    return {
        name: {"truth": known[name], "coverage": float(np.mean(held[name])),
               "mean_width": float(np.nanmean(width[name]))}
        for name in MEASURES
    }  # fmt: skip


def markdown(found: dict[str, dict[str, dict[str, float]]], n_studies: int, wall: float) -> str:
    """Return truth and coverage by kind of shift."""
    heads = " | ".join(f"{name}: truth | held" for name in ("intercept", "slope", "O/E"))
    lines = [
        f"| shift | {heads} |",
        "|---|" + "---|" * 6,
    ]
    for kind, measures in found.items():
        cells = [f"{round(measures[name]['truth'], 2) + 0.0:.2f} | {measures[name]['coverage']:.3f}"
                 for name in MEASURES]  # fmt: skip
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    shares = [measures[name]["coverage"] for measures in found.values() for name in MEASURES]
    error = np.sqrt(0.95 * 0.05 / n_studies)
    inside = sum(GOAL[0] <= share <= GOAL[1] for share in shares)
    lines += [
        "",
        f"SYNTHETIC studies, {n_studies} of each kind, 300 patients where nothing else is said; "
        f"Monte-Carlo standard error {error:.3f}. {inside} of {len(shares)} shares lie from "
        f"{GOAL[0]} to {GOAL[1]}, the smallest is {min(shares):.3f}, the largest "
        f"{max(shares):.3f}. {wall:.0f} s on one core.",
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, print a table and write it as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--studies", type=int, default=1000, help="of each kind")
    parser.add_argument("--out", type=Path, default=Path("reports/external_coverage.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    machine, start = describe_machine(), time.process_time()
    found = {kind: coverage(shift, options.studies, seed)
             for seed, (kind, shift) in enumerate(KINDS.items())}  # fmt: skip
    made = markdown(found, options.studies, time.process_time() - start)
    results = {"machine": machine, "data": "SYNTHETIC", "studies": options.studies,
               "shifts": {kind: shift._asdict() for kind, shift in KINDS.items()},
               "found": found}  # fmt: skip
    write_results(options.out, results, made, page=options.page,
                  program="benchmarks.external_coverage")  # fmt: skip


if __name__ == "__main__":
    main()
