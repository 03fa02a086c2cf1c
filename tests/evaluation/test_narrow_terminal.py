"""Tables on a terminal that is too narrow for all of their columns."""

import pandas as pd
import pytest

from lsemvae.evaluation.tables.terminal import print_frame

METRICS = ["accuracy", "AUROC", "MCC"]
COLUMNS = [f"{paper}{metric} {leads}" for metric in METRICS for leads in ("12L", "6L")
           for paper in ("", "paper ")]  # fmt: skip
WIDE = pd.DataFrame([["ResNet1d", "no", *["0.517 ± 0.017"] * 12]],
                    columns=["method", "pre-trained", *COLUMNS])  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 100])
def test_a_wide_table_stands_in_parts_and_no_word_is_broken(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    print_frame(WIDE, "detection", "two folds")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    assert words.count("accuracy") == 4
    assert words.count("0.517") == 12
    assert words.count("ResNet1d") == words.count("method") > 1
    assert words.count("detection") == 1
    assert words[-2:] == ["two", "folds"]


def test_a_table_whose_words_fit_stays_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    print_frame(WIDE, "detection")
    assert capsys.readouterr().out.count("method") == 1
