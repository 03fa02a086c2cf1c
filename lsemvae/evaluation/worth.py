"""Say what pre-training was worth: a table against the references, and one sentence."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lsemvae.core.chance import chance_text
from lsemvae.evaluation.statistics.repeated_scores import RepeatedScores

PRETRAINED, UNTRAINED, LARGER_CLASS = "pretrained", "untrained", "larger_class"
LINEAR, MLP = "linear_probe", "mlp"
TITLES = {
    PRETRAINED: "pre-trained",
    UNTRAINED: "untrained twin",
    "random_convolutions": "random convolutions",
    "pca": "PCA of the samples",
    LARGER_CLASS: "larger class",
}
HEADS = {LINEAR: "linear probe", MLP: "the publication's MLP"}
COLUMNS = (
    "head", "fraction", "row", "n_seeds", "n_draws", "auroc", "low", "high", "sd_seeds", "sd_draws",
    "difference", "difference_low", "difference_high", "p",
)  # fmt: skip
HEADER = ("head", "labels", "features", "AUROC [95 %]", "SD of seeds", "SD of draws",
          "pre-trained minus this [95 %]")  # fmt: skip

Scores = Mapping[tuple[str, float], npt.NDArray[np.float64]]


def title_of(row: str) -> str:
    """Return a row's name as people read it: `untrained/lead_means` is a twin's lead means."""
    kind, _, feature = row.partition("/")
    return TITLES.get(kind, kind) + (f", {feature.replace('_', ' ')}" if feature else "")


def worth_table(cohort: pd.DataFrame, by_head: Mapping[str, Scores]) -> pd.DataFrame:
    """Return a line for each head, label fraction and row of features.

    Args:
        cohort: columns label, patient_id, fold: (N,) records.
        by_head: out-of-fold scores (S, D, N) by row and fraction.

    Returns:
        Columns `COLUMNS`. Differences are the pre-trained row minus this one, read by the same
        feature where it is an encoder's.
    """
    lines = []
    for head, scores in by_head.items():
        for fraction in dict.fromkeys(fraction for _, fraction in scores):
            mine = {row: each for (row, share), each in scores.items() if share == fraction}
            one_draw = next(iter(mine.values())).shape[1]
            mine[LARGER_CLASS] = np.zeros((1, one_draw, len(cohort)))
            found = RepeatedScores(cohort, mine)
            lines += [
                {"head": head, "fraction": fraction, **_line(found, row, each.shape, mine)}
                for row, each in mine.items()
            ]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _line(
    found: RepeatedScores, row: str, shape: Sequence[int], rows: Mapping[str, Any]
) -> dict[str, Any]:
    mean = found.mean(row)
    line = {
        "row": row, "n_seeds": shape[0], "n_draws": shape[1], "auroc": mean.auroc.value,
        "low": mean.auroc.low, "high": mean.auroc.high, "sd_seeds": mean.sd_seeds,
        "sd_draws": mean.sd_draws,
    }  # fmt: skip
    kind, _, feature = row.partition("/")
    same = f"{PRETRAINED}/{feature}" if feature else PRETRAINED
    if kind == PRETRAINED or same not in rows:
        return line
    difference, p = found.difference(same, row)
    return {**line, "difference": difference.value, "difference_low": difference.low,
            "difference_high": difference.high, "p": p}  # fmt: skip


def worth_sentence(table: pd.DataFrame, leads: str, data: str) -> str:
    """Say in one sentence what pre-training was worth, with intervals.

    Args:
        table: from `worth_table`.
        leads: name of the lead set.
        data: label of the data.
    """
    mine = table[table["head"] == LINEAR]
    shares = [mine["fraction"].max(), mine["fraction"].min()]
    parts = [_verdict(mine[mine["fraction"] == share], share) for share in dict.fromkeys(shares)]
    seeds = mine[mine["row"] == PRETRAINED]
    n_seeds = int(seeds["n_seeds"].iloc[0])
    spread = (
        f"{n_seeds} pre-trainings, standard deviation over their seeds "
        f"{seeds['sd_seeds'].iloc[0]:.3f}"
        if n_seeds > 1
        else "one pre-training: how much another seed would differ was not measured"
    )
    return f"On {data}, {leads}, linear probe: {'; '.join(parts)} ({spread})."


def _verdict(mine: pd.DataFrame, share: float) -> str:
    """Return a clause for one share of the labels."""
    lines = {str(line["row"]): line for line in _lines(mine)}
    encoders = (PRETRAINED, UNTRAINED, LARGER_CLASS)
    others = [row for row in lines if row.partition("/")[0] not in encoders]
    labels = f"with {100 * share:g} % of the training patients' labels"
    said = f"{labels} pre-training {_worth(lines[UNTRAINED])} against its untrained twin"
    if others:
        best = max(others, key=lambda row: float(lines[row]["auroc"]))
        said += f" and {_worth(lines[best])} against {title_of(best)}"
    own = lines[PRETRAINED]
    guess = chance_text(own["auroc"], own["low"], own["high"])
    return f"{said}, but {guess[0].lower()}{guess[1:].rstrip('.')}" if guess else said


def _worth(line: Mapping[str, Any]) -> str:
    low, high = line["difference_low"], line["difference_high"]
    measured = f"{line['difference']:+.3f} AUROC [{low:+.3f}, {high:+.3f}]"
    if math.isnan(low):
        return f"cannot be judged ({line['difference']:+.3f} AUROC, no interval)"
    if low > 0:
        return f"was worth {measured}"
    if high < 0:
        return f"did harm, {measured},"
    return f"was worth nothing that can be told from zero, {measured},"


def worth_cells(table: pd.DataFrame) -> list[list[str]]:
    """Return the table as text, under `HEADER`."""
    return [
        [
            HEADS.get(line["head"], line["head"]),
            f"{100 * line['fraction']:g} %",
            title_of(line["row"])
            + (f" (mean of {line['n_seeds']})" if line["n_seeds"] > 1 else ""),
            _between(line, "auroc", "low", "high", ""),
            _number(line["sd_seeds"]),
            _number(line["sd_draws"]),
            _between(line, "difference", "difference_low", "difference_high", "+"),
        ]
        for line in _lines(table)
    ]


def _lines(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in line.items()} for line in table.to_dict("records")]


def _between(line: Mapping[str, Any], value: str, low: str, high: str, sign: str) -> str:
    if pd.isna(line[value]):
        return ""
    ends = f" [{line[low]:{sign}.3f}, {line[high]:{sign}.3f}]" if pd.notna(line[low]) else ""
    return f"{line[value]:{sign}.3f}{ends}"


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3f}"
