"""Train a head on a frozen encoder, or a network end to end, whatever the head predicts."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lsemvae.core.errors import InputError
from lsemvae.core.leads import parse_leads
from lsemvae.core.made_for import MadeFor, check_made_for
from lsemvae.core.types import EcgBatch, EcgInput, FeatureBatch
from lsemvae.models import EcgNetwork, load_pretrained
from lsemvae.models.feature_choice import with_feature
from lsemvae.tasks.optimiser import adamw, check_learning_rate
from lsemvae.tasks.task import EcgTask

MADE_FOR, FEATURE_READ = "made_for", "encoder_feature"  # in a checkpoint


@dataclass(frozen=True)
class HeadSettings:
    """Classification head: FC - ReLU - dropout - FC (paper section 3).

    Attributes:
        hidden: units of the first layer.
        dropout: share of them dropped in training.
    """

    hidden: int = 128
    dropout: float = 0.5

    def __post_init__(self) -> None:
        """Reject sizes and shares that make no head."""
        if self.hidden < 1 or not 0.0 <= self.dropout < 1.0:
            raise InputError(
                f"a head needs hidden >= 1 and dropout in [0, 1), got {self.hidden} and "
                f"{self.dropout}"
            )

    def build(self, n_features: int, n_outputs: int = 1) -> nn.Sequential:
        """Return the head for F features; one logit, or the two outputs of the paper's counts."""
        return nn.Sequential(
            nn.Linear(n_features, self.hidden),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.hidden, n_outputs),
        )


