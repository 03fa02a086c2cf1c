"""Write what `lsemvae worth` found of several tasks as the tables of docs/pretraining.md."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lsemvae.evaluation.worth import HEADS, LARGER_CLASS, LINEAR, MLP, PRETRAINED, title_of

UNTRAINED, KERNELS, PCA = "untrained", "random_convolutions", "pca"
ROWS = (PRETRAINED, UNTRAINED, KERNELS, PCA, LARGER_CLASS)
COMPARED = (UNTRAINED, KERNELS)
MEAN = "mean"

Found = dict[str, Any]


def read_found(out: Path, tasks: Mapping[str, str], leads: str) -> dict[str, Found]:
    """Return `references.json` of every task by its short name, for one lead set."""
    folders = {name: out / column / "worth" / leads for name, column in tasks.items()}
    return {
        name: json.loads((folder / "references.json").read_text())
        for name, folder in folders.items()
    }


def lines_of(found: Mapping[str, Found]) -> pd.DataFrame:
    """Return the lines of all tasks: task, head, fraction, row, auroc, difference and its ends."""
    each = [pd.DataFrame(one["rows"]).assign(task=name) for name, one in found.items()]
    return pd.concat(each, ignore_index=True)


def worth_markdown(leads: str, found: Mapping[str, Found]) -> str:
    """Return the table of one lead set: each head, share of the labels, row and difference."""
    lines = lines_of(found)
    header = ["head, labels", f"features, {leads}", *found, MEAN]
    rows = [header, ["---"] * len(header), *_rows(lines, list(found))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _rows(lines: pd.DataFrame, tasks: Sequence[str]) -> Iterator[list[str]]:
    for head in (LINEAR, MLP):
        of_head = lines[lines["head"] == head]
        for share in sorted(of_head["fraction"].unique(), reverse=True):
            mine = of_head[of_head["fraction"] == share]
            label = f"{HEADS[head].removeprefix('the ')}, {100 * share:g} %"
            for row in ROWS:
                yield [label, *_values(mine[mine["row"] == row].set_index("task"), row, tasks)]
            for row in COMPARED:
                yield [label, *_gaps(mine[mine["row"] == row].set_index("task"), row, tasks)]


def _values(mine: pd.DataFrame, row: str, tasks: Sequence[str]) -> list[str]:
    """Return a row's name and AUROC by task, with the seeds' standard deviation."""
    n_seeds = int(mine["n_seeds"].iloc[0])
    title = f"{title_of(row)}, {n_seeds} seeds" if n_seeds > 1 else title_of(row)
    cells = [_spread(mine.loc[task]) for task in tasks]
    cells.append(f"{mine['auroc'].mean():.3f}")
    return [f"**{title}**" if row == PRETRAINED else title, *cells]


def _spread(line: "pd.Series[Any]") -> str:
    sd = "" if pd.isna(line["sd_seeds"]) else f" ±{line['sd_seeds']:.3f}".replace("±0.", "±.")
    return f"{line['auroc']:.3f}{sd}"


def _gaps(mine: pd.DataFrame, row: str, tasks: Sequence[str]) -> list[str]:
    """Return the pre-trained row minus another one by task, with its interval."""
    cells = [
        f"{line['difference']:+.3f} [{line['difference_low']:+.3f}, {line['difference_high']:+.3f}]"
        for line in (mine.loc[task] for task in tasks)
    ]
    return [f"minus {title_of(row)}", *cells, f"{mine['difference'].mean():+.3f}"]


def verdicts(leads: str, found: Mapping[str, Found]) -> list[str]:
    """Say for each head and share on how many tasks pre-training is no worse than both."""
    lines = lines_of(found)
    compared = lines[lines["row"].isin(COMPARED)]
    said = []
    for (head, share), mine in compared.groupby(["head", "fraction"], sort=False):
        by_task = mine.groupby("task", sort=False)
        reached = by_task["difference"].min() >= 0
        above = by_task["difference_low"].min() > 0
        head_of = f"{leads}, {HEADS[str(head)]}, {100 * float(str(share)):g} % of the labels"
        said.append(verdict(head_of, dict(reached), int(above.sum())))
    return said


def verdict(of: str, reached: Mapping[str, bool], n_above: int) -> str:
    """Say on how many tasks pre-training is no worse than both references.

    Args:
        of: what is judged: leads, head, share of the labels.
        reached: of each task, whether it is no worse.
        n_above: tasks on which the interval lies above 0 against both.
    """
    below = [task for task, is_reached in reached.items() if not is_reached]
    told = f"; below one of them: {', '.join(below)}" if below else ""
    return (
        f"- {of}: at least as good as both references on {len(reached) - len(below)} of "
        f"{len(reached)} tasks, the interval above 0 against both on {n_above}{told}."
    )
