"""Draw a recording with its findings below it."""

from matplotlib.figure import Figure

from lsemvae.evaluation.plots.ecg_sheet import (
    ALL_SECONDS,
    MM_PER_INCH,
    WITH_RHYTHM,
    draw_twelve_leads,
    folded_lines,
)
from lsemvae.viewing.recordings import View, finding_line

LINE_INCH = 0.16
LETTER_MM = 1.6  # of 7.5 points, all of one width
MOST_MM = 196.0  # of a line of findings, which is longer to read on a wider sheet


def draw_view(seen: View, *, whole: bool = False) -> Figure:
    """Draw the leads and, below the paper, the findings.

    Args:
        seen: the recording.
        whole: every second of every lead, one below the other, in place of 2.5 s of each and a
            rhythm strip of II.
    """
    figure = draw_twelve_leads(
        {seen.title: seen.ecg},
        sampling_rate_hz=seen.sampling_rate_hz,
        title=seen.title,
        styles=[{"color": "black", "linewidth": 0.7}],
        calibrated=seen.calibrated,
        layout=ALL_SECONDS if whole else WITH_RHYTHM,
    )
    texts = (finding_line(code, text) for code, text in seen.findings)
    width_mm = min(MOST_MM, figure.get_figwidth() * MM_PER_INCH)
    lines = [line for text in texts for line in folded_lines(text, width_mm, LETTER_MM)]
    _add_below(figure, lines)
    return figure


def _add_below(figure: Figure, lines: list[str]) -> None:
    """Lengthen a figure by lines of text; what it holds keeps its size and moves up."""
    height = figure.get_figheight()
    added = LINE_INCH * (len(lines) + 1)
    total = height + added
    figure.set_figheight(total)
    for axes in figure.axes:
        box = axes.get_position()
        bottom, tall = (box.y0 * height + added) / total, box.height * height / total
        axes.set_position((box.x0, bottom, box.width, tall))
    for text in figure.texts:
        text.set_y((text.get_position()[1] * height + added) / total)
    figure.text(
        0.02, (added - 0.4 * LINE_INCH) / total, "\n".join(lines), va="top", fontsize=7.5,
        family="monospace", linespacing=1.3,
    )  # fmt: skip
