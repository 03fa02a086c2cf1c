"""Set the patients of a training beside those that the model is applied to."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.evaluation.tables.table1 import CHARACTERISTICS, NONE
from lsemvae.model_file.cohort_summary import Characteristic, CohortSummary

NOT_STORED = "not stored"
HEADER = ("characteristic", "training", "this cohort", "difference in SD")


def summarise_cohort(
    table: pd.DataFrame, label: npt.ArrayLike, log_odds: npt.ArrayLike
) -> CohortSummary:
    """Return counts, means and standard deviations of the patients of a table.

    Args:
        table: one row for each labelled recording, with patient_id.
        label: (N,), 0 or 1.
        log_odds: (M,) that the model gives recordings of these patients; M may differ from N.
    """
    patients = table.drop_duplicates("patient_id")
    odds = np.asarray(log_odds, dtype=np.float64)
    return CohortSummary(
        n_patients=len(patients),
        n_recordings=len(table),
        n_positive=int(np.asarray(label, dtype=np.float64).sum()),
        log_odds_mean=float(odds.mean()),
        log_odds_sd=float(odds.std(ddof=1)),
        characteristics=tuple(
            _characteristic(patients[name]) for name in CHARACTERISTICS if name in table
        ),
    )


def _characteristic(values: pd.Series) -> Characteristic:
    known = values.replace("", np.nan).dropna()
    name, counts = str(values.name), (len(known), len(values) - len(known))
    if pd.api.types.is_numeric_dtype(known) and len(known):
        sd = float(known.std()) if len(known) > 1 else None
        return Characteristic(name, *counts, float(known.mean()), sd, {})
    levels = {str(level): int(n) for level, n in known.value_counts().sort_index().items()}
    return Characteristic(name, *counts, None, None, levels)


def case_mix_table(training: CohortSummary | None, here: CohortSummary) -> pd.DataFrame:
    """Return both cohorts side by side, as text cells.

    The difference is standardised: of means in units of the pooled standard deviation, of shares
    likewise (Austin 2009, doi:10.1002/sim.3697); above .1 in size it is no longer small.

    Args:
        training: of the model file, None where it stores none.
        here: of the cohort that the model is applied to.
    """
    rows = [
        ("patients", _count(training.n_patients if training else None), str(here.n_patients), ""),
        (
            "recordings",
            _count(training.n_recordings if training else None),
            str(here.n_recordings),
            "",
        ),
        _share_row("positive recordings", _positives(training), _positives(here)),
        _mean_row("log-odds of the model", _odds(training), _odds(here)),
    ]
    before = _by_column(training)
    mine = _by_column(here)
    for name, text in CHARACTERISTICS.items():
        if name in before or name in mine:
            rows += _rows(text, before.get(name), mine.get(name), known=training is not None)
    return pd.DataFrame(rows, columns=list(HEADER))


def _by_column(summary: CohortSummary | None) -> Mapping[str, Characteristic]:
    return {one.column: one for one in summary.characteristics} if summary else {}


def _count(n: int | None) -> str:
    return NOT_STORED if n is None else str(n)


def _positives(summary: CohortSummary | None) -> tuple[int, int] | None:
    return (summary.n_positive, summary.n_recordings) if summary else None


def _odds(summary: CohortSummary | None) -> tuple[float, float | None] | None:
    return (summary.log_odds_mean, summary.log_odds_sd) if summary else None


def _rows(
    text: str, before: Characteristic | None, mine: Characteristic | None, *, known: bool
) -> list[tuple[str, str, str, str]]:
    """Return the row of a quantity, or one for each level of a category."""
    absent = NONE if known else NOT_STORED
    levels = sorted({*(before.counts if before else ()), *(mine.counts if mine else ())})
    if not levels:
        row = _mean_row(text, _mean(before), _mean(mine), absent)
        return [(text + _missing(before, mine), *row[1:])]
    shares = [
        _share_row(f"{text}: {level}", _level(before, level), _level(mine, level), absent)
        for level in levels
    ]
    first = shares[0]
    return [(first[0] + _missing(before, mine), *first[1:]), *shares[1:]]


def _missing(before: Characteristic | None, mine: Characteristic | None) -> str:
    counts = [NONE if one is None else str(one.missing) for one in (before, mine)]
    return "" if set(counts) <= {"0", NONE} else f" (missing: {counts[0]}; {counts[1]})"


def _mean(one: Characteristic | None) -> tuple[float, float | None] | None:
    return None if one is None or one.mean is None else (one.mean, one.sd)


def _level(one: Characteristic | None, level: str) -> tuple[int, int] | None:
    return None if one is None or not one.n else (one.counts.get(level, 0), one.n)


def _mean_row(
    text: str, before: tuple[float, float | None] | None,
    mine: tuple[float, float | None] | None, absent: str = NOT_STORED,
) -> tuple[str, str, str, str]:  # fmt: skip
    cells = [absent if one is None else f"{one[0]:.2f}" + (f" ± {one[1]:.2f}" if one[1] else "")
             for one in (before, mine)]  # fmt: skip
    if before is None or mine is None or not before[1] or not mine[1]:
        return text, cells[0], cells[1], ""
    found = standardised(mine[0] - before[0], before[1] ** 2, mine[1] ** 2)
    return text, cells[0], cells[1], f"{found:+.2f}"


def _share_row(
    text: str, before: tuple[int, int] | None, mine: tuple[int, int] | None,
    absent: str = NOT_STORED,
) -> tuple[str, str, str, str]:  # fmt: skip
    cells = [absent if one is None else f"{one[0]} ({100 * one[0] / one[1]:.1f} %)"
             for one in (before, mine)]  # fmt: skip
    if before is None or mine is None:
        return text, cells[0], cells[1], ""
    p, q = before[0] / before[1], mine[0] / mine[1]
    found = standardised(q - p, p * (1 - p), q * (1 - q))
    return text, cells[0], cells[1], "" if math.isnan(found) else f"{found:+.2f}"


def standardised(difference: float, one: float, other: float) -> float:
    """Return a difference in units of the root of the mean of two variances, NaN where both are 0.

    Args:
        difference: of means or of shares.
        one: variance in the first cohort.
        other: in the second.
    """
    pooled = math.sqrt((one + other) / 2)
    return difference / pooled if pooled else math.nan
