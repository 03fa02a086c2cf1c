"""Draw one recording and what explains its logit, as heat on ECG paper (compare paper, Fig. 3)."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap, ListedColormap, Normalize
from scipy.ndimage import uniform_filter1d

from lsemvae.evaluation.plots.ecg_sheet import (
    GREY_PAPER,
    MM_PER_INCH,
    Layout,
    Panel,
    Sheet,
    Signal,
    amplitude_scale,
    ecg_sheet,
)

HEAT_WINDOW_S = 0.04  # one small square: single samples are too thin to see
HEAT_MM = 1.2  # above and below the trace
EDGE_POINTS = 2.8  # half of it, 0.5 mm, is added on either side, or a QRS would hide its heat
ROW_MM, LABEL_MM = 36.0, 15.5  # room for the labels above the R waves
FAINTEST = 0.02  # of the scale; less is left white
MIN_WIDTH_MM = 130.0  # room for the text where a median beat needs little
TITLE_MM, FOOT_MM = 24.0, 17.0


class ExplainedRecord(NamedTuple):
    """A recording with its attribution.

    Attributes:
        ecg: (L, T), in mV where calibrated.
        value: (L, T), attribution in logits.
        present: (L,) bool.
        leads: names of the L leads.
        sampling_rate_hz: of both.
        calibrated: whether `ecg` is in mV.
    """

    ecg: Signal
    value: Signal
    present: npt.NDArray[np.bool_]
    leads: Sequence[str]
    sampling_rate_hz: float
    calibrated: bool

    def shares(self) -> Signal:
        """Return each lead's share of the absolute attribution of the whole recording, (L,)."""
        size = np.abs(self.value).sum(-1)
        return np.asarray(size / size.sum())

    def heat(self) -> Signal:
        """Return the absolute attribution in logits per second, averaged over 40 ms, (L, T)."""
        window = max(1, round(HEAT_WINDOW_S * self.sampling_rate_hz))
        density = np.abs(self.value) * self.sampling_rate_hz
        return np.asarray(uniform_filter1d(density, window, axis=-1, mode="constant"))


def heat_colours() -> Colormap:
    """Return a sequential map from white on that colour-blind readers can order."""
    colours = matplotlib.colormaps["inferno_r"](np.linspace(0.08, 0.85, 256))
    strength = np.clip(np.linspace(0.0, 5.0, 256), 0.0, 1.0)[:, None]
    return ListedColormap(1.0 - strength * (1.0 - colours), name="heat")


def draw_attribution(
    record: ExplainedRecord, *, title: str, note: str = "", shares: Signal | None = None
) -> Sheet:
    """Draw every lead with its attribution; all leads share one scale of colours.

    Shown are the 2.5 s with the largest attribution, the same of every lead.

    Args:
        record: what to draw.
        title: names record, prediction and data; lines separated by newlines.
        note: a line below the paper.
        shares: (L,), printed beside the leads; those of the record by default.
    """
    heat = record.heat()
    shares = record.shares() if shares is None else shares
    mm_per_unit, scale = amplitude_scale(float(np.abs(record.ecg).max()), record.calibrated)
    sheet = ecg_sheet(
        record.leads, record.ecg.shape[-1], record.sampling_rate_hz, title=title, scale=scale,
        title_mm=TITLE_MM, foot_mm=FOOT_MM, min_width_mm=MIN_WIDTH_MM,
        layout=Layout(row_mm=ROW_MM), colours=GREY_PAPER,
    )  # fmt: skip
    start = _busiest(heat, len(sheet.time_mm))
    shown = slice(start, start + len(sheet.time_mm))
    largest = float(heat.max()) or 1.0
    colours = ScalarMappable(Normalize(0.0, largest), heat_colours())
    top = int(np.nanargmax(np.where(record.present, shares, -1.0)))
    for number, (lead, panel) in enumerate(sheet.panels.items()):
        star = " ★" if number == top else ""
        label = (
            f"{lead}{star}  {shares[number]:.0%}" if record.present[number] else f"{lead} absent"
        )
        if record.present[number]:
            trace = np.column_stack(
                [panel.left + sheet.time_mm, panel.middle + record.ecg[number, shown] * mm_per_unit]
            )
            _heat_line(sheet.axes, trace, heat[number, shown], colours=colours, largest=largest)
        _label(sheet.axes, panel, label, bold=number == top)
    _foot(sheet, colours, _time_note(record, start, len(sheet.time_mm)), note)
    return sheet


def _busiest(heat: Signal, n_shown: int) -> int:
    """Return where the window with the largest attribution begins."""
    total = np.concatenate([[0.0], np.cumsum(heat.sum(0))])
    return int(np.argmax(total[n_shown:] - total[: len(total) - n_shown]))


def _heat_line(
    axes: Axes, trace: Signal, heat: Signal, *, colours: ScalarMappable, largest: float
) -> None:
    """Draw a coloured block around each step of the trace, the strongest on top."""
    first, last = trace[:-1], trace[1:]
    low = np.minimum(first[:, 1], last[:, 1]) - HEAT_MM
    high = np.maximum(first[:, 1], last[:, 1]) + HEAT_MM
    across = [first[:, 0], first[:, 0], last[:, 0], last[:, 0]]
    blocks = np.stack([np.stack(across, 1), np.stack([low, high, high, low], 1)], -1)  # (n, 4, 2)
    strength = (heat[:-1] + heat[1:]) / 2
    shown = strength > FAINTEST * largest
    strong_last = np.flatnonzero(shown)[np.argsort(strength[shown], kind="stable")]
    rgba = colours.to_rgba(strength[strong_last])
    axes.add_collection(
        PolyCollection(
            list(blocks[strong_last]),
            facecolors=rgba,
            edgecolors=rgba,
            linewidths=EDGE_POINTS,
            joinstyle="round",
            zorder=2.2,
        )
    )
    axes.plot(*trace.T, color="#111111", linewidth=0.8, zorder=3)


def _label(axes: Axes, panel: Panel, text: str, *, bold: bool) -> None:
    axes.text(
        panel.left + 1.0, panel.middle + LABEL_MM, text, fontsize=8,
        fontweight="bold" if bold else "normal",
    )  # fmt: skip


def _time_note(record: ExplainedRecord, start: int, n_shown: int) -> str:
    n_samples, rate = record.ecg.shape[-1], record.sampling_rate_hz
    if n_shown == n_samples:
        return ""
    first, last = start / rate, (start + n_shown) / rate
    return f"shown: {first:.1f} to {last:.1f} s of {n_samples / rate:.1f} s"


def _foot(sheet: Sheet, colours: ScalarMappable, *notes: str) -> None:
    """Draw the one bar of colours for all leads, and the notes beside it."""
    width_mm, height_mm = (inch * MM_PER_INCH for inch in sheet.figure.get_size_inches())
    left, width = 5 / width_mm, 66 / width_mm
    axes = sheet.figure.add_axes((left, 10 / height_mm, width, 2.6 / height_mm))
    bar = sheet.figure.colorbar(colours, cax=axes, orientation="horizontal")
    bar.ax.tick_params(labelsize=6.5, length=2, pad=1.5)
    bar.set_label(
        "|attribution|, logit per second, one scale for all leads", fontsize=6.5, labelpad=1
    )
    text = "\n".join(["★ largest share of the whole recording", *filter(None, notes)])
    sheet.figure.text(left + width + 8 / width_mm, 3 / height_mm, text, fontsize=6.5, va="bottom")
