"""Draw recordings on ECG paper: 25 mm/s and 10 mm/mV, true to scale when printed."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from lsemvae.core.leads import LEADS

MM_PER_S = 25.0
MM_PER_MV = 10.0
MM_PER_INCH = 25.4
ROW_MM = 30.0
MARGIN_MM = 5.0
COLUMN_S = 2.5
GAP_MM = 3.0
N_ROWS = 3
TITLE_MM = 12.0
TITLE_LETTER_MM, TITLE_LINE_MM = 1.85, 3.9  # of text of 9 points, as wide as it usually is
LEGEND_MM = 4.0  # above the title
NAME_MM = 11.0  # from the begin of a trace to the end of its lead's name
NAME_UP_MM, NAME_TOP_MM = 9.5, 13.0  # usual and greatest height of a name above the zero line
ARBITRARY_MM = 14.0  # the largest deflection of uncalibrated traces
PAPER, THIN, THICK = "#fffaf7", "#f6d5cf", "#e9a79c"
GREY_PAPER = ("#ffffff", "#ececec", "#d2d2d2")  # under colours that mean something

Signal = npt.NDArray[np.floating]


class Layout(NamedTuple):
    """How leads share a sheet.

    Attributes:
        n_rows: leads below one another, then a new column begins.
        column_s: seconds of each lead at most.
        row_mm: height of a row.
        rhythm: lead of a strip below the others, as long as the sheet is wide; "" for none.
    """

    n_rows: int = N_ROWS
    column_s: float = COLUMN_S
    row_mm: float = ROW_MM
    rhythm: str = ""


USUAL = Layout()
WITH_RHYTHM = Layout(rhythm="II")
ALL_SECONDS = Layout(n_rows=12, column_s=math.inf, row_mm=18.0)


class Panel(NamedTuple):
    """Where a lead lies on a sheet, in mm from the lower left corner.

    Attributes:
        left: begin of the trace.
        middle: height of its zero line.
    """

    left: float
    middle: float


class Sheet(NamedTuple):
    """A figure with ECG paper whose data coordinates are millimetres.

    Attributes:
        figure: of the paper and its title.
        axes: the paper.
        panels: by lead.
        time_mm: (n,), where the samples of a trace lie, from the begin of its panel.
        rhythm: where the strip lies, None where there is none; its samples are those that fit.
    """

    figure: Figure
    axes: Axes
    panels: dict[str, Panel]
    time_mm: Signal
    rhythm: Panel | None = None

    @property
    def begin(self) -> slice:
        """The samples below which a lead's name is written."""
        return slice(0, int(np.searchsorted(self.time_mm, NAME_MM)))

    @property
    def rhythm_mm(self) -> float:
        """The width of the paper between its margins."""
        return float(self.axes.get_xlim()[1]) - 2 * MARGIN_MM


