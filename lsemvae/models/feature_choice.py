"""Choose which feature a trained encoder is read by; no training depends on it."""

import hashlib
import warnings
from dataclasses import replace

import torch

from lsemvae.core.errors import InputError
from lsemvae.models.checkpoint import Pretrained

FEATURE = "feature"


def with_feature(pretrained: Pretrained, feature: str) -> Pretrained:
    """Return the same weights read by another feature, under another `sha256`.

    Args:
        pretrained: an encoder that can be read in several ways (LS-EMVAE).
        feature: `mixture_mean`, `lead_means`, or what else the network takes.

    Raises:
        InputError: the network has one reading only.
    """
    own = pretrained.network.init_args.get(FEATURE)
    if own is None:
        name = type(pretrained.network).__name__
        raise InputError(f"{name} has no choice of feature; leave out feature {feature}")
    if own == feature:
        return pretrained
    weights = pretrained.network.state_dict()
    with torch.device("meta"), warnings.catch_warnings(action="ignore"):
        network = type(pretrained.network).from_plain(
            {**pretrained.network.init_args, FEATURE: feature}
        )
    network.load_state_dict(weights, assign=True)
    described = repr((pretrained.sha256, FEATURE, feature))
    return replace(
        pretrained,
        network=network.eval(),
        sha256=hashlib.sha256(described.encode()).hexdigest(),
        read_from=pretrained.file_sha256,
    )
