"""Draw recordings on ECG paper: 25 mm/s and 10 mm/mV, true to scale when printed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from lsemvae.leads import LEADS

MM_PER_S = 25.0
MM_PER_MV = 10.0
MM_PER_INCH = 25.4
ROW_MM = 30.0
MARGIN_MM = 5.0
COLUMN_S = 2.5
GAP_MM = 3.0
ARBITRARY_MM = 14.0  # the largest deflection of uncalibrated traces
PAPER, THIN, THICK = "#fffaf7", "#f6d5cf", "#e9a79c"

Signal = npt.NDArray[np.floating]


def draw_twelve_leads(
    traces: Mapping[str, Signal], *, sampling_rate_hz: float, title: str,
    styles: Sequence[Mapping[str, Any]], calibrated: bool, leads: Sequence[str] = LEADS,
) -> Figure:  # fmt: skip
    """Draw twelve (or six) leads in the usual columns, each lead its own first 2.5 s at most.

    Args:
        traces: recordings by legend text, each (L, T) in mV in the order of `leads`, drawn over
            one another; NaN draws nothing.
        sampling_rate_hz: of the traces.
        title: written above the paper.
        styles: matplotlib line properties of each trace.
        calibrated: whether the traces are in mV; others are drawn to fit, and labelled so.
        leads: names of the leads.
    """
    n_rows = 3
    columns = [leads[start : start + n_rows] for start in range(0, len(leads), n_rows)]
    n_shown = min(round(COLUMN_S * sampling_rate_hz), next(iter(traces.values())).shape[-1])
    column_mm = n_shown / sampling_rate_hz * MM_PER_S + GAP_MM
    largest = max(float(np.nanmax(np.abs(signal))) for signal in traces.values())
    mm_per_unit = MM_PER_MV if calibrated else ARBITRARY_MM / largest
    width_mm = 2 * MARGIN_MM + len(columns) * column_mm
    height_mm = 2 * MARGIN_MM + n_rows * ROW_MM
    figure = Figure(figsize=(width_mm / MM_PER_INCH, (height_mm + 12) / MM_PER_INCH))
    axes = figure.add_axes((0, 0, 1, height_mm / (height_mm + 12)))
    _paper(axes, width_mm, height_mm)
    time_mm = np.arange(n_shown) / sampling_rate_hz * MM_PER_S
    for column, names in enumerate(columns):
        left = MARGIN_MM + column * column_mm
        for row, lead in enumerate(names):
            middle = height_mm - MARGIN_MM - (row + 0.55) * ROW_MM
            for (legend, signal), style in zip(traces.items(), styles, strict=True):
                shown = signal[list(leads).index(lead), :n_shown] * mm_per_unit
                label = legend if column == row == 0 else None
                axes.plot(left + time_mm, middle + shown, label=label, clip_on=True, **style)
            axes.text(left + 1.5, middle + 9.5, lead, fontsize=8, fontweight="bold")
    scale = "10 mm/mV" if calibrated else "amplitudes not calibrated"
    axes.text(MARGIN_MM, 1.2, f"25 mm/s   {scale}", fontsize=6.5, color="#555555")
    figure.text(0.02, 1 - 8 / (height_mm + 12), title, fontsize=9)
    if len(traces) > 1:
        figure.legend(loc="upper right", fontsize=7.5, ncol=len(traces), frameon=False)
    return figure


def _paper(axes: Axes, width_mm: float, height_mm: float) -> None:
    """Draw lines every 1 mm (thin) and 5 mm (thick)."""
    axes.set(xlim=(0, width_mm), ylim=(0, height_mm), xticks=[], yticks=[], facecolor=PAPER)
    for step, colour, line_width in ((1, THIN, 0.35), (5, THICK, 0.6)):
        vertical = [[(x, 0), (x, height_mm)] for x in np.arange(0, width_mm + 1, step)]
        horizontal = [[(0, y), (width_mm, y)] for y in np.arange(0, height_mm + 1, step)]
        lines = LineCollection(vertical + horizontal, colors=colour, linewidths=line_width)
        axes.add_collection(lines)
    axes.spines[:].set_visible(False)
