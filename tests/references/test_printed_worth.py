import pytest

from lsemvae.evaluation.tables.terminal import PlainConsole
from lsemvae.evaluation.worth import HEADER
from lsemvae.references.printed import _terminal_table

ROW = ["linear probe", "100 %", "random convolutions (mean of 5)", "0.918 [0.900, 0.936]", "0.002",
       "0.011", "+0.009 [+0.000, +0.019]"]  # fmt: skip


def test_no_word_is_cut_in_a_terminal_of_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    PlainConsole().print(_terminal_table("made up (SYNTHETIC)", [ROW]))
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed
    words = " ".join([*ROW[2:], *HEADER[2:]]).split()
    assert [word for word in words if word not in printed.split()] == []
