"""The same figure is the same file, whenever it is drawn."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from lsemvae.core.figure_files import save_figure


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_a_figure_drawn_twice_is_the_same_file(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = []
    for seconds in ("0", "100000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
        figure = Figure()
        axes = figure.subplots()
        axes.plot([0, 1], clip_on=True, marker="o")
        save_figure(figure, tmp_path / f"a.{ending}")
        contents.append((tmp_path / f"a.{ending}").read_bytes())
    assert contents[0] == contents[1]


def test_texts_from_files_are_shown_as_they_are_written(tmp_path: Path) -> None:
    """As formulas these end with an error of matplotlib; an escape was printed by its warning."""
    odd = "$\\frac{$ \x1b[31m"
    figure = Figure()
    axes = figure.subplots()
    axes.set_title(odd)
    axes.set_xticks([0, 1], [odd, "cost $5, $6"])
    axes.set_yscale("log")
    axes.plot([0, 1], [1, 1000], label=odd)
    axes.legend()
    figure.text(0, 0, odd)
    save_figure(figure, tmp_path / "a.png")
    shown = [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]
    assert shown.count(r"$\frac{$ \x1b[31m") >= 4  # title, tick, legend, text
    assert not [text for text in shown if "\x1b" in text]
    assert any("10^{2}" in text for text in shown)
