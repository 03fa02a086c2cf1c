"""Make tables of runs that estimate a number: errors, agreement, interval and threshold."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lsemvae.core.tasks import Thresholds
from lsemvae.evaluation.runs import CvRun
from lsemvae.evaluation.statistics.number_summary import beside_classifier, summarise_number

ABSENT = "-"
N_RESAMPLES = 1000


def number_rows(runs: Sequence[CvRun], classifiers: Sequence[CvRun] = ()) -> list[dict[str, Any]]:
    """Return the statistics of runs that estimate numbers.

    Args:
        runs: that estimate numbers.
        classifiers: runs with a yes or no; the one of the same question, method and leads stands
            beside the estimate.

    Returns:
        A row for each run: task, method, leads, unit, data, `summary` (of `summarise_number`) and
        `beside` (of `beside_classifier`), None where there is no such classifier.
    """
    return [
        {
            "task": run.metrics["task"],
            "method": run.metrics["method"],
            "title": run.method_title,
            "leads": run.leads,
            "unit": run.target.number.unit,
            "data": run.data_label,
            "summary": number_summary(run, N_RESAMPLES),
            "beside": classifier_beside(run, classifiers),
        }
        for run in runs
    ]


def number_summary(run: CvRun, n_resamples: int) -> dict[str, Any]:
    """Return every statistic of a run that estimates a number."""
    return summarise_number(
        run.predictions, run.inner,
        above=run.target.raised_above(Thresholds.of_settings(run.metrics)),
        training_mean_mae=run.metrics["training_mean_mae"], n_resamples=n_resamples,
    )  # fmt: skip


def classifier_beside(run: CvRun, classifiers: Sequence[CvRun]) -> dict[str, Any] | None:
    """Compare a run with the classifier of its question, method and leads, if it is there."""
    target = run.target
    above = target.raised_above(Thresholds.of_settings(run.metrics))
    wanted = target.number.classifier, run.metrics["method"], run.leads
    for other in classifiers:
        found = other.metrics["task"], other.metrics["method"], other.leads
        if found == wanted and target.raised_above(Thresholds.of_settings(other.metrics)) == above:
            return {
                "task": wanted[0], **beside_classifier(run.predictions, other.predictions)
            }  # fmt: skip
    return None


def long_number_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per run and metric: value, interval by patient, mean and SD over the folds."""
    lines = []
    for row in rows:
        summary = row["summary"]
        folds = pd.DataFrame(summary["folds"])
        for metric, found in summary["pooled"].items():
            lines.append({
                **{name: row[name] for name in ("data", "task", "method", "leads", "unit")},
                "metric": metric, "pooled": found["value"], "low": found["low"],
                "high": found["high"], "mean": folds[metric].mean(), "sd": folds[metric].std(),
                "training_mean_mae": summary["records"]["training_mean_mae"],
                "n_records": summary["records"]["n_records"],
            })  # fmt: skip
    return pd.DataFrame(lines)


def number_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the table of one number, a row for each method and lead set, as people read it."""
    return pd.DataFrame([_cells(row) for row in rows])


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    summary, unit = row["summary"], row["unit"]
    pooled, limits = summary["pooled"], summary["agreement"]
    part, beside = summary["interval"], row["beside"] or {}
    return {
        "method": row["title"],
        "leads": row["leads"],
        f"MAE ({unit}) [95 %]": shown(pooled["mae"], 2),
        f"MAE of the mean ({unit})": f"{summary['records']['training_mean_mae']:.2f}",
        f"RMSE ({unit}) [95 %]": shown(pooled["rmse"], 2),
        "R² [95 %]": shown(pooled["r2"]),
        "Pearson [95 %]": shown(pooled["pearson"]),
        "CCC [95 %]": shown(pooled["ccc"]),
        f"bias ({unit}) [95 %]": shown(limits["bias"], 2),
        f"limits of agreement ({unit})": _limits(limits),
        "90 % interval holds [95 %]": shown(part.get("coverage")),
        f"AUROC above {summary['thresholded']['above']:g} {unit} [95 %]": shown(
            summary["thresholded"]["auroc"]
        ),
        "same records: estimate": shown(beside.get("estimate")),
        "same records: classifier": shown(beside.get("classifier")),
    }


def _limits(limits: Mapping[str, Any]) -> str:
    return f"{limits['lower']['value']:.1f} to {limits['upper']['value']:.1f}"


def shown(found: Mapping[str, Any] | None, digits: int = 3) -> str:
    """Return `value [low, high]` of an `Estimate`, a dash where there is none."""
    if found is None or found.get("value") is None:
        return ABSENT
    if found["low"] is None or found["high"] is None:
        return f"{found['value']:.{digits}f}"
    return f"{found['value']:.{digits}f} [{found['low']:.{digits}f}, {found['high']:.{digits}f}]"
