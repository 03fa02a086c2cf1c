"""What a run of Lightning says of itself."""

import logging
import os
import warnings

import pytest

from lsemvae.runtime.quiet import silence_lightning, silence_matplotlib


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Tip: try installing [litlogger] for seamless logging", False),
        ("TPU available: False, using: 0 TPU cores", False),
        ("GPU available: False, used: False", False),
        ("GPU available: True (cuda), used: False", True),
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


EMPTY = "Total length of `{}` across ranks is zero. Please make sure this was your intention."


def test_warnings_that_say_nothing_are_left_out_and_others_stay() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        silence_lightning()
        for text in (
            "The number of batches (2) is smaller than the logging interval",
            EMPTY.format("list"),  # without validation; of a loader it would be a fault
            EMPTY.format("DataLoader"),
            "the loss is not finite",
        ):
            warnings.warn(text, stacklevel=1)
    kept = [str(one.message) for one in seen]
    assert kept == [EMPTY.format("DataLoader"), "the loss is not finite"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("mkdir -p failed for path /nonexistent/.config/matplotlib: Permission denied", False),
        ("Matplotlib created a temporary cache directory at /tmp/matplotlib-1", False),
        ("Bad key in file matplotlibrc", True),
    ],
)
def test_a_home_that_cannot_be_written_is_no_news(
    text: str, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    silence_matplotlib()
    logging.getLogger("matplotlib").warning(text)
    assert (text in caplog.text) == kept


def test_a_backend_for_windows_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://somebodys")
    silence_matplotlib()
    assert os.environ["MPLBACKEND"] == "agg"


def test_onnxruntime_is_told_to_send_nothing() -> None:
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
