"""What all tasks share: noise that can be resumed, and a loss that processes can share."""

import os
from typing import Any

import numpy as np
import torch
from lightning import LightningModule
from torch import Tensor

SEED_KEY = "noise_seed"
TRAINING, VALIDATION = 0, 1


class EcgTask(LightningModule):
    """A task whose noise in each batch is a function of seed, process and batches done.

    So a resumed run draws what the uninterrupted one would have drawn, wherever it was cut and
    whatever else has drawn random numbers meanwhile; every process of a distributed run has noise
    of its own, where Lightning seeds all of them alike; and validation neither moves the noise of
    the training nor depends on it. The seed is that of Lightning's seed_everything. It is part of
    the checkpoint.
    """

    _noise_seed: int | None = None

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Seed the noise of this batch."""
        self._seed(TRAINING)

    def on_validation_epoch_start(self) -> None:
        """Seed the noise of this validation."""
        self._seed(VALIDATION)

    def _seed(self, stage: int) -> None:
        if self._noise_seed is None:
            self._noise_seed = int(os.environ.get("PL_GLOBAL_SEED", torch.initial_seed()))
        done = self.trainer.fit_loop.epoch_loop.batch_progress.total.processed
        torch.manual_seed(noise_seed(self._noise_seed, self.global_rank, done, stage))

    def balanced(self, loss: Tensor, n_records: int) -> Tensor:
        """Weigh a batch's mean loss so that the mean over processes is the mean over records.

        Processes have batches of one size in every step of an epoch but the last.

        Args:
            loss: scalar.
            n_records: B of this process.
        """
        trainer = self.trainer
        if trainer.world_size == 1 or not trainer.is_last_batch:
            return loss
        share = torch.tensor(float(n_records), device=loss.device)
        mean = trainer.strategy.reduce(share.clone(), reduce_op="mean")
        return loss * share / mean

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the seed."""
        checkpoint[SEED_KEY] = self._noise_seed

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the seed of the run that is resumed."""
        self._noise_seed = checkpoint.get(SEED_KEY)


def noise_seed(seed: int, rank: int, n_done: int, stage: int) -> int:
    """Return 64 bits that differ, as good as surely, wherever one of the arguments does."""
    return int(np.random.SeedSequence([seed, rank, n_done, stage]).generate_state(1, np.uint64)[0])
