"""The one interface of all networks: encode; those that can be pre-trained also have a loss."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lsemvae.errors import InputError


class LossTerms(NamedTuple):
    """A training loss with the terms that it is made of.

    Attributes:
        total: the scalar to minimise.
        terms: scalars by name, for the log: the terms of the total before they are weighted, and
            what follows from the weights; detached by whoever logs them.
    """

    total: Tensor
    terms: dict[str, Tensor]


class EcgNetwork(nn.Module, ABC):
    """A network that turns recordings into features.

    Args:
        n_samples: T, samples per lead of the recordings it takes.
        init_args: every further constructor argument, as plain values; a checkpoint stores them so
            that the network can be built again.
    """

    def __init__(self, n_samples: int, **init_args: Any) -> None:
        super().__init__()
        self.n_samples = n_samples
        self.init_args: dict[str, Any] = {"n_samples": n_samples, **init_args}

    def _checked(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Check the shapes; return the recordings with zeros in absent leads, and the mask.

        Raises:
            InputError: as `encode`.
        """
        if ecg.shape[1:] != (len(leads), self.n_samples):
            raise InputError(
                f"{type(self).__name__} takes ({len(leads)} leads, {self.n_samples} samples), "
                f"got {tuple(ecg.shape[1:])}; build it with n_samples={ecg.shape[-1]} or prepare "
                "the recordings at its rate and length"
            )
        if present is None:
            return ecg, torch.ones(ecg.shape[:2], dtype=torch.bool, device=ecg.device)
        if not bool(present.any(1).all()):
            raise InputError(f"a recording of the batch has none of the leads {', '.join(leads)}")
        return torch.where(present.unsqueeze(-1), ecg, 0.0), present

    @abstractmethod
    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return F, the number of features that `encode` yields for these leads."""

    @abstractmethod
    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the features of recordings.

        Args:
            ecg: (B, L, T), normalised.
            leads: names of the L leads, any subset in any order.
            present: (B, L) bool; None where every lead is present.

        Returns:
            (B, F).

        Raises:
            InputError: an unknown lead, another number of samples, or a recording without any lead.
        """


class PretrainableNetwork(EcgNetwork):
    """A network with an objective of its own that needs no labels."""

    @abstractmethod
    def loss(
        self,
        ecg: Tensor,
        leads: Sequence[str],
        *,
        beta: float,
        present: Tensor | None = None,
        visible: Tensor | None = None,
    ) -> LossTerms:
        """Return the pre-training loss of a batch.

        Args:
            ecg: (B, L, T), normalised.
            leads: names of the L leads.
            beta: weight of the KL divergence at this step.
            present: (B, L) bool; leads that hold a signal and are reconstructed.
            visible: (B, L) bool; leads that the encoder may see, a subset of `present`; None for
                all of them.
        """

    @abstractmethod
    def reconstruct(
        self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None
    ) -> Tensor:
        """Return all twelve leads as the network sees them from the given ones, (B, 12, T)."""
