"""The same figure is the same file, whenever it is drawn."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

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
