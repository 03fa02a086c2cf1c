"""Anneal the weight of the KL divergence over the steps of pre-training."""

import math
from typing import Any, Literal

from lightning import Callback, LightningModule, Trainer

from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.tasks.pretrain import Pretrainer

Shape = Literal["linear", "sigmoid", "cyclical", "constant"]
N_CYCLES = 4  # Fu et al. 2019, arXiv:1903.10145
SIGMOID_STEEPNESS = 12.0  # runs from .0025 to .9975 before it is stretched to 0..1


def annealed_beta(step: int, n_steps: int, *, shape: Shape, end: float) -> float:
    """Return beta at a global step: 0 at step 0, `end` from `n_steps` on.

    Args:
        step: optimiser steps done, >= 0.
        n_steps: length of the schedule, >= 1.
        shape: `linear` (the paper raises beta "gradually"), `sigmoid`, `cyclical` (four linear
            ramps, each held for half a cycle) or `constant` (`end` throughout).
        end: final beta.
    """
    if shape == "constant" or step >= n_steps:
        return end
    position = step / n_steps
    if shape == "cyclical":
        position = min(1.0, 2.0 * (position * N_CYCLES % 1.0))
    if shape == "sigmoid":
        position = _stretched_sigmoid(position)
    return end * position


def _stretched_sigmoid(position: float) -> float:
    def sigmoid(value: float) -> float:
        return 1.0 / (1.0 + math.exp(-SIGMOID_STEEPNESS * (value - 0.5)))

    return (sigmoid(position) - sigmoid(0.0)) / (sigmoid(1.0) - sigmoid(0.0))


class BetaAnnealing(Callback):
    """Set the Pretrainer's beta from the global step, before every training batch.

    Args:
        shape: see `annealed_beta`.
        end: final beta (paper section 2: 1).
        n_steps: length of the schedule in optimiser steps; None takes half of the run's steps (the
            paper gives no length). It is part of the checkpoint, so a resumed run goes on as it
            began.
    """

    def __init__(
        self, shape: Shape = "linear", end: float = 1.0, *, n_steps: int | None = None
    ) -> None:
        if end < 0:
            raise InputError(f"beta must end at >= 0, got {end}")
        if n_steps is not None and n_steps < 1:
            raise InputError(f"n_steps of BetaAnnealing must be >= 1, got {n_steps}")
        self.shape: Shape = shape
        self.end, self.n_steps = end, n_steps

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Fix the length of the schedule.

        Raises:
            InputError: the schedule is longer than the run, or the task has no beta.
        """
        if not isinstance(pl_module, Pretrainer):
            raise InputError("BetaAnnealing works on lsemvae.tasks.Pretrainer only")
        if self.shape != "constant":
            self.n_steps = self._checked_length(trainer.estimated_stepping_batches)
        pl_module.beta = self._beta(trainer.global_step)

    def _checked_length(self, total: float) -> int:
        """Return the length of the schedule in a run of `total` steps."""
        if self.n_steps is None and math.isinf(total):
            raise InputError("a run without an end needs n_steps of BetaAnnealing")
        n_steps = max(1, int(total) // 2) if self.n_steps is None else self.n_steps
        if n_steps > total:
            raise InputError(
                f"beta reaches its end after {counted(n_steps, 'step')}, the run has {total}; set "
                "n_steps of BetaAnnealing to at most that"
            )
        return n_steps

    def _beta(self, step: int) -> float:
        return annealed_beta(step, self.n_steps or 1, shape=self.shape, end=self.end)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set beta for this step."""
        if isinstance(pl_module, Pretrainer):
            pl_module.beta = self._beta(trainer.global_step)

    def state_dict(self) -> dict[str, Any]:
        """Return the length of the schedule."""
        return {"n_steps": self.n_steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the length of the run that is resumed."""
        self.n_steps = state_dict["n_steps"]
