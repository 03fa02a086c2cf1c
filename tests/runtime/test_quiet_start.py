"""What a run of Lightning says of itself."""

import logging
import warnings

import pytest

from lsemvae.runtime.quiet import silence_lightning


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Tip: try installing [litlogger] for seamless logging", False),
        ("TPU available: False, using: 0 TPU cores", False),
        ("GPU available: False, used: False", True),
        ("`Trainer.fit` stopped: `max_epochs=1` reached.", True),
    ],
)
def test_only_what_a_run_does_not_use_is_left_out(
    text: str, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    silence_lightning()
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    with caplog.at_level(logging.INFO, logger=logger.name):
        logger.info(text)
    assert (text in caplog.text) == kept


def test_warning_about_a_small_data_set_is_left_out_and_others_stay() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        silence_lightning()
        warnings.warn(
            "The number of batches (2) is smaller than the logging interval", stacklevel=1
        )
        warnings.warn("the loss is not finite", stacklevel=1)
    assert [str(one.message) for one in seen] == ["the loss is not finite"]
