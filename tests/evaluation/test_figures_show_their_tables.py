"""What a figure draws is what its table says: places, bars, ends of intervals and names."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from lsemvae.evaluation.plots.label_curve import label_curve
from lsemvae.evaluation.plots.stress import PANELS, row_name, stress_figure
from lsemvae.evaluation.plots.study_plan import plan_figure
from lsemvae.evaluation.tables.study_plan import StudyPlan, precisions
from lsemvae.evaluation.worth import LARGER_CLASS, LINEAR, title_of
from lsemvae.explain.figures import gate_figure, ranking_figure, waves_figure

FloatArray = npt.NDArray[np.float64]


def drawn_intervals(axes: Axes, axis: int) -> list[FloatArray]:
    """Return the ends of every interval along an axis, (n, 2) for each set of them."""
    lines = [part for part in axes.collections if isinstance(part, LineCollection)]
    return [segment_ends(part, axis) for part in lines]


def segment_ends(lines: LineCollection, axis: int) -> FloatArray:
    """Return the ends of the lines that are drawn; those without numbers are not."""
    segments = [np.asarray(one, float) for one in lines.get_segments()]
    return np.array([one[:, axis] for one in segments if len(one)])


def line_data(line: Line2D) -> tuple[FloatArray, FloatArray]:
    x, y = line.get_data(orig=False)
    return np.asarray(x, float), np.asarray(y, float)


def bars(axes: Axes) -> list[Rectangle]:
    (drawn,) = (part for part in axes.containers if isinstance(part, BarContainer))
    return list(drawn.patches)


def ends(table: pd.DataFrame, names: Sequence[str] = ("low", "high")) -> FloatArray:
    return table[list(names)].to_numpy(float)


def y_names(axes: Axes) -> dict[float, str]:
    return dict(zip(axes.get_yticks(), (one.get_text() for one in axes.get_yticklabels()),
                    strict=True))  # fmt: skip


@pytest.fixture
def ranking() -> pd.DataFrame:
    """Return three leads; the interval of the last does not hold its share."""
    return pd.DataFrame({
        "lead": ["V1", "II", "aVR"], "share": [0.6, 0.3, 0.1], "low": [0.5, 0.1, 0.11],
        "high": [0.65, 0.45, 0.2], "first": [0.9, 0.1, 0.0],
    })  # fmt: skip


def test_the_ranking_of_leads(ranking: pd.DataFrame) -> None:
    axes = ranking_figure(ranking, "title").axes[0]
    assert [one.get_width() for one in bars(axes)] == ranking["share"].tolist()
    (found,) = drawn_intervals(axes, 0)
    np.testing.assert_allclose(found, ends(ranking))
    places = [one.get_y() + one.get_height() / 2 for one in bars(axes)]
    assert [y_names(axes)[round(place)] for place in places] == ["V1 ★", "II", "aVR"]
    assert [text.get_text().split()[0] for text in axes.texts] == ["60.0%", "30.0%", "10.0%"]


def test_the_shares_of_waves() -> None:
    summary = pd.DataFrame({
        "wave": ["P", "QRS"], "share": [0.2, 0.8], "low": [0.21, 0.7], "high": [0.3, 0.85],
        "time_share": [0.4, 0.6],
    })  # fmt: skip
    by_lead = pd.DataFrame([[0.05, 0.3], [0.15, 0.5]], index=["I", "II"], columns=["P", "QRS"])
    left, right = waves_figure(summary, by_lead, "title").axes
    assert [one.get_height() for one in bars(left)] == [0.2, 0.8]
    np.testing.assert_allclose(drawn_intervals(left, 1)[0], ends(summary))
    assert [0.4, 0.6] in [line_data(line)[1].tolist() for line in left.lines]
    cells = {one.get_position(): one.get_text() for one in right.texts}
    assert cells == {(0, 0): "5.0%", (1, 0): "30.0%", (0, 1): "15.0%", (1, 1): "50.0%"}
    assert [one.get_text() for one in right.get_yticklabels()] == ["I", "II"]


def test_the_gate() -> None:
    gate = pd.DataFrame(
        [("12L", expert, label, 0.1 * n + 0.3 * label, 0.01 * (n + 1))
         for n, expert in enumerate(["I", "V1", "PoE"]) for label in (0, 1)],
        columns=["lead_set", "expert", "label", "mean", "sd"],
    )  # fmt: skip
    (axes,) = gate_figure(gate, ("no PH", "PH"), "title").axes
    drawn = [part for part in axes.containers if isinstance(part, ErrorbarContainer)]
    assert [part.get_label() for part in drawn] == ["no PH", "PH"]
    for label, part in enumerate(drawn):
        own = gate[gate["label"] == label]
        np.testing.assert_allclose(line_data(part.lines[0])[1], own["mean"])
        np.testing.assert_allclose(
            segment_ends(part.lines[2][0], 1),
            np.column_stack([own["mean"] - own["sd"], own["mean"] + own["sd"]]),
        )


def test_shifts_of_a_device() -> None:
    table = pd.DataFrame({
        "shift": ["as they are", "noise", "noise"], "dose": [0.0, 0.1, 0.3],
        "unit": ["", "mV", "mV"],
        "auroc": [0.8, 0.75, np.nan], "auroc_low": [0.7, 0.6, np.nan],
        "auroc_high": [0.9, 0.85, np.nan], "slope": [1.1, 0.9, 0.2], "withheld": [0.0, 0.1, 1.0],
        "mean_absolute_change": [0.0, 0.02, 0.3],
    })  # fmt: skip
    axes = stress_figure(table, "title").axes
    names = y_names(axes[0])
    for panel, name in zip(axes, PANELS, strict=True):
        (points,) = (part for part in panel.collections if isinstance(part, PathCollection))
        offsets = np.ma.filled(points.get_offsets(), np.nan)
        placed = {names[y]: x for x, y in offsets[np.isfinite(offsets).all(axis=1)]}
        known = table[table[name].notna()]
        assert placed == dict(zip(map(row_name, known.to_dict("records")), known[name],
                                  strict=True))  # fmt: skip
        assert line_data(panel.lines[0])[0].tolist() == [table[name].iloc[0]] * 2
    np.testing.assert_allclose(
        drawn_intervals(axes[0], 0)[0], ends(table, ("auroc_low", "auroc_high"))[:2]
    )
    assert axes[2].get_xlim()[1] > 1.0


def test_label_curves() -> None:
    rows = ["pretrained", "random", LARGER_CLASS]
    table = pd.DataFrame(
        [(row, LINEAR, fraction, 0.5 + fraction / 4 + 0.1 * n, 0.02 if fraction < 1 else np.nan)
         for n, row in enumerate(rows) for fraction in (0.1, 1.0)],
        columns=["row", "head", "fraction", "auroc", "sd_draws"],
    )  # fmt: skip
    (axes,) = label_curve(table, "title").axes
    assert "SD over the draws" in axes.get_ylabel()
    drawn = [part for part in axes.containers if isinstance(part, ErrorbarContainer)]
    assert [part.get_label() for part in drawn] == [title_of(row) for row in rows[:2]]
    for row, part in zip(rows, drawn, strict=False):
        own = table[table["row"] == row]
        x, y = line_data(part.lines[0])
        np.testing.assert_allclose(y, own["auroc"])
        np.testing.assert_allclose(x, 100 * own["fraction"], rtol=0.05)  # side by side
        spread = segment_ends(part.lines[2][0], 1)
        np.testing.assert_allclose(np.ptp(spread, axis=1) / 2, own["sd_draws"].fillna(0), atol=1e-9)


def test_the_plan_of_a_study() -> None:
    measures = precisions(StudyPlan(prevalence=0.6, auroc=0.8))
    figure = plan_figure(measures, "title", 400)
    (axes,) = figure.axes
    curves = [line for line in axes.lines if line.get_label().startswith(tuple(
        one.name for one in measures))]  # fmt: skip
    dots = [line.get_xydata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert len(curves) == len(dots) == len(measures)
    for one, curve, dot in zip(measures, curves, dots, strict=True):
        n, width = line_data(curve)
        np.testing.assert_allclose(width, [one.half_width(at) for at in n])
        assert dot.tolist() == [one.n_patients, one.target]
        assert one.half_width(one.n_patients) <= one.target < one.half_width(one.n_patients - 1)
    assert [text.get_text() for text in axes.texts] == ["400 patients"]
