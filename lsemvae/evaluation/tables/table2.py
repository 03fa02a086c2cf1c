"""Make Table 2: methods x tasks x lead sets, from files of finished cross-validations."""

import math
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.evaluation.runs import CvRun
from lsemvae.evaluation.statistics.comparison import compare
from lsemvae.evaluation.statistics.delong import auroc_interval
from lsemvae.evaluation.statistics.estimate import Estimate, undefined
from lsemvae.evaluation.statistics.nadeau_bengio import metric_interval
from lsemvae.evaluation.tables.paper import paper_result

METRIC_TITLES = {"accuracy": "accuracy", "auroc": "AUROC", "mcc": "MCC"}  # as Table 2 orders them
ABSENT = "-"
Row = dict[Hashable, Any]


class MethodRow(NamedTuple):
    """How a method stands in a table.

    Attributes:
        name: as `lsemvae cv --method` takes it.
        title: as people read it.
        study: Unimodal or Multimodal, the paper's first column.
        pretrained: whether its encoder is pre-trained and frozen.
    """

    name: str
    title: str
    study: str
    pretrained: bool


class Table(NamedTuple):
    """A table with the cells that stand out, all of one shape."""

    cells: pd.DataFrame
    bold: pd.DataFrame
    underline: pd.DataFrame


def long_table(runs: Sequence[CvRun]) -> pd.DataFrame:
    """Return one row per run and metric with everything that is known about it.

    Returns:
        Columns data, task, method, leads, metric; mean and sd over the folds at the last epoch;
        low and high of the mean AUROC for these models on other patients (DeLong within folds);
        retrained_low and retrained_high of the mean for models trained anew (Nadeau and Bengio
        2003); pooled, all folds as one; inner_mean over the inner validation parts where there are
        some; base rate accuracy, counts, the paper's figure.
    """
    rows = []
    for run in runs:
        metrics, table = run.metrics, run.predictions
        interval = _mean_interval(table)
        for name in METRIC_TITLES:
            folds = [fold[name] for fold in metrics["folds"]]
            retrained = metric_interval(folds, name, test_to_train=1 / (len(folds) - 1))
            rows.append(
                {
                    "data": run.data_label,
                    "task": metrics["task"],
                    "method": metrics["method"],
                    "leads": run.leads,
                    "metric": name,
                    "mean": metrics["mean"][name],
                    "sd": metrics["sd"][name],
                    "low": interval.low if name == "auroc" else None,
                    "high": interval.high if name == "auroc" else None,
                    "retrained_low": retrained.low,
                    "retrained_high": retrained.high,
                    "pooled": metrics["pooled"][name],
                    "inner_mean": metrics["inner"]["mean"][name] if "inner" in metrics else None,
                    "base_rate_accuracy": metrics["base_rate_accuracy"],
                    "n_records": metrics["n_records"],
                    "n_positive": metrics["n_positive"],
                    "paper": paper_result(metrics["task"], metrics["method"], run.leads, name),
                }
            )
    return pd.DataFrame(rows)


def _mean_interval(table: pd.DataFrame) -> Estimate:
    """Return the interval of the mean AUROC, NaN where a fold is too small for one."""
    try:
        return auroc_interval(
            table["label"], table["probability"], table["patient_id"], fold=table["fold"]
        )
    except InputError as error:
        return undefined(str(error))


def table_2(long: pd.DataFrame, methods: Sequence[MethodRow], leads: Sequence[str]) -> Table:
    """Return the table of one task as the paper lays it out.

    Accuracy, AUROC and MCC as mean ± SD over the folds, the interval of the mean AUROC, and the
    paper's figures where it has some. The last row is the larger class alone. The best mean of a
    column is bold, the best unimodal one underlined.

    Args:
        long: rows of one task, from `long_table`.
        methods: in the order of the rows.
        leads: names of the lead sets, in the order of the columns.
    """
    found = {(row["method"], row["leads"], row["metric"]): row for row in long.to_dict("records")}
    task = str(long["task"].iloc[0])
    with_paper = any(
        paper_result(task, method.name, lead_set) != ABSENT
        for method in methods
        for lead_set in leads
    )
    columns = {"study": [m.study for m in methods], "method": [m.title for m in methods]}
    columns["pre-trained"] = ["✓" if m.pretrained else "✗" for m in methods]
    values: dict[str, list[float]] = {}
    for metric, title in METRIC_TITLES.items():
        for lead_set in leads:
            known = [found.get((method.name, lead_set, metric)) for method in methods]
            name = f"{title} {lead_set}"
            columns[name] = [_spread(row) for row in known]
            values[name] = [float("nan") if row is None else float(row["mean"]) for row in known]
            if metric == "auroc":
                columns[f"AUROC {lead_set} [95 %]"] = [_interval(row) for row in known]
            if with_paper:
                columns[f"paper {title} {lead_set}"] = [
                    paper_result(task, method.name, lead_set, metric) for method in methods
                ]
    cells = pd.DataFrame(columns)
    bold, underline = _emphasis(cells, values)
    return Table(*_with_base_rate(cells, bold, underline, long, leads))