class HeadTask(EcgTask):
    """What every task with a head shares: the frozen encoder, the checkpoint, the optimiser.

    Args:
        network: a network to train end to end; exactly one of `network` and `encoder` is given.
        encoder: checkpoint of a pre-trained network, frozen here. It is not copied into this task's
            checkpoints: they name it by its SHA-256 and restore it from its own file.
        feature: of the encoder, where it has several; None for the one it was pre-trained with.
        leads: 12, 6 or names; the head's size may depend on them.
        head: see `HeadSettings`; None for the head of the publication where a network that is
            trained end to end has one of its own, else the paper's.
        n_outputs: of the head.
        lr: learning rate of AdamW.
        weight_decay: of AdamW.
    """

    def __init__(
        self,
        network: EcgNetwork | None,
        encoder: str | None,
        *,
        feature: str | None,
        leads: int | str | list[str],
        head: HeadSettings | None,
        n_outputs: int,
        lr: float,
        weight_decay: float,
    ) -> None:
        super().__init__()
        check_learning_rate(lr, weight_decay)
        if (network is None) == (encoder is None):
            raise InputError(
                f"give {type(self).__name__} either network (trained end to end) or encoder (a "
                "pre-trained checkpoint, frozen), and not both"
            )
        self.leads = parse_leads(leads)
        self.lr, self.weight_decay = lr, weight_decay
        self.encoder = encoder
        self.encoder_sha256: str | None = None
        self.encoder_feature: str | None = None
        self.encoder_input: EcgInput | None = None
        self.made_for: MadeFor | None = None
        """What this head is trained or used on; whoever brings the data sets it."""
        self.network = network or self._frozen_encoder(str(encoder), feature)
        self._head_settings, self._n_outputs = head, n_outputs
        self.head = self.fresh_head()

    def fresh_head(self) -> nn.Module:
        """Return a head with weights drawn anew."""
        settings, n_outputs = self._head_settings, self._n_outputs
        own = self.network.own_head(n_outputs) if settings is None and not self.frozen else None
        n_features = self.network.feature_dim(self.leads)
        return own or (settings or HeadSettings()).build(n_features, n_outputs)

    def _frozen_encoder(self, path: str, feature: str | None) -> EcgNetwork:
        pretrained = load_pretrained(path)
        self.encoder_sha256, self.encoder_input = pretrained.sha256, pretrained.data.ecg_input
        if feature is not None:
            pretrained = with_feature(pretrained, feature)
            self.encoder_feature = feature if pretrained.read_from else None
        return pretrained.network.requires_grad_(False).eval()

    @property
    def frozen(self) -> bool:
        """Whether the network is a frozen encoder."""
        return self.encoder_sha256 is not None

    def train(self, mode: bool = True) -> "HeadTask":
        """Switch to training mode, the frozen encoder excepted."""
        super().train(mode)
        if self.frozen:
            self.network.eval()
        return self

    def forward(self, batch: EcgBatch | FeatureBatch) -> Tensor:
        """Return the head's output, (B,) or (B, K).

        In float32 under mixed precision too: few digits make ties.
        """
        features = self._features(batch)
        with torch.autocast(features.device.type, enabled=False):
            output: Tensor = self.head(features.float())
        return output.squeeze(-1)

    def _features(self, batch: EcgBatch | FeatureBatch) -> Tensor:
        if isinstance(batch, FeatureBatch):
            return batch.features
        return self.network.encode(batch.ecg, batch.leads, batch.present)

    @abstractmethod
    def _step(self, batch: EcgBatch | FeatureBatch, stage: str) -> tuple[Tensor, Tensor]:
        """Return output and loss of a batch, and log its means."""

    @abstractmethod
    def _prediction(self, batch: EcgBatch | FeatureBatch, output: Tensor) -> dict[str, Any]:
        """Return the columns of predictions.csv for a batch."""

    def training_step(self, batch: EcgBatch | FeatureBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        output, loss = self._step(batch, "train")
        return self.balanced(loss, len(output))

    def validation_step(self, batch: EcgBatch | FeatureBatch, batch_idx: int) -> None:
        """Log the means of the held-out part."""
        self._step(batch, "val")

    def test_step(self, batch: EcgBatch | FeatureBatch, batch_idx: int) -> dict[str, Any]:
        """Log the means and return the predictions of a batch."""
        output, _ = self._step(batch, "test")
        return self._prediction(batch, output)

    def predict_step(self, batch: EcgBatch | FeatureBatch, batch_idx: int) -> dict[str, Any]:
        """Return the predictions of a batch, labelled or not."""
        return self._prediction(batch, self(batch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return AdamW over what is not frozen (paper section 3)."""
        return adamw(self.parameters(), self.lr, self.weight_decay)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave the frozen encoder out and name it instead: it would be 1 GB in every fold."""
        super().on_save_checkpoint(checkpoint)
        if self.made_for is not None:
            checkpoint[MADE_FOR] = self.made_for.plain()
        if self.frozen:
            checkpoint["encoder_sha256"] = self.encoder_sha256
            checkpoint[FEATURE_READ] = self.encoder_feature
            state = checkpoint["state_dict"]
            for name in [key for key in state if key.startswith("network.")]:
                del state[name]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the frozen encoder back, so that loading stays strict.

        Raises:
            InputError: the head was trained on another encoder, or made for something else than
                what it is about to be used on.
        """
        super().on_load_checkpoint(checkpoint)
        made_for = head_made_for(checkpoint)
        if self.made_for is not None and made_for is not None:
            check_made_for("this head", made_for, self.made_for)
        found = checkpoint.get("encoder_sha256")
        if found != self.encoder_sha256:
            raise InputError(
                f"this head was trained on the encoder with SHA-256 {str(found)[:12]}, "
                f"{self.encoder} has {str(self.encoder_sha256)[:12]}"
            )
        read = checkpoint.get(FEATURE_READ)
        if read != self.encoder_feature:
            raise InputError(
                f"this head was trained on {_read_by(read)} of the encoder, and is to be used on "
                f"{_read_by(self.encoder_feature)}; give the feature that it was trained on"
            )
        if self.frozen:
            own = self.state_dict()
            frozen = {name: own[name] for name in own if name.startswith("network.")}
            checkpoint["state_dict"].update(frozen)


def head_made_for(checkpoint: Mapping[str, Any]) -> MadeFor | None:
    """Return what the head in a checkpoint was made for, None where it does not say so."""
    kept = checkpoint.get(MADE_FOR)
    return None if kept is None else MadeFor.from_plain(kept)


def _read_by(feature: str | None) -> str:
    return f"the feature {feature}" if feature else "the own feature"
