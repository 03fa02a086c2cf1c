"""Refuse to measure or to apply weights that were never trained."""

from lightning import Callback, LightningModule, Trainer

from lsemvae.core.errors import InputError


class TrainedWeights(Callback):
    """Refuse to validate, test or predict where no checkpoint was read.

    Lightning takes the weights as they were drawn where `--ckpt_path` is missing, and where
    `--ckpt_path=last` finds nothing.

    Args:
        subcommand: of LightningCLI, for the message.
    """

    def __init__(self, subcommand: str) -> None:
        self._subcommand = subcommand

    def _check(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare with what the Trainer read.

        Raises:
            InputError: no checkpoint was read.
        """
        if trainer.ckpt_path is None:
            raise InputError(
                f"{self._subcommand} needs --ckpt_path=FILE, a checkpoint that fit or cv "
                "wrote; none was read, and weights as they were drawn say nothing"
            )

    on_validation_start = on_test_start = on_predict_start = _check
