"""Draw Fig. 2 and its kind: AUROC of methods as bars with intervals."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lsemvae.evaluation.plots.figures import COLOURS

HATCHES = ("", "///", "...", "xxx")
SHARE = 0.8  # of the distance between two methods that their bars fill


def auroc_bars(
    long: pd.DataFrame, titles: dict[str, str], *, leads: Sequence[str], caption: str
) -> Figure:
    """Draw the mean AUROC over the folds with its 95 % interval by patient (DeLong within folds).

    Args:
        long: from `long_table`.
        titles: of the methods, in the order of the bars.
        leads: lead sets, told apart by colour and hatching.
        caption: names the data.
    """
    rows = long[long["metric"] == "auroc"]
    tasks = list(dict.fromkeys(rows["task"]))
    n_columns = min(2, len(tasks))
    n_rows = -(-len(tasks) // n_columns)
    height = 0.8 + n_rows * (0.8 + 0.17 * len(titles) * len(leads))
    figure = Figure(figsize=(5.4 * n_columns, height), layout="constrained")
    panels = figure.subplots(n_rows, n_columns, squeeze=False).flatten()
    for axes in panels[len(tasks) :]:
        axes.set_axis_off()
    lowest = min(0.5, np.floor(float(rows["low"].min()) * 20) / 20)
    for task, axes in zip(tasks, panels, strict=False):
        axes.set_xlim(lowest, 1.0)  # all panels alike, or bars of one length mean different things
        _panel(axes, rows[rows["task"] == task], list(titles), leads)
        axes.set(title=task, yticks=range(len(titles)), yticklabels=list(titles.values()))
        axes.tick_params(axis="y", labelsize=8)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower right", ncols=len(leads),
        fontsize=8,
    )  # fmt: skip
    figure.suptitle(caption, fontsize=9, wrap=True)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, methods: list[str], leads: Sequence[str]) -> None:
    """Draw one task; a method without a result leaves its place empty."""
    for number, lead_set in enumerate(leads):
        mine = rows[rows["leads"] == lead_set].set_index("method").reindex(methods)
        offset = (number - (len(leads) - 1) / 2) * SHARE / len(leads)
        value, low, high = (mine[name].to_numpy(float) for name in
                            ("mean", "low", "high"))  # fmt: skip
        axes.barh(
            np.arange(len(methods)) + offset, value, height=0.95 * SHARE / len(leads),
            label=lead_set, edgecolor="white", color=COLOURS[number % len(COLOURS)],
            hatch=HATCHES[number % len(HATCHES)], xerr=[value - low, high - value],
            ecolor="#222222", capsize=2,
        )  # fmt: skip
    axes.set(xlabel="AUROC, mean over the folds, 95 % interval")
    axes.invert_yaxis()
    axes.axvline(0.5, color="#999999", linewidth=0.8)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
