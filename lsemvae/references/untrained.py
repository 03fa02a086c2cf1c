"""Make encoders that were never trained, and other readings of one that was."""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from lsemvae.core.errors import InputError
from lsemvae.models import EcgNetwork, FixedLeadNetwork, Pretrained
from lsemvae.models.checkpoint import describe_network
from lsemvae.models.untrained import untrained_network


def untrained_twin(pretrained: Pretrained, seed: int) -> Pretrained:
    """Return an encoder of the same architecture with the weights that training begins with.

    Args:
        pretrained: whose twin it is.
        seed: of the weights.
    """
    twin = untrained_network(pretrained.network, seed)
    described = ("untrained", describe_network(twin)["class"], twin.init_args, seed)
    return replace(pretrained, network=twin, sha256=_digest(described))


def with_feature(pretrained: Pretrained, feature: str) -> Pretrained:
    """Return the same weights read by another feature, which no training depends on.

    Args:
        pretrained: an encoder that can be read in several ways (LS-EMVAE).
        feature: `mixture_mean`, `lead_means`, or what else the network takes.

    Raises:
        InputError: the network has one reading only.
    """
    own = pretrained.network.init_args.get("feature")
    if own is None:
        name = type(pretrained.network).__name__
        raise InputError(f"{name} has no choice of feature; leave out feature {feature}")
    if own == feature:
        return pretrained
    weights = pretrained.network.state_dict()
    with torch.device("meta"), warnings.catch_warnings(action="ignore"):
        network = type(pretrained.network).from_plain(
            {**pretrained.network.init_args, "feature": feature}
        )
    network.load_state_dict(weights, assign=True)
    sha256 = _digest((pretrained.sha256, "feature", feature))
    return replace(pretrained, network=network.eval(), sha256=sha256)


def as_encoder(network: EcgNetwork, like: Pretrained) -> Pretrained:
    """Return a network that nothing was trained for as an encoder, for the cache of features."""
    described = (type(network).__name__, network.init_args)
    return replace(like, network=network.eval(), sha256=_digest(described))


class Flattened(FixedLeadNetwork):
    """The samples themselves, lead by lead: what PCA is made of."""

    def feature_dim(self, leads: Sequence[str]) -> int:
        """Return L x T."""
        return len(self.leads) * self.n_samples

    def encode(self, ecg: Tensor, leads: Sequence[str], present: Tensor | None = None) -> Tensor:
        """Return the samples in canonical lead order, (B, L x T)."""
        return self._channels(ecg, leads, present).flatten(1)


def _digest(described: object) -> str:
    return hashlib.sha256(repr(described).encode()).hexdigest()
