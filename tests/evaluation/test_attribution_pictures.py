from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from lsemvae.core.leads import LEADS, LIMB_LEADS
from lsemvae.evaluation.plots.ecg_sheet import COLUMN_S, MM_PER_INCH, Sheet
from lsemvae.explain.figures import gate_figure, ranking_figure, waves_figure
from lsemvae.explain.sheet import ExplainedRecord, draw_attribution, heat_colours

RATE_HZ = 250.0


def explained(
    leads: tuple[str, ...] = LEADS, *, duration_s: float = 1.2, absent: str | None = None
) -> ExplainedRecord:
    """Return a record whose attribution is one pulse per lead, twice as large in lead II."""
    n = round(duration_s * RATE_HZ)
    ecg = np.tile(np.sin(np.linspace(0, 20, n)), (len(leads), 1))
    value = np.zeros_like(ecg)
    value[:, n - 100 : n - 50] = 1.0
    value[leads.index("II")] *= 2.0
    present = np.array([lead != absent for lead in leads])
    return ExplainedRecord(ecg, value * present[:, None], present, leads, RATE_HZ, True)


def texts(figure: Figure) -> list[str]:
    found = list(figure.texts)
    for axes in figure.axes:
        found += axes.texts
    return [text.get_text() for text in found]


def heats(sheet: Sheet) -> list[PolyCollection]:
    return [part for part in sheet.axes.collections if isinstance(part, PolyCollection)]


@pytest.mark.parametrize("leads", [LEADS, LIMB_LEADS])
def test_every_lead_has_its_share_and_the_largest_a_star(leads: tuple[str, ...]) -> None:
    sheet = draw_attribution(explained(leads), title="record r1\nSYNTHETIC data")
    largest, other = 2 / (len(leads) + 1), 1 / (len(leads) + 1)
    shown = texts(sheet.figure)
    assert f"II ★  {largest:.0%}" in shown
    assert f"I  {other:.0%}" in shown
    assert sum(" ★ " in text for text in shown) == 1
    assert "record r1\nSYNTHETIC data" in shown


def test_all_leads_share_one_scale_of_colours() -> None:
    sheet = draw_attribution(explained(), title="")
    darkest = heat_colours()(1.0)
    drawn = heats(sheet)
    reaches_the_end = [bool(np.allclose(part.get_facecolor()[-1], darkest)) for part in drawn]
    assert reaches_the_end == [lead == "II" for lead in LEADS]
    half = heat_colours()(0.5)
    assert np.abs(drawn[0].get_facecolor()[-1] - half).max() < 0.05


def test_colours_get_darker_with_the_attribution() -> None:
    red, green, blue, _ = heat_colours()(np.linspace(0, 1, 64)).T
    lightness = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    assert (np.diff(lightness) < 1e-3).all()
    assert lightness[0] > 0.99
    assert lightness[-1] < 0.15


def test_heat_lies_on_the_samples_that_it_belongs_to() -> None:
    record = explained()
    sheet = draw_attribution(record, title="")
    panel = sheet.panels["I"]
    corners = np.concatenate([path.vertices for path in heats(sheet)[0].get_paths()])
    n = record.ecg.shape[-1]
    first, last = (panel.left + (n - samples) / RATE_HZ * 25.0 for samples in (100, 50))
    assert corners[:, 0].min() == pytest.approx(first, abs=0.6)
    assert corners[:, 0].max() == pytest.approx(last, abs=0.6)


def test_traces_are_true_to_scale() -> None:
    sheet = draw_attribution(explained(), title="")
    line = sheet.axes.lines[0]
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert x[-1] - x[0] == pytest.approx((1.2 - 1 / RATE_HZ) * 25)
    assert y.max() - y.min() == pytest.approx(20, abs=0.1)  # 2 mV
    box = sheet.axes.get_position()
    width_mm = sheet.figure.get_size_inches()[0] * box.width * MM_PER_INCH
    assert sheet.axes.get_xlim()[1] == pytest.approx(width_mm)


def test_absent_lead_is_named_and_not_drawn() -> None:
    sheet = draw_attribution(explained(absent="V3"), title="")
    assert "V3 absent" in texts(sheet.figure)
    assert len(heats(sheet)) == 11


def test_long_recordings_show_the_seconds_that_matter() -> None:
    sheet = draw_attribution(explained(duration_s=10.0), title="")
    (note,) = [text for text in texts(sheet.figure) if "largest share" in text]
    assert len(sheet.time_mm) == COLUMN_S * RATE_HZ
    first, last = (float(word) for word in note.split("shown: ")[1].split(" s of")[0].split(" to "))
    assert first <= 9.6  # where the pulse is, to 9.8 s
    assert 9.8 <= last <= 10.0


