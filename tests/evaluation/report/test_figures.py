"""Figures hide nothing that their numbers say."""

from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.figure import Figure

from lsemvae.evaluation.report import number_figures
from lsemvae.evaluation.report.curves import below_the_picture, panel


def test_curves_that_leave_the_picture_are_told() -> None:
    _, axes = panel("threshold", "net benefit", "title")
    axes.plot([0, 1, 2, 3], [0.2, 0.1, -0.5, -2.25], label="harmful")
    axes.plot([0, 1], [0.2, 0.1], label="useful")
    axes.plot([0, 1], [0.2, -9.0], label="act on everybody")
    axes.set_ylim(-0.1, 0.3)
    said = below_the_picture(axes, ["useful", "harmful"])
    assert said == " Below the picture: harmful at 2 of 4 thresholds, down to -2.25."
    assert below_the_picture(axes, ["useful"]) == ""


def test_a_poor_coverage_stays_in_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(number_figures, "draw", lambda figure, *_, **__: drawn.append(figure))
    levels = [
        {"nominal": 0.5, "coverage": {"value": 0.15, "low": 0.1, "high": 0.2}},
        {"nominal": 0.9, "coverage": {"value": 0.3, "low": 0.25, "high": 0.35}},
    ]
    number = SimpleNamespace(title="mPAP")
    run: Any = SimpleNamespace(
        title="LS-EMVAE", summary={"levels": levels},
        run=SimpleNamespace(target=SimpleNamespace(number=number)),
    )  # fmt: skip
    evidence: Any = SimpleNamespace(label="invented")
    number_figures.levels_figure(evidence, "mpap_mmhg", [run])
    axes = drawn[0].axes[0]
    assert axes.get_ylim()[0] <= 0.1
    assert axes.get_xlim()[0] <= 0.5
