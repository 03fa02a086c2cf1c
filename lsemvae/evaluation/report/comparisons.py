"""Compare a task's runs in pairs, corrected for their number."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lsemvae.evaluation.report.evidence import RunEvidence
from lsemvae.evaluation.report.written import estimate, interval, p_value
from lsemvae.evaluation.statistics.comparison import holm
from lsemvae.evaluation.statistics.summary import compare_runs

Pair = dict[str, Any]


def compare_task(
    runs: Sequence[RunEvidence],
    baselines: Mapping[str, pd.DataFrame],
    *,
    n_resamples: int,
) -> list[Pair]:
    """Compare the first method with the others on each lead set, and its lead sets.

    Args:
        runs: of one task; the method of the first is the reference.
        baselines: predictions of what has no network, by title.
        n_resamples: of the paired bootstrap.

    Returns:
        As the rows of `compare_runs`, with first and second in words and p adjusted over all.

    Raises:
        InputError: runs on other records, folds or labels.
    """
    mine = [run for run in runs if run.method == runs[0].method]
    pairs: list[Pair] = []
    for first in mine:
        group = [run for run in runs if run.run.leads == first.run.leads]
        tables = {run.title: run.run.predictions for run in group} | dict(baselines)
        pairs += _pairs(tables, first.title, n_resamples)
    pairs += _pairs({run.title: run.run.predictions for run in mine}, mine[0].title, n_resamples)
    for name in ("delong", "nadeau_bengio"):
        raw = [float("nan") if pair[name]["p"] is None else pair[name]["p"] for pair in pairs]
        for pair, adjusted in zip(pairs, holm(raw), strict=True):
            pair[f"{name}_p_holm"] = None if pd.isna(adjusted) else float(adjusted)
    return pairs


def _pairs(tables: dict[str, pd.DataFrame], reference: str, n_resamples: int) -> list[Pair]:
    if len(tables) < 2:
        return []
    found = compare_runs(tables, reference=reference, n_resamples=n_resamples)
    return [{"first": reference, "second": row.pop("method"), **row} for row in found["rows"]]


def comparison_rows(pairs: Sequence[Pair]) -> list[list[str]]:
    """Return the pairs as rows of a table."""
    return [
        [
            f"{pair['first']} minus {pair['second']}",
            estimate(pair["delong"]["difference"], signed=True),
            p_value(pair["delong_p_holm"]),
            interval(pair["nadeau_bengio"]["difference"], signed=True),
            p_value(pair["nadeau_bengio_p_holm"]),
            estimate(pair["bootstrap"]["auroc"], signed=True),
        ]
        for pair in pairs
    ]