def test_arbitrary_units_are_said_to_be_so() -> None:
    record = explained()._replace(calibrated=False)
    shown = texts(draw_attribution(record, title="").figure)
    assert any("not calibrated" in text for text in shown)


def cut_texts(figure: Figure) -> list[str]:
    """Return the texts that reach beyond the picture."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    for axes in figure.axes:  # ticks beyond the limits of an axis exist and are not drawn
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            unseen = [tick for tick in axis.get_major_ticks()
                      if not min(low, high) <= tick.get_loc() <= max(low, high)]  # fmt: skip
            shown = [t for t in shown if t not in {x for k in unseen for x in (k.label1, k.label2)}]
    boxes = {text: text.get_window_extent(canvas.get_renderer()) for text in shown}
    width, height = figure.bbox.width, figure.bbox.height
    return [
        text.get_text() for text, box in boxes.items()
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]  # fmt: skip


TITLE = (
    "detection, ls_emvae\n6 leads cut from 12-lead recordings, SYNTHETIC data (synthetic cohort)"
)


def test_nothing_is_cut_off() -> None:
    for leads in (LEADS, LIMB_LEADS):
        sheet = draw_attribution(explained(leads), title=TITLE)
        assert cut_texts(sheet.figure) == []
    for figure in cohort_figures():
        assert cut_texts(figure) == []


def cohort_figures() -> list[Figure]:
    shares = np.linspace(0.3, 0.05, 12)
    ranking = pd.DataFrame({"lead": LEADS, "share": shares, "low": shares - 0.02,
                            "high": shares + 0.02, "first": 0.5})  # fmt: skip
    waves = ["P", "QRS", "T", "other"]
    summary = pd.DataFrame({"wave": waves, "share": 0.25, "low": 0.2, "high": 0.3,
                            "time_share": 0.25})  # fmt: skip
    by_lead = pd.DataFrame(np.full((12, 4), 1 / 48), index=list(LEADS), columns=waves)
    gate = pd.DataFrame(
        [(name, expert, label, 0.1, 0.01)
         for name, leads in (("12L", LEADS), ("6L", LIMB_LEADS))
         for label in (0, 1) for expert in (*leads, "PoE")],
        columns=["lead_set", "expert", "label", "mean", "sd"],
    )  # fmt: skip
    return [
        ranking_figure(ranking, TITLE),
        waves_figure(summary, by_lead, TITLE),
        gate_figure(gate, ("non-PH", "PH"), TITLE),
    ]


def test_gate_picture_shows_every_weight() -> None:
    gate = pd.DataFrame(
        [(name, expert, label, mean, 0.05)
         for name, mean in (("12L", 0.1), ("6L", 0.6))  # fewer experts, so larger weights
         for label in (0, 1) for expert in ("I", "PoE")],
        columns=["lead_set", "expert", "label", "mean", "sd"],
    )  # fmt: skip
    for axes in gate_figure(gate, ("non-PH", "PH"), TITLE).axes:
        low, high = axes.get_ylim()
        assert low == 0
        assert high > 0.65


def test_cohort_pictures_say_what_they_show(tmp_path: Path) -> None:
    ranking, waves, gate = cohort_figures()
    assert any("first in 50% of resamples" in text for text in texts(ranking))
    assert ranking.axes[0].get_yticklabels()[0].get_text() == "I ★"
    assert any("2.1%" in text for text in texts(waves))
    assert [len(axes.get_xticks()) for axes in gate.axes] == [13, 7]
    for figure in (ranking, waves, gate):
        figure.savefig(tmp_path / "picture.svg")
        assert ElementTree.parse(tmp_path / "picture.svg").getroot().tag.endswith("svg")


def test_every_gate_weight_lies_within_its_picture() -> None:
    """The heaviest expert may be in the second set of leads: six leads give one more weight."""
    rows = [
        (leads, expert, label, mean, 0.02)
        for leads, weights in (("12L", (0.1, 0.2)), ("6L", (0.3, 0.9)))
        for expert, mean in zip(("I", "PoE"), weights, strict=True)
        for label in (0, 1)
    ]
    gate = pd.DataFrame(rows, columns=["lead_set", "expert", "label", "mean", "sd"])
    figure = gate_figure(gate, ("no", "yes"), "title")
    for axes in figure.axes:
        assert axes.get_ylim()[0] == 0.0
        assert axes.get_ylim()[1] > 0.92
