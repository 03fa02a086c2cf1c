"""Share between tasks noise that can be resumed and a loss that processes can share."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from lightning import LightningModule
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.tasks.running_means import RunningMeans

SEED_KEY, MEANS_KEY = "noise_seed", "train_means"
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

    def __init__(self) -> None:
        super().__init__()
        self._means = {stage: RunningMeans() for stage in ("train", "val", "test")}

    def log_means(self, stage: str, values: Mapping[str, Tensor | float], n_records: int) -> None:
        """Log `stage/name`, the mean over all records of the epoch, when it ends.

        Args:
            stage: `train`, `val` or `test`.
            values: means over a batch of this process, scalars.
            n_records: B.
        """
        epoch = self.current_epoch if stage == "train" else 0
        self._means[stage].add(values, n_records, epoch=epoch)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Seed the noise of this batch."""
        self._seed(TRAINING)

    def on_validation_epoch_start(self) -> None:
        """Seed the noise of this validation."""
        self._seed(VALIDATION)
        self._means["val"].reset()

    def on_test_epoch_start(self) -> None:
        """Begin new means."""
        self._means["test"].reset()

    def on_train_epoch_end(self) -> None:
        """Log the means."""
        self._log("train")

    def on_validation_epoch_end(self) -> None:
        """Log the means."""
        self._log("val")

    def on_test_epoch_end(self) -> None:
        """Log the means."""
        self._log("test")

    def _log(self, stage: str) -> None:
        means = self._means[stage].compute(self._sum_over_processes)
        logged = {f"{stage}/{name}": value for name, value in means.items()}
        self.log_dict(logged, sync_dist=True)  # of equal values; it also keeps Lightning quiet
        self._means[stage].reset()

    def _sum_over_processes(self, value: Tensor) -> Tensor:
        return torch.as_tensor(self.trainer.strategy.reduce(value, reduce_op="sum"))

    def _seed(self, stage: int) -> None:
        if self._noise_seed is None:
            self._noise_seed = int(os.environ.get("PL_GLOBAL_SEED", torch.initial_seed()))
        done = self.trainer.fit_loop.epoch_loop.batch_progress.total.completed
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
        """Add the seed and the means so far."""
        checkpoint[SEED_KEY] = self._noise_seed
        checkpoint[MEANS_KEY] = self._means["train"].state(self._sum_over_processes)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the seed and the means of the run that is resumed."""
        seed = checkpoint.get(SEED_KEY)
        if seed is not None and not (isinstance(seed, int) and seed >= 0):
            raise InputError(
                f"the checkpoint's {SEED_KEY} is {seed!r:.40}, expected a whole number from 0; "
                "take another copy or an earlier checkpoint"
            )
        self._noise_seed = seed
        if MEANS_KEY in checkpoint:
            self._means["train"].load(checkpoint[MEANS_KEY], first=self.global_rank == 0)


def noise_seed(seed: int, rank: int, n_done: int, stage: int) -> int:
    """Return 64 bits that differ, as good as surely, wherever one of the arguments does."""
    return int(np.random.SeedSequence([seed, rank, n_done, stage]).generate_state(1, np.uint64)[0])