def ecg_sheet(
    leads: Sequence[str], n_samples: int, sampling_rate_hz: float, *, title: str, scale: str,
    title_mm: float = TITLE_MM, foot_mm: float = 0.0, min_width_mm: float = 0.0,
    layout: Layout = USUAL, colours: tuple[str, str, str] = (PAPER, THIN, THICK),
) -> Sheet:  # fmt: skip
    """Return a sheet for the leads: in the usual columns of three, 2.5 s of each at most.

    The corner says how many seconds are shown where it is not the whole recording.

    Args:
        leads: names.
        n_samples: of the recording.
        sampling_rate_hz: of the recording.
        title: written above the paper, folded where it is wider.
        scale: how amplitudes are drawn, written in the corner.
        title_mm: room for the title.
        foot_mm: room below the paper.
        min_width_mm: of the paper; short recordings are spread over it.
        layout: rows, seconds and heights.
        colours: of the paper, its thin and its thick lines.
    """
    n_rows, column_s, row_mm, rhythm = layout
    columns = [leads[start : start + n_rows] for start in range(0, len(leads), n_rows)]
    n_shown = round(min(column_s * sampling_rate_hz, n_samples))
    column_mm = n_shown / sampling_rate_hz * MM_PER_S + GAP_MM
    width_mm = max(2 * MARGIN_MM + len(columns) * column_mm, min_width_mm)
    column_mm = (width_mm - 2 * MARGIN_MM) / len(columns)
    folded = folded_lines(title, width_mm, TITLE_LETTER_MM)
    title_mm += TITLE_LINE_MM * (len(folded) - len(title.splitlines()))
    n_drawn = min(n_rows, len(leads))
    has_rhythm = rhythm in leads and n_shown < n_samples
    height_mm = 2 * MARGIN_MM + (n_drawn + has_rhythm) * row_mm
    total_mm = height_mm + title_mm + foot_mm
    figure = Figure(figsize=(width_mm / MM_PER_INCH, total_mm / MM_PER_INCH))
    axes = figure.add_axes((0, foot_mm / total_mm, 1, height_mm / total_mm))
    _millimetre_grid(axes, width_mm, height_mm, colours)
    panels = {
        lead: Panel(MARGIN_MM + column * column_mm, height_mm - MARGIN_MM - (row + 0.55) * row_mm)
        for column, names in enumerate(columns)
        for row, lead in enumerate(names)
    }
    strip = Panel(MARGIN_MM, MARGIN_MM + 0.45 * row_mm) if has_rhythm else None
    sheet = Sheet(
        figure, axes, panels, np.arange(n_shown) / sampling_rate_hz * MM_PER_S, strip
    )  # fmt: skip
    text = f"25 mm/s   {scale}{_left_out(sheet, n_samples / sampling_rate_hz, rhythm)}"
    axes.text(MARGIN_MM, 1.2, text, fontsize=6.5, color="#555555")
    figure.text(
        0.02, 1 - (title_mm - 0.35 * TITLE_MM) / total_mm, "\n".join(folded), fontsize=9,
        va="baseline",
    )  # fmt: skip
    return sheet


def folded_lines(text: str, width_mm: float, letter_mm: float) -> list[str]:
    """Return the lines of a text, those that are wider than a sheet folded at their blanks.

    Args:
        text: of one or more lines.
        width_mm: of the sheet.
        letter_mm: width of a letter, blank included.
    """
    most = max(1, int(0.96 * width_mm / letter_mm))  # a margin of 2 % on either side
    return [part for line in text.splitlines() for part in textwrap.wrap(line, most) or [""]]


def _left_out(sheet: Sheet, seconds: float, rhythm: str) -> str:
    """Say how much of a recording is on the sheet, nothing where it is all of it."""
    step_mm = sheet.time_mm[1] if len(sheet.time_mm) > 1 else 0.0
    shown = (len(sheet.time_mm) * step_mm) / MM_PER_S
    if seconds - shown < 0.5 / MM_PER_S:
        return ""
    strip = f" and {min(seconds, sheet.rhythm_mm / MM_PER_S):.3g} s of {rhythm}"
    return (
        f"   shown: {shown:.3g} s of each lead{strip if sheet.rhythm else ''}, of {seconds:.3g} s"
    )


def amplitude_scale(largest: float, calibrated: bool) -> tuple[float, str]:
    """Return the millimetres per unit and their name; uncalibrated traces are drawn to fit."""
    if calibrated:
        return MM_PER_MV, "10 mm/mV"
    return ARBITRARY_MM / (largest or 1.0), "amplitudes not calibrated"