def _spread(row: Row | None) -> str:
    return ABSENT if row is None else f"{row['mean']:.3f} ± {row['sd']:.3f}"


def _interval(row: Row | None) -> str:
    if row is None or math.isnan(row["low"]):
        return ABSENT
    return f"[{row['low']:.3f}, {row['high']:.3f}]"


def _emphasis(
    cells: pd.DataFrame, values: dict[str, list[float]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mark the best mean of every column, and the best among the unimodal methods."""
    bold = pd.DataFrame(False, index=cells.index, columns=cells.columns)
    underline = bold.copy()
    unimodal = cells["study"] == "Unimodal"
    for name, column in values.items():
        mean = pd.Series(column, index=cells.index).round(3)
        bold[name] = mean == mean.max()
        underline[name] = unimodal & (mean == mean[unimodal].max())
    return bold, underline


def _with_base_rate(
    cells: pd.DataFrame, bold: pd.DataFrame, underline: pd.DataFrame, long: pd.DataFrame,
    leads: Sequence[str],
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Add the row that names the larger class for everybody."""
    row = dict.fromkeys(cells.columns, "") | {"method": "larger class alone"}
    for lead_set in leads:
        rate = long["base_rate_accuracy"].iloc[0]
        row |= {f"accuracy {lead_set}": f"{rate:.3f}", f"AUROC {lead_set}": "0.500",
                f"MCC {lead_set}": "0.000"}  # fmt: skip
    plain = pd.DataFrame([dict.fromkeys(cells.columns, False)])
    return (
        pd.concat([cells, pd.DataFrame([row])], ignore_index=True),
        pd.concat([bold, plain], ignore_index=True),
        pd.concat([underline, plain], ignore_index=True),
    )


def comparison_table(runs: Sequence[CvRun], reference: str, titles: dict[str, str]) -> pd.DataFrame:
    """Return paired differences in AUROC between a reference method and every other.

    Args:
        runs: of any tasks and lead sets; compared within each.
        reference: name of a method.
        titles: of the methods.

    Returns:
        A row per task, lead set and other method, empty where the reference or others are missing:
        the difference of the mean AUROC over the folds with its interval for these models (DeLong
        within folds) and for models trained anew (Nadeau and Bengio 2003). p-values are adjusted
        by Holm's method within a task and lead set.
    """
    groups: dict[tuple[str, str], dict[str, pd.DataFrame]] = {}
    for run in runs:
        key = (str(run.metrics["task"]), run.leads)
        groups.setdefault(key, {})[run.metrics["method"]] = run.predictions
    rows = []
    for (task, leads), predictions in groups.items():
        if reference not in predictions or len(predictions) < 2:
            continue
        found = compare(predictions, reference=reference, n_resamples=0)
        rows += [
            {
                "task": task,
                "leads": leads,
                f"{titles[reference]} minus": titles[row["method"]],
                "difference [95 %]": _signed(row["delong"].difference),
                "p (DeLong)": _p_value(row["delong_p_holm"]),
                "[95 %], trained anew": _signed(row["nadeau_bengio"].difference, value=False),
                "p (Nadeau-Bengio)": _p_value(row["nadeau_bengio_p_holm"]),
            }
            for row in found.to_dict("records")
        ]
    return pd.DataFrame(rows)


def _signed(estimate: Estimate, *, value: bool = True) -> str:
    interval = f"[{estimate.low:+.3f}, {estimate.high:+.3f}]"
    return f"{estimate.value:+.3f} {interval}" if value else interval


def _p_value(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"
