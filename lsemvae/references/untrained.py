"""Make encoders that were never trained."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

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
    return replace(pretrained, network=twin, sha256=_digest(described), read_from=None)


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