def draw_twelve_leads(
    traces: Mapping[str, Signal], *, sampling_rate_hz: float, title: str,
    styles: Sequence[Mapping[str, Any]], calibrated: bool, leads: Sequence[str] = LEADS,
    layout: Layout = USUAL, title_mm: float = TITLE_MM,
) -> Figure:  # fmt: skip
    """Draw twelve (or six) leads, in the usual columns each lead's own first 2.5 s at most.

    Args:
        traces: recordings by legend text, each (L, T) in mV in the order of `leads`, drawn over
            one another; NaN draws nothing.
        sampling_rate_hz: of the traces.
        title: written above the paper.
        styles: matplotlib line properties of each trace.
        calibrated: whether the traces are in mV; others are drawn to fit, and labelled so.
        leads: names of the leads.
        layout: rows, seconds and heights.
        title_mm: room for the title.
    """
    # without a single sample the paper stays empty
    largest = max(float(np.nanmax(np.abs(signal), initial=0.0)) for signal in traces.values())
    mm_per_unit, scale = amplitude_scale(largest, calibrated)
    n_samples = next(iter(traces.values())).shape[-1]
    has_legend = len(traces) > 1
    sheet = ecg_sheet(
        leads, n_samples, sampling_rate_hz, title=title, scale=scale,
        title_mm=title_mm + LEGEND_MM * has_legend, layout=layout,
    )  # fmt: skip
    squeezed = layout.row_mm / ROW_MM
    if not calibrated:
        mm_per_unit *= squeezed
    for number, (lead, panel) in enumerate(sheet.panels.items()):
        for (legend, signal), style in zip(traces.items(), styles, strict=True):
            shown = signal[number, : len(sheet.time_mm)] * mm_per_unit
            label = legend if number == 0 else None
            sheet.axes.plot(
                panel.left + sheet.time_mm, panel.middle + shown, label=label, clip_on=True, **style
            )
        first = [signal[number, sheet.begin] * mm_per_unit for signal in traces.values()]
        _name(sheet, panel, lead, squeezed, first)
    if sheet.rhythm is not None:
        position = list(leads).index(layout.rhythm)
        n_fit = int(sheet.rhythm_mm / MM_PER_S * sampling_rate_hz) + 1
        for signal, style in zip(traces.values(), styles, strict=True):
            shown = signal[position, :n_fit] * mm_per_unit
            time_mm = np.arange(len(shown)) / sampling_rate_hz * MM_PER_S
            sheet.axes.plot(sheet.rhythm.left + time_mm, sheet.rhythm.middle + shown, **style)
        first = [signal[position, sheet.begin] * mm_per_unit for signal in traces.values()]
        _name(sheet, sheet.rhythm, layout.rhythm, squeezed, first)
    if has_legend:
        sheet.figure.legend(loc="upper right", fontsize=7.5, ncol=len(traces), frameon=False)
    return sheet.figure


def _name(sheet: Sheet, panel: Panel, lead: str, squeezed: float, first: Sequence[Signal]) -> None:
    """Write a lead's name above the begin of its traces, given in mm, as far as its row allows."""
    highest = max(float(np.nanmax(trace, initial=0.0)) for trace in first)
    above = min(max(NAME_UP_MM * squeezed, highest + 1), NAME_TOP_MM * squeezed)
    sheet.axes.text(panel.left + 1.5, panel.middle + above, lead, fontsize=8, fontweight="bold")


def _millimetre_grid(
    axes: Axes, width_mm: float, height_mm: float, colours: tuple[str, str, str]
) -> None:
    """Draw lines every 1 mm (thin) and 5 mm (thick)."""
    background, thin, thick = colours
    axes.set(xlim=(0, width_mm), ylim=(0, height_mm), xticks=[], yticks=[], facecolor=background)
    for step, colour, line_width in ((1, thin, 0.35), (5, thick, 0.6)):
        vertical = [[(x, 0), (x, height_mm)] for x in np.arange(0, width_mm + 1, step)]
        horizontal = [[(0, y), (width_mm, y)] for y in np.arange(0, height_mm + 1, step)]
        lines = LineCollection(vertical + horizontal, colors=colour, linewidths=line_width)
        axes.add_collection(lines)
    axes.spines[:].set_visible(False)
