"""Silence what libraries say in every run and nobody can act on."""

import logging
import os
import warnings

# Beginnings are enough; the tests of the project ignore the same (pyproject.toml).
WARNINGS = (
    ".*does not have many workers.*",
    ".*in eval mode at the start of training.*",  # the frozen encoder
    ".*isinstance.treespec, LeafSpec.*",
    ".*smaller than the logging interval.*",
    "Checkpoint directory .* exists and is not empty.*",  # of the run that goes on, or is replaced
    "LightningCLI's args parameter.*",
    "Total length of `list` across ranks is zero.*",  # no part to validate on, as was asked for
)
MESSAGES = (
    "litlogger", "TPU", "FLOPs", "estimate number of stepping batches",
    "GPU available: False",  # a GPU that is there and not used is told
    # where the home cannot be written, matplotlib makes a folder of its own and goes on
    "mkdir -p failed", "is not a writable directory", "temporary cache directory", "font cache",
)  # fmt: skip


def silence_lightning() -> None:
    """Leave out tips, advertisements and warnings about small data; errors and the rest stay."""
    for message in WARNINGS:
        warnings.filterwarnings("ignore", message)
    _filter("lightning.pytorch.utilities.rank_zero", "lightning.pytorch",
            "lightning.fabric.utilities.rank_zero")  # fmt: skip


def silence_matplotlib() -> None:
    """Leave out what matplotlib says of a home that it cannot write to; before it is imported.

    Pictures are files: a backend that the environment or a `matplotlibrc` of the current folder
    names would be imported, and one that is none would be a fault of the program.
    """
    os.environ["MPLBACKEND"] = "agg"
    _filter("matplotlib", "matplotlib.font_manager")


def _filter(*names: str) -> None:
    for name in names:
        logger = logging.getLogger(name)
        if not any(isinstance(one, _Unhelpful) for one in logger.filters):
            logger.addFilter(_Unhelpful())


class _Unhelpful(logging.Filter):
    """Drop messages about what a run does not use."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not any(word in record.getMessage() for word in MESSAGES)
