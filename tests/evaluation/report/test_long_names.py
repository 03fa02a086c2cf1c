"""Where a page breaks names and sentences in a cell."""

import pytest

from lsemvae.evaluation.report.html import broken_well


@pytest.mark.parametrize(
    ("cell", "html"),
    [
        ("ls_emvae_recommended", "ls_<wbr>emvae_<wbr>recommended"),
        ("lsemvae.models.BeatLsEmvae", "lsemvae.<wbr>models.<wbr>BeatLsEmvae"),
        ("their_net", "their_net"),
        ("cv --mpap_threshold_mmhg 20", "cv --mpap_threshold_mmhg 20"),
        ("0.643 [0.565, 0.715]", "0.643 [0.565,\N{NO-BREAK SPACE}0.715]"),
        ("<b>a_long_name_of_a_stranger</b>", "&lt;b&gt;a_long_name_of_a_stranger&lt;/b&gt;"),
    ],
)  # fmt: skip
def test_a_long_name_breaks_after_a_mark_and_markup_of_strangers_stays_text(
    cell: str, html: str
) -> None:
    assert broken_well(cell) == html
