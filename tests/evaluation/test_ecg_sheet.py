import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from lsemvae.core.leads import LEADS
from lsemvae.evaluation.plots.ecg_sheet import NAME_TOP_MM, WITH_RHYTHM, draw_twelve_leads

RATE = 100.0


@pytest.mark.parametrize(("peak_mv", "above_mm"), [(0.5, 9.5), (1.1, 12.0), (3.0, NAME_TOP_MM)])
def test_a_name_is_written_above_the_complex_below_it(peak_mv: float, above_mm: float) -> None:
    ecg = np.zeros((12, 1000))
    ecg[1, 5] = peak_mv  # 1.25 mm from the begin of the trace
    ecg[2, 200] = 3.0  # nowhere near the name
    figure = draw_twelve_leads(
        {"x": ecg}, sampling_rate_hz=RATE, title="t", styles=[{}], calibrated=True,
        layout=WITH_RHYTHM,
    )  # fmt: skip
    (axes,) = figure.axes
    lines = [line.get_ydata()[0] for line in axes.lines]  # zero lines, in the order of leads

    def heights(lead: str) -> list[float]:
        return [text.get_position()[1] for text in axes.texts if text.get_text() == lead]

    assert heights("II") == pytest.approx([lines[1] + above_mm, lines[-1] + above_mm])
    assert heights("III") == pytest.approx([lines[LEADS.index("III")] + 9.5])


@pytest.mark.parametrize("seconds", [1.2, 10.0])
def test_a_title_that_is_wider_than_the_sheet_is_folded_and_has_room(seconds: float) -> None:
    end = "(SYNTHETIC; research software, not a medical device)"
    title = f"record_{'1' * 20}\nwithheld: fewer leads are usable than in any recording of it {end}"
    ecg = np.zeros((12, round(seconds * RATE)))
    figure = draw_twelve_leads(
        {"x": ecg}, sampling_rate_hz=RATE, title=title, styles=[{}], calibrated=True
    )
    (text,) = figure.texts
    assert text.get_text().split() == title.split()
    place = text.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    paper = figure.axes[0].get_window_extent()
    assert place.x1 <= figure.bbox.x1
    assert paper.y1 <= place.y0
    assert place.y1 <= figure.bbox.y1
