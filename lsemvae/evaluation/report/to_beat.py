"""Say beside the main results what a few columns reach on the same folds, without the signal."""

from typing import Any, NamedTuple

import pandas as pd

from lsemvae.core.errors import InputError
from lsemvae.evaluation.report.baselines import clinical_predictions
from lsemvae.evaluation.report.blocks import Text
from lsemvae.evaluation.report.evidence import Evidence, RunEvidence, auroc_within_folds
from lsemvae.evaluation.report.written import estimate, or_none, reason
from lsemvae.evaluation.statistics.summary import compare_runs


class Difference(NamedTuple):
    """A run's mean AUROC over the folds minus that of the columns, an `Estimate` by DeLong."""

    title: str
    found: dict[str, Any]

    @property
    def verdict(self) -> str:
        """Where the run lies by the interval of patients; by its value where there is none."""
        value, low, high = (self.found[name] for name in ("value", "low", "high"))
        if value is None:
            return "not compared"
        if (value if low is None else low) > 0:
            return "better than it"
        return (
            "worse than it" if (value if high is None else high) < 0 else "not told apart from it"
        )


def to_beat(evidence: Evidence, task: str) -> list[Text]:
    """Return the sentence about a task, a warning where a run is not better; none without a store.

    Args:
        evidence: of the report.
        task: with a yes or no.
    """
    found, title = clinical_predictions(evidence, task)
    if found is None or reason(within := auroc_within_folds(found)):
        return []
    differences = [_difference(run, found, title) for run in evidence.detailed(task)]
    text = (
        f"Without the signal ({task}), a {title} has an AUROC of {or_none(within)} on the same "
        "folds."
    )
    for verdict in dict.fromkeys(one.verdict for one in differences):
        mine = [one for one in differences if one.verdict == verdict]
        listed = "; ".join(f"{one.title} {estimate(one.found, signed=True)}" for one in mine)
        text += f" {verdict.capitalize()}: {listed}."
    beaten = all(one.verdict in ("better than it", "not compared") for one in differences)
    return [Text(text, "plain" if beaten else "warning")]


def _difference(run: RunEvidence, columns: pd.DataFrame, title: str) -> Difference:
    """Compare a run with the columns; where that is not possible the method is the reason."""
    tables = {run.title: run.run.predictions, title: columns}
    try:
        (row,) = compare_runs(tables, reference=run.title, n_resamples=0)["rows"]
    except InputError as error:
        return Difference(
            run.title, {"value": None, "low": None, "high": None, "method": str(error)}
        )
    return Difference(run.title, row["delong"]["difference"])
