"""Draw how intervals narrow as a study grows."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from lsemvae.core.counted import counted
from lsemvae.evaluation.plots.figures import COLOURS, DASHES
from lsemvae.evaluation.tables.study_plan import Precision

N_POINTS = 60


def plan_figure(measures: Sequence[Precision], title: str, n_patients: int | None) -> Figure:
    """Draw the half width of each measure's 95 % interval over the number of patients.

    Args:
        measures: from `precisions`; a dot marks where each reaches what is wanted.
        title: names what is expected.
        n_patients: of the study, marked by a line; None where there is none yet.
    """
    needed = [one.n_patients for one in measures]
    low, high = min(*needed, n_patients or min(needed)) / 4, max(*needed, n_patients or 0) * 2
    axis = np.geomspace(max(low, 20), high, N_POINTS)
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    for number, one in enumerate(measures):
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(
            axis, [one.half_width(n) for n in axis], color=colour, linewidth=1.6,
            linestyle=DASHES[number % len(DASHES)],
            label=f"{one.name}: ± {one.target:g} from {counted(one.n_patients, 'patient')}",
        )  # fmt: skip
        axes.plot(one.n_patients, one.target, "o", color=colour, markersize=5)
    if n_patients:
        axes.axvline(n_patients, color="#666666", linewidth=0.9)
        axes.annotate(
            counted(n_patients, "patient"), (n_patients, 1), xycoords=("data", "axes fraction"),
            xytext=(3, -11), textcoords="offset points", fontsize=8, color="#444444",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set(xlabel="patients", ylabel="half width of the 95 % interval", title=title)
    axes.set_ylim(0, 2.5 * max(one.target for one in measures))
    axes.grid(color="#e6e6e6", linewidth=0.6)
    figure.legend(fontsize=8, loc="outside lower center", ncols=2)
    return figure
