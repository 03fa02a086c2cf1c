"""What is printed of a network when a training begins."""

import pytest
from lightning import LightningModule
from lightning.pytorch.utilities.model_summary import summarize
from torch import nn

from lsemvae.callbacks.parameter_summary import ParameterSummary


class Task(LightningModule):
    """A network with six parameters, of which four are trained."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(2, 2)
        self.network.bias.requires_grad_(False)


def test_parameters_are_shown_and_operations_that_nobody_counted_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    summary = summarize(Task())
    ParameterSummary.summarize(
        summary._get_summary_data(), summary.total_parameters, summary.trainable_parameters,
        summary.model_size, {"train": 1, "eval": 0}, 0,
    )  # fmt: skip
    shown = capsys.readouterr().out
    assert "6 parameters" in shown
    assert "4 trained" in shown
    assert "network" in shown
    assert "FLOPs" not in shown
