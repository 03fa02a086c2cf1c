"""Count how often the report's 95 % intervals hold the truth: `python -m benchmarks.coverage`.

SYNTHETIC studies, drawn from one known model: a record's log-odds are a patient's part and its own,
its label is drawn with that probability, and the probability is what a perfectly calibrated model
predicts. The truth is what a study of a million records finds. An honest interval of 95 % holds it
in 95 of 100 studies, up to the Monte-Carlo error that stands beside it.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from benchmarks.machine import describe_machine, write_results
from lsemvae.evaluation.statistics.bootstrap import bootstrap
from lsemvae.evaluation.statistics.calibration import calibration_intercept, calibration_slope
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.diagnostic_accuracy import count_outcomes, diagnostic_accuracy
from lsemvae.evaluation.statistics.estimate import Estimate

Array = npt.NDArray[np.float64]
LEVEL = 0.95
N_LARGE = 1_000_000  # records that stand for the whole population
OF_PATIENTS = ("auroc", "average_precision", "mcc", "accuracy", "brier")
OF_COUNTS = ("sensitivity", "specificity", "ppv", "npv", "lr_positive", "lr_negative")
TRUE_CALIBRATION = {"calibration_intercept": 0.0, "calibration_slope": 1.0}


class Setting(NamedTuple):
    """A kind of study.

    Attributes:
        n_records: N.
        per_patient: records of each patient.
        mean: of the log-odds.
        share: of positive records that every study has by design; None leaves it to chance.
    """

    n_records: int
    per_patient: int
    mean: float
    share: float | None = None


class Study(NamedTuple):
    """Label, predicted probability and patient of every record, (N,)."""

    label: Array
    probability: Array
    patient: npt.NDArray[np.int64]


SETTINGS = (
    Setting(691, 1, 0.3),
    Setting(691, 1, -2.2),
    Setting(691, 1, -2.2, share=0.1716),  # what a mean of -2.2 gives in the population
    Setting(150, 1, 0.0),
    Setting(600, 3, 0.0),
)


def draw(setting: Setting, rng: np.random.Generator) -> Study:
    """Draw a study; half of the variance of the log-odds is between patients."""
    if setting.share is not None:
        return _with_share(draw(setting._replace(n_records=4 * setting.n_records, share=None), rng),
                           setting)  # fmt: skip
    patient = np.arange(setting.n_records) // setting.per_patient
    between, within = rng.normal(size=patient.max() + 1), rng.normal(size=len(patient))
    log_odds = setting.mean + 1.1 * (between[patient] + within)
    label = (rng.random(len(patient)) < expit(log_odds)).astype(float)
    return Study(label, np.asarray(expit(log_odds)), patient)


def _with_share(pool: Study, setting: Setting) -> Study:
    """Take the share of positives of the setting from more records, one of each patient."""
    n_positive = round(setting.n_records * (setting.share or 0.0))
    positive, negative = np.flatnonzero(pool.label == 1), np.flatnonzero(pool.label == 0)
    chosen = np.r_[positive[:n_positive], negative[: setting.n_records - n_positive]]
    return Study(*(values[chosen] for values in pool))


def estimates(study: Study, n_resamples: int) -> dict[str, Estimate]:
    """Return every figure of a study with its interval, as the report makes them."""
    called = study.probability >= 0.5
    found = {
        "auroc": auroc_interval(*study),
        "calibration_intercept": calibration_intercept(*study),
        "calibration_slope": calibration_slope(*study),
    }
    resampled = bootstrap(*study, n_resamples=n_resamples)
    found |= {f"{name} (bootstrap)": resampled[name] for name in OF_PATIENTS}
    accuracy = diagnostic_accuracy(count_outcomes(study.label, called))
    return found | {name: accuracy[name] for name in OF_COUNTS}


def truths(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """Return the same figures of a population."""
    large = setting._replace(n_records=N_LARGE, share=None)
    known = estimates(draw(large, rng), n_resamples=2)
    return {name: estimate.value for name, estimate in known.items()} | TRUE_CALIBRATION


def coverage(
    setting: Setting, n_studies: int, n_resamples: int, *, seed: int = 0,
    make: Callable[[Study, int], dict[str, Estimate]] = estimates,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """Return coverage, its Monte-Carlo standard error and the mean width, by figure."""
    rng = np.random.default_rng([seed, setting.n_records, setting.per_patient])
    truth = truths(setting, rng)
    studies = [make(draw(setting, rng), n_resamples) for _ in range(n_studies)]
    table = {}
    for name, value in truth.items():
        low, high = (np.array([getattr(study[name], end) for study in studies])
                     for end in ("low", "high"))  # fmt: skip
        held = float(((low <= value) & (value <= high)).mean())
        table[name] = {
            "truth": value,
            "coverage": held,
            "standard_error": float(np.sqrt(held * (1 - held) / n_studies)),
            "mean_width": float(np.nanmean(high - low)),
        }
    return table


def markdown(results: dict[Setting, dict[str, dict[str, float]]], n_studies: int) -> str:
    """Return coverage by figure (rows) and kind of study (columns)."""
    heads = [
        f"{s.n_records} records, {s.per_patient} a patient, mean log-odds {s.mean:g}"
        + ("" if s.share is None else f", {s.share:.1%} positive in every study")
        for s in results
    ]
    lines = [
        f"SYNTHETIC studies, {n_studies} of each kind; coverage +- its standard error.",
        "",
        f"| 95 % interval of | {' | '.join(heads)} |",
        f"|---|{'---|' * len(heads)}",
    ]
    for name in next(iter(results.values())):
        cells = [f"{t[name]['coverage']:.3f} +- {t[name]['standard_error']:.3f}"
                 for t in results.values()]  # fmt: skip
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, print a table and write it as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--studies", type=int, default=1000, help="of each kind")
    parser.add_argument("--resamples", type=int, default=500, help="of every bootstrap")
    parser.add_argument("--out", type=Path, default=Path("reports/coverage.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    machine = describe_machine()
    found = {s: coverage(s, options.studies, options.resamples) for s in SETTINGS}
    rows = [{**s._asdict(), "figure": name, **values}
            for s, table in found.items() for name, values in table.items()]  # fmt: skip
    results = {"machine": machine, "data": "SYNTHETIC", "studies": options.studies,
               "resamples": options.resamples, "rows": rows}  # fmt: skip
    made = markdown(found, options.studies)
    write_results(
        options.out, results, made, page=options.page,
        program="benchmarks.coverage",
    )  # fmt: skip


if __name__ == "__main__":
    main()
