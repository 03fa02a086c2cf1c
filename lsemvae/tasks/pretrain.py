"""Pre-train a network without labels."""

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.core.types import EcgBatch
from lsemvae.models.base import LossTerms, PretrainableNetwork
from lsemvae.models.checkpoint import NETWORK_KEY, describe_network
from lsemvae.tasks.optimiser import (
    Betas,
    adamw,
    check_learning_rate,
    clip_in_step,
    cosine_schedule,
    takes_clipping,
)
from lsemvae.tasks.task import EcgTask


class Pretrainer(EcgTask):
    """Train a network on its own objective: ELBO and alignment for LS-EMVAE (equations 1 and 2).

    Args:
        network: what to pre-train.
        lr: learning rate of AdamW (paper section 3: 1e-4).
        weight_decay: the paper gives none; PyTorch's default.
        betas: of AdamW; PyTorch's default.
        warmup_epochs: with a number of epochs, which may be 0, the learning rate rises over them
            and then falls to zero along a cosine; None keeps it constant, as the paper.
        lead_dropout: share of the training recordings that are seen through a random subset of
            their leads while all of them are reconstructed; 0 as in the paper.
        shard_optimiser: keep a part of the optimiser's state on each process of a distributed run
            (ZeRO stage 1): at 256M parameters up to 2 GB less on each GPU.
        compile_loss: let torch.compile generate code for the loss. It takes a C++ compiler and a
            minute at the start; the numbers stay the same. docs/performance.md has what it gains.
    """

    _compiled: Callable[..., LossTerms] | None = None

    def __init__(
        self,
        network: PretrainableNetwork,
        *,
        lr: float = 1e-4,
        weight_decay: float = 0.01,
        betas: Betas = (0.9, 0.999),
        warmup_epochs: float | None = None,
        lead_dropout: float = 0.0,
        shard_optimiser: bool = False,
        compile_loss: bool = False,
    ) -> None:
        super().__init__()
        check_learning_rate(lr, weight_decay)
        if not 0.0 <= lead_dropout <= 1.0:
            raise InputError(f"lead_dropout must be in [0, 1], got {lead_dropout}")
        if warmup_epochs is not None and warmup_epochs < 0:
            raise InputError(f"warmup_epochs must be >= 0, got {warmup_epochs}")
        self.network = network
        self.lr, self.weight_decay, self.betas = lr, weight_decay, betas
        self.warmup_epochs, self.lead_dropout = warmup_epochs, lead_dropout
        self.shard_optimiser = shard_optimiser
        self.compile_loss = compile_loss
        self.beta = 1.0  # weight of the KL divergence; BetaAnnealing moves it

    def training_step(self, batch: EcgBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch, seen through random leads where `lead_dropout` says so."""
        visible = random_leads(batch.present, self.lead_dropout) if self.lead_dropout else None
        return self.balanced(self._step(batch, "train", visible), len(batch.ecg))

    def validation_step(self, batch: EcgBatch, batch_idx: int) -> None:
        """Log the loss of a batch with all its leads."""
        self._step(batch, "val", None)

    def _step(self, batch: EcgBatch, stage: str, visible: Tensor | None) -> Tensor:
        loss = self._loss(batch, visible)
        logged: dict[str, Tensor | float] = {"loss": loss.total, "beta": self.beta, **loss.terms}
        self.log_means(stage, logged, len(batch.ecg))
        if stage == "train" and not torch.isfinite(loss.total):
            raise InputError(
                f"the loss is {loss.total.item()} at step {self.global_step}; records of the "
                f"batch: {', '.join(batch.record)}. The last checkpoint, if one was saved, is "
                "intact; look at these records, or lower the learning rate"
            )
        return loss.total

    def _loss(self, batch: EcgBatch, visible: Tensor | None) -> LossTerms:
        if not self.compile_loss:
            return self.network.loss(
                batch.ecg, batch.leads, beta=self.beta, present=batch.present, visible=visible
            )
        if self._compiled is None:
            # Its own generator of random numbers would draw other noise than the eager loss.
            self._compiled = torch.compile(self.network.loss, options={"fallback_random": True})
        beta = torch.tensor(self.beta, device=batch.ecg.device)
        loss: LossTerms = self._compiled(
            batch.ecg, batch.leads, beta=beta, present=batch.present, visible=visible
        )
        return loss

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return AdamW (paper section 3), with a schedule where `warmup_epochs` asks for one."""
        optimiser = adamw(
            self.network.parameters(), self.lr, self.weight_decay, self.betas,
            sharded=self.shard_optimiser,
        )  # fmt: skip
        if self.warmup_epochs is None or self.trainer.fast_dev_run:  # type: ignore[attr-defined]
            return optimiser
        schedule = cosine_schedule(
            optimiser,
            warmup_epochs=self.warmup_epochs,
            n_epochs=self.trainer.max_epochs,
            n_steps=self.trainer.estimated_stepping_batches,
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip as `trainer.gradient_clip_val` says; on a CPU within the step, `clip_in_step`."""
        by_norm = gradient_clip_algorithm in (None, "norm")
        if gradient_clip_val and by_norm and takes_clipping(optimizer):
            clip_in_step(optimizer, gradient_clip_val)
        else:
            super().configure_gradient_clipping(
                optimizer, gradient_clip_val, gradient_clip_algorithm
            )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what is needed to build the network again.

        Raises:
            InputError: the weights are not finite, and would replace the last ones that are.
        """
        super().on_save_checkpoint(checkpoint)
        checkpoint[NETWORK_KEY] = describe_network(self.network)
        spoilt = [n for n, w in checkpoint["state_dict"].items() if not bool(w.isfinite().all())]
        if spoilt:
            raise InputError(
                f"weights are not finite after step {self.global_step}: {', '.join(spoilt[:3])}; "
                "nothing was saved. The last checkpoint is intact; lower the learning rate"
            )


def random_leads(present: Tensor, share: float) -> Tensor:
    """Hide random leads of a random share of the recordings; each keeps at least one.

    A recording that is chosen keeps m of its n present leads, m uniform on 1..n.

    Args:
        present: (B, L) bool.
        share: share of the recordings that lose leads.

    Returns:
        (B, L) bool, a subset of `present`.
    """
    n_present = present.sum(1, keepdim=True)
    n_kept = (torch.rand_like(n_present, dtype=torch.float) * n_present).floor() + 1
    chosen = torch.rand(len(present), 1, device=present.device) < share
    score = torch.rand(present.shape, device=present.device).masked_fill(~present, 2.0)
    rank = score.argsort(1).argsort(1)
    return present & (~chosen | (rank < n_kept))
